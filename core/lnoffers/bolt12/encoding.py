"""The text form of BOLT 12: a prefix, `1`, and TLV bytes in bech32's alphabet, without checksum or length limit.

The data is read as one big number (see `bech32.number`), so a hostile string of any length costs a constant amount per
character.
"""

from __future__ import annotations

import re

from lnoffers import bech32
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.typecheck import typechecked

# A "+" that is neither first nor last joins what follows, past ASCII white space. The next character is kept whatever
# it is: a second "+" stays in the string and fails the alphabet later.
_CONTINUATION = re.compile(rb"(?!\A)\+(?!\Z)[ \t\n\v\f\r]*([^ \t\n\v\f\r]?)")

_SHOWN = 100
"""How many characters of a wrong prefix an error quotes. Core Lightning quotes all, but answers may be logged."""


@typechecked
def without_scheme(text: str) -> str:
    """Return `text` without a leading `lightning:`, which must be all lower or all upper case."""
    return text[len("lightning:") :] if text.startswith(("lightning:", "LIGHTNING:")) else text


def decode_text(text: str, prefix: str) -> bytes:
    """Return the TLV bytes of a BOLT 12 string with the given lower-case prefix (`lnr`). BOLT 12, "Encoding".

    Raises:
        Bolt12Error: those of `split_text`, and then "unexpected prefix P" (rule `text-prefix`).
    """
    found, data = split_text(text)
    if found != prefix:
        raise Bolt12Error(f"unexpected prefix {_printable(found)}", rule=RuleName.TEXT_PREFIX, text_offset=0)
    return data


def split_text(text: str) -> tuple[str, bytes]:
    """Return the prefix, in lower case, and the TLV bytes of a BOLT 12 string of any kind.

    Raises:
        Bolt12Error: in this order of checks: "unfinished string", "invalid bech32 string" (rules `text-separator`,
            `text-case`, `text-character`, `text-padding`).
    """
    raw = text.encode("utf-8", "surrogatepass")
    joined = _join(raw)
    folded = joined.lower()
    found, separator, letters = folded.partition(b"1")
    if not separator:
        raise _invalid(RuleName.TEXT_SEPARATOR, "there is no 1 between the prefix and the data")
    if joined != folded and joined != joined.upper():
        raise _invalid(RuleName.TEXT_CASE, "upper and lower case are mixed")
    symbols = bech32.from_letters(letters)
    if symbols is None:
        position = len(found) + 1 + next(i for i, each in enumerate(letters) if chr(each) not in bech32.ALPHABET)
        at = _character_at(raw, _unjoined(raw, position))
        raise _invalid(RuleName.TEXT_CHARACTER, f"{text[at]!r} is no bech32 character", at)
    data = bech32.whole_bytes(symbols)
    if data is None:
        raise _invalid(RuleName.TEXT_PADDING, "the bits after the last whole byte are more than four or not zero")
    # A prefix cut out of valid UTF-8 may be invalid. It is wrong anyway and only quoted in the error.
    return found.decode(errors="replace"), data


def encode_text(prefix: str, data: bytes) -> str:
    """Return the BOLT 12 string, in lower case and without `+`, of TLV bytes. The inverse of `decode_text`."""
    return f"{prefix}1{bech32.letters(bech32.from_bytes(data))}"


def _join(text: bytes) -> bytes:
    if b"+" not in text:
        return text

    def keep(continuation: re.Match[bytes]) -> bytes:
        if not continuation[1]:
            raise Bolt12Error(
                "unfinished string",
                rule=RuleName.TEXT_UNFINISHED,
                text_offset=_character_at(text, continuation.start()),
                detail="nothing follows the + that continues the string",
            )
        return continuation[1]

    return _CONTINUATION.sub(keep, text)


def _unjoined(raw: bytes, position: int) -> int:
    """Return the position in the raw string of the byte at `position` of the joined one."""
    for continuation in _CONTINUATION.finditer(raw):
        if continuation.start() > position:
            break
        position += len(continuation[0]) - 1  # all but the character that is kept
    return position


def _character_at(raw: bytes, position: int) -> int:
    """Return the index in the text of the character that starts at `position` of its UTF-8 bytes."""
    return len(raw[:position].decode("utf-8", "surrogatepass"))


def _printable(prefix: str) -> str:
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in prefix[: _SHOWN + 1])
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _invalid(rule: RuleName, detail: str, text_offset: int | None = None) -> Bolt12Error:
    return Bolt12Error("invalid bech32 string", rule=rule, text_offset=text_offset, detail=detail)
