"""Serving lightningd as a plugin, over stdin and stdout."""
