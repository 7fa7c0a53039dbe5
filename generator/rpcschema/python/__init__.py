"""What the Python targets share: names, types and the plan of the classes that a document becomes."""
