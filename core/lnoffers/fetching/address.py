"""The address of a node: `ID@HOST:PORT`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from lnoffers.bolt12.curve import is_point
from lnoffers.bolt12.typecheck import typechecked

DEFAULT_PORT: Final = 9735


class AddressError(ValueError):
    """A text is not the address of a node; the message says why."""


@typechecked
@dataclass(frozen=True, slots=True)
class Address:
    """A node's id (a compressed point, 33 bytes), and the host and TCP port where it listens."""

    node_id: bytes
    host: str
    port: int = DEFAULT_PORT

    @classmethod
    @typechecked
    def parse(cls, text: str) -> Self:
        """Parse `ID@HOST:PORT`. An IPv6 address is in brackets, and the port may be left out.

        Raises:
            AddressError: if the text is not an address.
        """
        digits, at, place = text.strip().partition("@")
        try:
            node_id = bytes.fromhex(digits)
        except ValueError:
            node_id = b""
        if not at or not is_point(node_id):
            raise AddressError(f"{text!r} is not ID@HOST:PORT: the part before @ should be a node id of 66 hex digits")
        host, port = _split(place)
        if not host:
            raise AddressError(f"{text!r} is not ID@HOST:PORT: no host stands behind @")
        if not port.isascii() or not port.isdecimal() or not 0 < int(port[:6]) < 1 << 16:
            raise AddressError(f"{text!r} is not ID@HOST:PORT: the port should be a number from 1 to 65535")
        return cls(node_id, host, int(port))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.node_id.hex()}@{host}:{self.port}"


def _split(place: str) -> tuple[str, str]:
    """Return host and port."""
    if place.startswith("["):
        host, _, behind = place[1:].partition("]")
        return host, behind.removeprefix(":") or str(DEFAULT_PORT)
    host, colon, port = place.partition(":")
    return host, port if colon else str(DEFAULT_PORT)
