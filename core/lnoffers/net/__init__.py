"""Peers: transport, onion messages, blinded paths. `blinding` makes the paths that `bolt12` reads and writes."""
