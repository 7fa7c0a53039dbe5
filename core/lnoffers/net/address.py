"""The address of a node: `ID@HOST:PORT`."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Literal, Self

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
    def parse(cls, text: str, default_port: int = DEFAULT_PORT) -> Self:
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
        try:
            return cls(node_id, *parse_place(place, default_port))
        except AddressError as error:
            raise AddressError(f"{text!r} is not ID@HOST:PORT: {error}") from None

    def __str__(self) -> str:
        return f"{self.node_id.hex()}@{place_text(self.host, self.port)}"


@typechecked
def parse_place(text: str, default_port: int, *, lowest_port: int = 1) -> tuple[str, int]:
    """Return the host and the TCP port in `HOST:PORT` or `HOST`. An IPv6 address is in brackets.

    A server may listen at port 0: the system then chooses a free one.

    Raises:
        AddressError: if the text is neither.
    """
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket:
            raise AddressError("the ] after the IPv6 address is missing")
        port = rest.removeprefix(":") or str(default_port)
    else:
        host, colon, port = text.partition(":")
        port = port if colon else str(default_port)
    if not host:
        raise AddressError("the host is missing")
    if not port.isascii() or not port.isdecimal() or not lowest_port <= int(port[:6]) < 1 << 16:
        raise AddressError(f"the port should be a number from {lowest_port} to 65535")
    return host, int(port)


@typechecked
def place_text(host: str, port: int) -> str:
    """Return `HOST:PORT`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@typechecked
def ip_version(address: str) -> Literal["ipv4", "ipv6"]:
    """Return the kind of an IP address, as Core Lightning names it."""
    return "ipv6" if ":" in address else "ipv4"


@typechecked
def host_kind(host: str) -> Literal["ipv4", "ipv6", "torv3", "dns"]:
    """Return the kind of a host, as Core Lightning names it: an IP address, an .onion address, or another name."""
    if is_onion(host):
        return "torv3"
    try:
        return ip_version(str(ip_address(host.partition("%")[0])))
    except ValueError:
        return "dns"


@typechecked
def is_onion(host: str) -> bool:
    """Return whether a host is an .onion address, which only Tor can reach."""
    return host.lower().rstrip(".").endswith(".onion")
