"""What stands between clients' sockets and the commands: connections, turns, limits, and answers that come later."""
