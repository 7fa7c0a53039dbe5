"""Types of a command whose values nobody looks at."""

from __future__ import annotations


class AnythingRequest:
    """Takes whatever was bound."""

    def __init__(self, **values: object) -> None:
        self.values = values
