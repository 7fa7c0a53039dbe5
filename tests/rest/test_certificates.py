"""The certificates: made once, renewed when necessary, never those of somebody else."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from lnoffers.rest.certificates import (
    DAYS,
    DAYS_OF_AUTHORITY,
    RENEWED_DAYS_BEFORE,
    CertificateError,
    provide,
    server_context,
)

FILES = ("ca-key.pem", "ca.pem", "client-key.pem", "client.pem", "server-key.pem", "server.pem")


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of each file."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    """Return the certificates, not the keys, that differ."""
    return {name for name in after if before.get(name) != after[name] and "key" not in name}


def certificate(folder: Path, name: str) -> x509.Certificate:
    """Return a certificate."""
    return x509.load_pem_x509_certificate((folder / name).read_bytes())


def in_days(days: int) -> datetime:
    """Return a time in the future."""
    return datetime.now(UTC) + timedelta(days=days)


def test_the_first_start_makes_six_files_and_only_the_owner_reads_keys(tmp_path: Path) -> None:
    provide(tmp_path, "127.0.0.1")
    assert tuple(contents(tmp_path)) == FILES
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {name: 0o400 if "key" in name else 0o444 for name in FILES}


@pytest.mark.parametrize("host", ["127.0.0.1", "node.example", "0:0::1"])
def test_the_next_start_changes_nothing(tmp_path: Path, host: str) -> None:
    provide(tmp_path, host)
    before = contents(tmp_path)
    provide(tmp_path, host)
    assert contents(tmp_path) == before


def test_a_certificate_has_the_names_of_clnrest_and_the_host(tmp_path: Path) -> None:
    provide(tmp_path, "node.example")
    names = certificate(tmp_path, "server.pem").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in names} == {"cln", "localhost", "127.0.0.1", "node.example"}


def test_another_host_gets_a_new_certificate_of_the_same_authority(tmp_path: Path) -> None:
    provide(tmp_path, "127.0.0.1")
    before = contents(tmp_path)
    provide(tmp_path, "192.0.2.1")
    assert changed(before, contents(tmp_path)) == {"server.pem"}
    certificate(tmp_path, "server.pem").verify_directly_issued_by(certificate(tmp_path, "ca.pem"))


def test_certificates_are_renewed_before_they_expire_and_the_authority_stays(tmp_path: Path) -> None:
    provide(tmp_path, "127.0.0.1")
    before = contents(tmp_path)
    provide(tmp_path, "127.0.0.1", now=in_days(DAYS - RENEWED_DAYS_BEFORE - 1))
    assert contents(tmp_path) == before
    provide(tmp_path, "127.0.0.1", now=in_days(DAYS - RENEWED_DAYS_BEFORE + 1))
    assert changed(before, contents(tmp_path)) == {"server.pem", "client.pem"}


def test_an_expired_authority_is_renewed_with_all_that_it_signed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    provide(tmp_path, "127.0.0.1")
    before = contents(tmp_path)
    provide(tmp_path, "127.0.0.1", now=in_days(DAYS_OF_AUTHORITY))
    assert changed(before, contents(tmp_path)) == {"ca.pem", "server.pem", "client.pem"}
    assert "ca.pem has expired: copy the new one" in caplog.text


@pytest.mark.parametrize("lost", FILES)
def test_a_start_after_a_crash_between_two_files_repairs_them(tmp_path: Path, lost: str) -> None:
    provide(tmp_path, "127.0.0.1")
    (tmp_path / lost).unlink()
    if lost.startswith("ca"):
        (tmp_path / "server.pem").unlink()  # the authority is made first
    provide(tmp_path, "127.0.0.1")
    assert tuple(contents(tmp_path)) == FILES
    for name in ("server.pem", "client.pem"):
        certificate(tmp_path, name).verify_directly_issued_by(certificate(tmp_path, "ca.pem"))
    server_context(tmp_path, "127.0.0.1")


def test_a_key_that_does_not_belong_to_its_certificate_is_replaced(tmp_path: Path) -> None:
    provide(tmp_path, "127.0.0.1")
    (tmp_path / "server-key.pem").unlink()
    (tmp_path / "server-key.pem").write_bytes((tmp_path / "client-key.pem").read_bytes())
    server_context(tmp_path, "127.0.0.1")


def test_the_operators_own_certificate_is_used_as_it_is(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
        provide(folder, "node.example")
    for name in ("server.pem", "server-key.pem"):
        (theirs / name).replace(ours / name)
    before = contents(ours)
    provide(ours, "192.0.2.1")
    assert contents(ours) == before
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("server.pem", "server-key.pem"):
        (ours / name).rename(alone / name)
    server_context(alone, "192.0.2.1")
    assert tuple(contents(alone)) == ("server-key.pem", "server.pem")


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    provide(tmp_path, "127.0.0.1")
    (tmp_path / "ca.pem").unlink()
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(CertificateError, match="move the files"):
        server_context(tmp_path, "127.0.0.1")


def test_a_client_that_pins_the_authority_verifies_it_strictly(tmp_path: Path) -> None:
    provide(tmp_path, "127.0.0.1")
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(tmp_path / "ca.pem")
    client, server = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = context.wrap_bio(server, client, server_hostname="localhost")
    ours = server_context(tmp_path, "127.0.0.1").wrap_bio(client, server, server_side=True)
    for _ in range(3):
        for side in (theirs, ours):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert theirs.version() == "TLSv1.3"
