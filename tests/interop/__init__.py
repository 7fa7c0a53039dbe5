"""Cases against real nodes: lightningd, found by the environment variable LIGHTNINGD."""
