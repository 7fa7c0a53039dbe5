"""Python names, types, docstrings and planned classes, shared by the Python targets."""
