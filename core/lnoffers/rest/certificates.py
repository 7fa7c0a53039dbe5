"""The certificates of the REST server: an authority of its own, which clients pin, and what it has signed.

They have the names of Core Lightning's clnrest, in one folder: `ca.pem`, `server.pem` and `client.pem`, and the keys in
`ca-key.pem`, `server-key.pem` and `client-key.pem`. A server makes missing files when it starts, and renews
certificates that have expired or lack the name of its host. The authority stays the same for years, so clients need
nothing new. A certificate that another authority has signed belongs to the operator, and is used as it is.

The keys are on the curve P-256, which every TLS library knows.
"""

from __future__ import annotations

import logging
import os
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS_OF_AUTHORITY: Final = 20 * 365
DAYS: Final = 10 * 365
RENEWED_DAYS_BEFORE: Final = 365
"""A certificate is made again in its last year, because a server may run for long."""
NAMES: Final = ("cln", "localhost", "127.0.0.1")
"""The names in each certificate, besides the server's host."""

logger = logging.getLogger(__name__)


class CertificateError(Exception):
    """The certificates cannot be read or written. The message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def server_context(folder: Path, host: str) -> ssl.SSLContext:
    """Return the TLS context of a server at `host`, with the certificates in `folder`, which are made if necessary.

    Raises:
        CertificateError: if they cannot be made or used.
    """
    try:
        provide(folder, host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(folder / "server.pem", folder / "server-key.pem")
    except (OSError, ValueError, UnsupportedAlgorithm) as error:  # an SSLError is an OSError
        raise CertificateError(
            f"the certificates for REST in {folder} cannot be used: {error}. If you do not need them, move the files "
            "that end in .pem away: the next start makes new ones"
        ) from error
    return context


def provide(folder: Path, host: str, *, now: datetime | None = None) -> None:
    """Make the certificates and keys in `folder` that are missing or expired, or that lack the name of `host`.

    Raises:
        OSError: if they cannot be read or written.
        ValueError: if one is malformed.
    """
    now = now or datetime.now(UTC)
    before = _read(folder, "ca")
    if before is None and _read(folder, "server") is not None:
        return  # it is the operator's
    authority = before
    if authority is None or _expires(authority.certificate, now):
        if authority is not None:
            logger.warning("The certificate ca.pem has expired: copy the new one in %s to the clients", folder)
        authority = _made("cln Root REST CA", now)
        _write(folder, "ca", authority)
    for name, names in {"server": {*NAMES, _canonical(host)}, "client": set(NAMES)}.items():
        pair = _read(folder, name)
        if pair is not None and before is not None and not _signed(pair.certificate, before.certificate):
            continue  # it is the operator's
        if (
            pair is None
            or authority is not before
            or _expires(pair.certificate, now)
            or not names <= _names(pair.certificate)
        ):
            _write(folder, name, _made(f"cln rest {name}", now, authority, names))


def _read(folder: Path, name: str) -> _Pair | None:
    """Return a certificate and its key; None if either is missing, or they do not belong together."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / f"{name}-key.pem").read_bytes(), None)
    except FileNotFoundError:
        return None
    if certificate.public_key() != key.public_key():
        return None  # a crash between the two files, or somebody has replaced one
    return _Pair(certificate, key)  # type: ignore[arg-type] # another key of the operator's signs nothing here


def _write(folder: Path, name: str, pair: _Pair) -> None:
    key = pair.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _replace(folder / f"{name}-key.pem", key, 0o400)
    _replace(folder / f"{name}.pem", pair.certificate.public_bytes(serialization.Encoding.PEM), 0o444)


def _replace(path: Path, content: bytes, mode: int) -> None:
    """Write a file that has its name only when it is complete and on disk."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _made(subject: str, now: datetime, authority: _Pair | None = None, names: Iterable[str] = ()) -> _Pair:
    """Return a new certificate and its key, signed by `authority`; without that, return a new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    issuer, signer = (name, key) if authority is None else (authority.certificate.subject, authority.key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # the clocks of clients differ
        .not_valid_after(now + timedelta(days=DAYS_OF_AUTHORITY if authority is None else DAYS))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
        .add_extension(_usage(signs=authority is None), critical=True)
    )
    if authority is not None:
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(map(_general, sorted(names))), critical=False)
    return _Pair(builder.sign(signer, hashes.SHA256()), key)


def _usage(*, signs: bool) -> x509.KeyUsage:
    unused = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    return x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, decipher_only=False, **unused
    )


def _canonical(host: str) -> str:
    """Return a host as a certificate's name reads: an IPv6 address has many spellings."""
    try:
        return str(ip_address(host))
    except ValueError:
        return host


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _names(certificate: x509.Certificate) -> set[str]:
    """Return the names and addresses of a certificate as text."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for name in found}


def _expires(certificate: x509.Certificate, now: datetime) -> bool:
    """Return whether a certificate has expired, or will soon."""
    end: Any = getattr(certificate, "not_valid_after_utc", None)  # cryptography 42
    if end is None:
        end = certificate.not_valid_after.replace(tzinfo=UTC)
    return bool(end < now + timedelta(days=RENEWED_DAYS_BEFORE))


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Return whether an authority has signed a certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
