"""Hostile input for the BOLT 12 core: `nox -s fuzz` looks for some that breaks it."""
