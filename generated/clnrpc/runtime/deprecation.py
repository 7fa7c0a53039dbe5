"""The mark of deprecated methods and fields, which type checkers and editors show. It does nothing at run time.

Python has it only from 3.13 on (`warnings.deprecated`), where each call would warn. Type checkers know that of
typing_extensions even if it is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import deprecated
else:

    def deprecated(_message):
        return lambda marked: marked


__all__ = ["deprecated"]
