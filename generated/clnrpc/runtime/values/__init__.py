"""Convert JSON to the generated dataclasses and back, tolerant of nodes of other versions."""
