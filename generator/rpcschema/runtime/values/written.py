"""Text that keeps its spelling: a JSON string can be written in many ways, and some are told apart by it."""

from __future__ import annotations


class Written(str):
    """Text, and how it is or was written in JSON: `spelling`, what stands between the quotes, which `encode` repeats.

    Control characters alone are escaped as in all that `encode` writes, with capitals ("\\u001F").
    Two of the same text are equal, as text is, whatever their spellings.
    """

    __slots__ = ("spelling",)
    spelling: str

    @classmethod
    def read(cls, spelling: str) -> Written:
        """Return the text of what stands between the quotes of a JSON string; half a surrogate pair becomes U+FFFD."""
        import json  # clients load this module and never need it

        text: str = json.loads(f'"{spelling}"')
        written = cls(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        written.spelling = spelling
        return written
