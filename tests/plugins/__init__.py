"""A plugin of a package of its own, which runs under lightningd and under the mock."""

EVENTS = 10_000
"""How many notifications the plugin sends to itself when it greets many."""
