"""Plugins of the node: `process` runs one, `manifest` reads what it offers, and `host` drives all of a mock."""
