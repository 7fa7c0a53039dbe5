"""Peers: transport, onion messages and blinded paths. Nothing of it is built yet; `bolt12` reads and writes the paths."""
