"""The BOLT 12 core against other implementations: `nox -s crosscheck` installs them and compares."""
