"""Peers: transport, onion messages, blinded paths. Nothing of it is built yet; `bolt12` reads and writes the paths."""
