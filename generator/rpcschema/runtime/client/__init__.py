"""Call a node: the blocking and the asyncio client, their connections, and the checks before a call."""
