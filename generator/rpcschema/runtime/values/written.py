"""Values that are JSON already, so that `encode` repeats them as they are: a whole text, or one string's spelling."""

from __future__ import annotations


class FinishedJson(bytes):
    """A JSON text, in the spelling of `encode`. Where its value is needed, it is parsed."""

    __slots__ = ()


class Written(str):
    """Text and its JSON spelling: `spelling` is what stands between the quotes, and `encode` writes it again.

    Only control characters are escaped as `encode` always does, with capitals ("\\u001F"). Two objects with the same
    text are equal, whatever their spellings.
    """

    __slots__ = ("spelling",)
    spelling: str

    @classmethod
    def read(cls, spelling: str) -> Written:
        """Return the text between the quotes of a JSON string; half a surrogate pair becomes U+FFFD."""
        import json  # clients load this module but never need it

        text: str = json.loads(f'"{spelling}"')
        written = cls(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        written.spelling = spelling
        return written
