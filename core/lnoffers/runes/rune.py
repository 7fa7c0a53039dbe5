"""Parse runes, and write them.

A rune is base64 (the URL alphabet) of an authentication code of 32 bytes and the text of its restrictions. Restrictions
are joined by `&`, and all of them must hold. A restriction is one or more alternatives joined by `|`, and one of them
must hold. An alternative is a field's name, a condition of one character, and a value. In a value, a backslash escapes
the next character. If the first restriction has an empty name, it is not a condition but the rune's id, optionally
followed by `-` and a version.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from string import punctuation
from typing import Final, TypeAlias

from lnoffers.bolt12.typecheck import trusted, typechecked

_CODE_LENGTH: Final = 32
_PUNCTUATION: Final = re.escape(punctuation.replace("_", "")).encode()
_ALTERNATIVE: Final = re.compile(rb"([^%b]*+)([!=/^$~<>{}#])((?:(?>[^\\|&]++|\\.))*+)([|&]?)" % _PUNCTUATION, re.DOTALL)
"""Its name, its condition, its value with escapes, and the separator behind it."""
_UNESCAPED: Final = re.compile(rb"([^%b]++)([!=/^$~<>{}#])(.*+)" % _PUNCTUATION, re.DOTALL)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_TO_ESCAPE: Final = re.compile(rb"([\\|&])")
_number: Final = re.compile(rb"0|[1-9][0-9]{0,18}").fullmatch


class RuneError(ValueError):
    """A text is not a rune."""


@typechecked
@dataclass(frozen=True, slots=True)
class Alternative:
    """One condition: the field's name, the condition's character, the value without escapes.

    Name and value should be UTF-8, but need not be.
    """

    name: bytes
    condition: str
    value: bytes

    def __bytes__(self) -> bytes:
        """Return the alternative as written in a rune's text."""
        return self.name + self.condition.encode() + _TO_ESCAPE.sub(rb"\\\1", self.value)


Restriction: TypeAlias = tuple[Alternative, ...]
"""One of its alternatives must hold."""


@typechecked
def written(restriction: Restriction) -> bytes:
    """Return a restriction as written in a rune's text."""
    return b"|".join(map(bytes, restriction))


@typechecked
@dataclass(frozen=True, slots=True)
class Rune:
    """A parsed rune.

    Attributes:
        code: the authentication code, 32 bytes. Only the node that made the rune can verify it.
        restrictions: the alternatives of each restriction, including the id.
    """

    code: bytes
    restrictions: tuple[Restriction, ...]

    @classmethod
    @typechecked
    def parse(cls, text: str) -> Rune:
        """Parse a rune.

        Raises:
            RuneError: if the text is not base64, too short, or its restrictions are malformed.
        """
        data = _from_base64(text)
        if len(data) < _CODE_LENGTH or b"\0" in data[_CODE_LENGTH:]:
            raise RuneError("too short for a rune, or with a byte that none can hold")
        return cls(data[:_CODE_LENGTH], read_restrictions(data[_CODE_LENGTH:]))

    @property
    def identity(self) -> Alternative | None:
        """The alternative that contains the id, or None."""
        first = self.restrictions[0][0] if self.restrictions else None
        return first if first is not None and not first.name else None

    @property
    def conditions(self) -> tuple[Restriction, ...]:
        """The restrictions without the id."""
        return self.restrictions if self.identity is None else self.restrictions[1:]

    def __bytes__(self) -> bytes:
        """Return the readable form: the code in hex, a colon, the restrictions."""
        return self.code.hex().encode() + b":" + self.text

    @property
    def text(self) -> bytes:
        """The restrictions as the rune contains them."""
        return b"&".join(map(written, self.restrictions))

    @property
    def unique_id(self) -> int | None:
        """The id that tells the runes of a node apart, below 2^63; None if there is none, or it is no such number."""
        value = b"" if self.identity is None else self.identity.value.partition(b"-")[0]
        return int(value) if _number(value) and int(value) < 1 << 63 else None

    @property
    def has_version(self) -> bool:
        """Whether a version follows the id. No node makes such runes."""
        return self.identity is not None and b"-" in self.identity.value

    def encode(self) -> str:
        """Return the rune as it is given to people and programs: base64, padded."""
        return urlsafe_b64encode(self.code + self.text).decode()

    def __repr__(self) -> str:
        """Leave the code out: whoever has it has the rune."""
        return f"Rune(restrictions={self.text!r})"


def _from_base64(text: str) -> bytes:
    """Decode base64. As in Core Lightning, padding may be missing and bits left over are ignored."""
    quartets = len(text) - (len(text) % 4 or 4) if text else 0
    symbols = text[:quartets] + text[quartets:].rstrip("=")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", symbols) or len(symbols) % 4 == 1:
        raise RuneError("no base64")
    return urlsafe_b64decode(symbols + "=" * (-len(symbols) % 4))


@typechecked
def read_restrictions(text: bytes) -> tuple[Restriction, ...]:
    """Parse the restrictions in a rune's text, the id included.

    Raises:
        RuneError: if they are malformed.
    """
    restrictions: list[tuple[Alternative, ...]] = []
    alternatives: list[Alternative] = []
    position, more = 0, False
    while position < len(text) or more:
        found, position, end = _read_alternative(text, position)
        alternatives.append(found)
        more = end == b"|"
        if not more:
            if any(not each.name for each in alternatives) and (
                restrictions or len(alternatives) > 1 or alternatives[0].condition != "="
            ):
                raise RuneError("an id that is not alone, not first, or not an equality")
            restrictions.append(tuple(alternatives))
            alternatives = []
    return tuple(restrictions)


_alternative = trusted(Alternative)  # a rune may hold thousands


@typechecked
def alternative(text: bytes) -> Alternative:
    """Parse one alternative that is written without escapes, such as `method=pay`.

    Raises:
        RuneError: if it has no name or no condition.
    """
    found = _UNESCAPED.fullmatch(text)
    if found is None or b"\0" in text:
        raise RuneError("a restriction without a name or a condition")
    name, condition, value = found.groups()
    return _alternative(name, condition.decode(), value)


def _read_alternative(text: bytes, position: int) -> tuple[Alternative, int, bytes]:
    """Return the alternative that starts at `position`, the position after it, and the separator that follows."""
    found = _ALTERNATIVE.match(text, position)
    if found is None:
        raise RuneError("a restriction without a condition")
    name, condition, value, separator = found.groups()
    if not separator and found.end() < len(text):
        raise RuneError("a backslash with nothing behind it")
    return _alternative(name, condition.decode(), _ESCAPED.sub(rb"\1", value)), found.end(), separator
