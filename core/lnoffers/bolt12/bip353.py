"""The human-readable name (`name@domain`, BIP 353) under which a payer found an offer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lnoffers.bolt12.codecs import Codec
from lnoffers.bolt12.cursor import Cursor
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.typecheck import typechecked

_ALLOWED = re.compile(rb"[0-9A-Za-z._-]*")
_WRITTEN = re.compile("\N{BITCOIN SIGN}?([0-9A-Za-z._-]{1,255})@([0-9A-Za-z._-]{1,255})")


@typechecked
@dataclass(frozen=True, slots=True)
class Bip353Name:
    """The parts before and after the `@`, up to 255 bytes each. A message may contain bytes that are not allowed."""

    name: bytes
    domain: bytes

    @classmethod
    @typechecked
    def parse(cls, text: str) -> Bip353Name:
        """Parse a name such as `₿alice@example.com`; the ₿ may be missing.

        Raises:
            Bolt12Error: `name-form` if the text has another form or other characters.
        """
        form = _WRITTEN.fullmatch(text)
        if form is None:
            raise Bolt12Error(
                "This is no name: it should look like ₿alice@example.com, in ASCII letters, digits, and .-_",
                rule=RuleName.NAME_FORM,
            )
        return cls(form[1].encode(), form[2].encode())

    @property
    def dns_name(self) -> str:
        """The DNS name whose TXT record contains the payment instructions (BIP 353, "Records")."""
        return f"{_text(self.name)}.user._bitcoin-payment.{_text(self.domain)}"

    def __str__(self) -> str:
        return f"\N{BITCOIN SIGN}{_text(self.name)}@{_text(self.domain)}"


def has_allowed_characters(part: bytes) -> bool:
    """Return whether a name or domain contains only ASCII letters, digits, `-`, `_` and `.`, as BOLT 12 requires."""
    return _ALLOWED.fullmatch(part) is not None


def _text(part: bytes) -> str:
    return part.decode("utf-8", "replace")


def _decode(value: bytes) -> Bip353Name:
    cursor = Cursor(value)
    name = Bip353Name(cursor.take(cursor.number(1)), cursor.take(cursor.number(1)))
    cursor.finish()
    return name


def _encode_part(part: bytes) -> bytes:
    if len(part) > 0xFF:
        raise Bolt12Error(f"a part of a name has {len(part)} bytes; at most 255 fit", rule=RuleName.NAME_TOO_LONG)
    return len(part).to_bytes(1, "big") + part


bip_353_name = Codec(
    _decode,
    lambda value: _encode_part(value.name) + _encode_part(value.domain),
    lambda value: {"name": _text(value.name), "domain": _text(value.domain)},
)
