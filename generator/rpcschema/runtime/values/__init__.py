"""Values that travel: JSON to the generated dataclasses and back, tolerant of another version's node."""
