"""What a change of the documents means for the programs that use them, and for those that implement them.

`fields` flattens a document, `changes` compares two releases, `rules` judges each kind of change, and `report` prints.
"""

from typing import Literal, TypeAlias

Audience: TypeAlias = Literal["callers", "implementers"]
"""Whose verdicts decide."""
