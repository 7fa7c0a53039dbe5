"""A node's REST interface, clnrest: where it is, how to authenticate, and its requests and responses, without I/O.

Commands are `POST /v1/<command>` with a rune and the parameters as a JSON object. The body of a success is the result;
that of an error is the node's error object, with a status that adds nothing.
"""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec

from ..errors import (
    CannotConnectError,
    ConnectionLostError,
    ParameterError,
    ProtocolError,
    RpcTimeoutError,
)
from .exchange import QUOTED_BYTES, ErrorObject, ResponseObject
from .httpwire import HttpError, HttpResponse

_HIDDEN: Final = "<rune>"
_is_loopback: Final = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1").fullmatch
_is_rune: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}").fullmatch
_SUCCESS: Final = (200, 201)
_UNREACHED: Final = (502, 503, 504)
"""What a proxy answers if it cannot reach clnrest, or lost it."""
_MAY_HAVE_BEEN: Final = "the command may have been carried out"
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decode_result: Final = msgspec.json.Decoder(msgspec.Raw).decode
_decode_error: Final = msgspec.json.Decoder(ErrorObject).decode

Rune = str | os.PathLike[str]


class Secret:
    """A rune, or the file with one. Neither its text nor a pickle of it shows the rune."""

    def __init__(self, source: Rune) -> None:
        self._file = None if isinstance(source, str) else Path(source)
        self._rune = source if isinstance(source, str) else ""
        if isinstance(source, str) and not _is_rune(source):
            raise ValueError("rune: expected the text that createrune returned, or a Path to a file that contains it")

    def __repr__(self) -> str:
        return _HIDDEN if self._file is None else repr(str(self._file))

    def __reduce__(self) -> tuple[type[Secret], tuple[Path]]:
        if self._file is None:
            raise TypeError(
                "a client with a rune cannot be pickled, because the pickle would show the rune;"
                " give the path of a file that contains it: rune=Path(...)"
            )
        return type(self), (self._file,)

    def read(self) -> str:
        """Return the rune. Raises CannotConnectError if its file has none."""
        if self._file is not None:  # read for each request, because a rune may be replaced
            try:
                found = self._file.read_bytes().strip().decode("ascii", "replace")
            except OSError as error:
                raise CannotConnectError(f"cannot read the rune in {self._file}: {error.strerror}") from None
            if not _is_rune(found):
                raise CannotConnectError(f"cannot connect: expected a rune in {self._file}, and nothing else")
            self._rune = found
        return self._rune

    def hide(self, data: bytes) -> bytes:
        """Replace the rune in what a server sent."""
        return data.replace(self._rune.encode(), _HIDDEN.encode()) if self._rune else data


class Request(bytes):
    """The bytes of a request. Its `repr` does not show them, because they contain the rune."""

    def __repr__(self) -> str:
        return f"<request of {len(self)} bytes>"


@dataclass(frozen=True, slots=True)
class RestNode:
    """A REST interface, as the arguments of a client name it."""

    is_tls: bool
    host: str
    port: int
    authority: str
    """Host and port as the URL has them."""
    path: str
    """The path before `/v1`, without a slash at its end."""
    rune: Secret
    ca: str | None
    """The path of a PEM file: the authority that signed the server's certificate, or that certificate itself. None for
    the authorities that the system trusts."""
    server_name: str
    """The name that the certificate must have."""

    @classmethod
    def of(
        cls, url: str, rune: Rune | None, ca: str | os.PathLike[str] | None = None, server_name: str | None = None
    ) -> RestNode:
        """Return the node of a client's arguments. Raises ValueError if they do not name one."""
        parts = urlsplit(url)
        is_tls = parts.scheme == "https"
        host, port = parts.hostname, _port(url, 443 if is_tls else 80)
        if not host or not port or not url.isascii() or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("node: expected https://HOST:PORT, and at most a path after it")
        if not is_tls and not _is_loopback(host):
            raise ValueError(
                f"node: http:// would send the rune to {host} unencrypted: use https:// (http:// is for localhost only)"
            )
        if not is_tls and (ca is not None or server_name is not None):
            raise ValueError("ca and server_name are for https://, not for http://")
        if rune is None:
            raise ValueError("rune: a node's REST interface needs one; the command createrune makes it")
        return cls(
            is_tls=is_tls,
            host=host,
            port=port,
            authority=parts.netloc,
            path=quote(parts.path.rstrip("/"), safe="/%"),
            rune=Secret(rune),
            ca=None if ca is None else os.fspath(ca),
            server_name=server_name or host,
        )

    def __str__(self) -> str:
        return f"{'https' if self.is_tls else 'http'}://{self.authority}{self.path}"

    def tls(self) -> ssl.SSLContext | None:
        """Return a context that verifies the server; None for http://. Raises CannotConnectError."""
        if not self.is_tls:
            return None
        if self.ca is None:
            return ssl.create_default_context()
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as error:  # SSLError too
            raise CannotConnectError(f"cannot read the certificate {self.ca}: {error.strerror or error}") from None
        # The file may hold the server's own certificate instead of an authority's. And Python 3.13 refuses certificates
        # without key identifiers, which older releases of clnrest made.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context

    def request(self, method: str, params: bytes) -> Request:
        """Return the bytes of a request; `params` must be a JSON text. Raises a ClientError."""
        if not params.startswith(b"{"):
            raise ParameterError(f"{method}: over REST, parameters are passed by name; nothing was sent")
        head = (
            f"POST {self.path}/v1/{quote(method, safe='')} HTTP/1.1\r\n"
            f"Host: {self.authority}\r\n"
            f"Rune: {self.rune.read()}\r\n"
            "Content-Type: application/json\r\n"
            "Accept: application/json\r\n"
            "Accept-Encoding: identity\r\n"
            f"Content-Length: {len(params)}\r\n\r\n"
        )
        return Request(head.encode("ascii") + params)

    def response(self, received: HttpResponse) -> ResponseObject:
        """Return the outcome of a call. Raises ProtocolError or ConnectionLostError if clnrest did not send it."""
        if received.status in _SUCCESS:
            try:
                # Checked as a whole, as a response of the socket is; msgspec does not check the UTF-8 of skipped bytes.
                return ResponseObject(None, bytes(_decode_result(str(received.body, "utf-8"))))
            except _UNREADABLE:
                raise ProtocolError(self._unusable(received)) from None
        try:
            return ResponseObject(None, _decode_error(self.rune.hide(received.body)))
        except _UNREADABLE:
            kind = ConnectionLostError if received.status in _UNREACHED else ProtocolError
            raise kind(self._unusable(received)) from None

    def unreadable(self, error: HttpError) -> ProtocolError:
        """Return the error for a response that is not one of HTTP."""
        return ProtocolError(f"{self} sent a response that cannot be read: {error}; {_MAY_HAVE_BEEN}")

    def refused(self, error: OSError | UnicodeError) -> CannotConnectError:
        """Return the error for a failed attempt to connect."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return CannotConnectError(
                f"cannot connect to {self}: its certificate cannot be verified for {self.server_name}:"
                f" {error.verify_message.rstrip('.')}; pass ca= (the node's ca.pem), and server_name= if the"
                " certificate has another name than the URL; nothing was sent"
            )
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, ConnectionError) and error.errno:  # asyncio has a text of its own
            reason = os.strerror(error.errno)
        return CannotConnectError(
            f"cannot connect to {self}: {reason}; is clnrest running there (options clnrest-host and clnrest-port)?"
            " nothing was sent"
        )

    def too_slow(self) -> RpcTimeoutError:
        """Return the error for an attempt to connect that took too long."""
        return RpcTimeoutError(f"cannot connect to {self} in time; nothing was sent")

    def _unusable(self, received: HttpResponse) -> str:
        """Describe a response that clnrest would not send."""
        quoted = self.rune.hide(received.body)[:QUOTED_BYTES].decode(errors="replace")
        kind = received.fields.get("content-type", "unknown")
        return (
            f"{self} did not respond as clnrest does (status {received.status}, type {kind});"
            f" is it a proxy, or another server? {_MAY_HAVE_BEEN}. It sent: {quoted}"
        )


class Tls:
    """The TLS context of a node's connections, which is loaded once."""

    def __init__(self, node: RestNode) -> None:
        self._node = node
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext | None:
        """Return the context; None for http://. Raises CannotConnectError."""
        if self._context is None:
            self._context = self._node.tls()
        return self._context

    def refused(self, error: OSError | UnicodeError) -> CannotConnectError:
        """Return the error for a failed attempt to connect.

        If the certificate is another one, the next attempt reads the file again: clnrest may have made new ones.
        """
        if isinstance(error, ssl.SSLCertVerificationError):
            self._context = None
        return self._node.refused(error)


def _port(url: str, default: int) -> int | None:
    try:
        return urlsplit(url).port or default
    except ValueError:
        return None
