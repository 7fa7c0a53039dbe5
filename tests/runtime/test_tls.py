"""TLS: certificates that are accepted, and those that are refused before anything is sent."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lnoffers.rest.certificates import provide
from rpcschema.runtime.client.restnode import RestNode
from rpcschema.runtime.errors import CannotConnectError
from tests.runtime.restserver import RUNE, RestServer
from tests.runtime.test_rest import Client, call_async, call_blocking

both = pytest.mark.parametrize("call", [call_blocking, call_async], ids=["blocking", "asyncio"])


@both
def test_the_nodes_authority_is_accepted(call: Callable[..., Any], tmp_path: Path) -> None:
    with RestServer(tmp_path) as server:
        assert call(server.url, ("a", None), rune=RUNE, ca=tmp_path / "ca.pem")


@both
def test_the_servers_own_certificate_is_accepted(call: Callable[..., Any], tmp_path: Path) -> None:
    with RestServer(tmp_path) as server:
        assert call(server.url, ("a", None), rune=RUNE, ca=str(tmp_path / "server.pem"))


@both
def test_without_a_certificate_only_the_systems_authorities_count(call: Callable[..., Any], tmp_path: Path) -> None:
    refused = pytest.raises(CannotConnectError, match=r"cannot be verified for 127.0.0.1: .*pass ca=.*nothing was sent")
    with RestServer(tmp_path) as server, refused:
        call(server.url, ("a", None), rune=RUNE)
    assert server.requests == []


@both
def test_the_certificate_of_another_node_is_refused(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    provide(tmp_path / "other", "127.0.0.1")
    with RestServer(tmp_path) as server:
        for name in ("ca.pem", "server.pem"):
            with pytest.raises(CannotConnectError, match=r"its certificate cannot be verified"):
                call(server.url, ("a", None), rune=RUNE, ca=tmp_path / "other" / name)
    assert server.requests == []


@both
def test_another_name_is_refused_unless_the_certificate_has_it(call: Callable[..., Any], tmp_path: Path) -> None:
    with RestServer(tmp_path) as server:
        with pytest.raises(CannotConnectError, match=r"cannot be verified for elsewhere: .*server_name="):
            call(server.url, ("a", None), rune=RUNE, ca=server.ca, server_name="elsewhere")
        assert server.requests == []
        assert call(server.url, ("a", None), rune=RUNE, ca=server.ca, server_name="cln")


def test_a_new_certificate_is_read_again_after_a_refusal(tmp_path: Path) -> None:
    with RestServer(tmp_path) as server, Client(server.url, rune=RUNE, ca=server.ca) as client:
        client.rpc_call("a")
    for file in tmp_path.glob("*.pem"):
        file.rename(tmp_path / f"old-{file.name}")
    with RestServer(tmp_path, port=server.port), client:
        with pytest.raises(CannotConnectError):
            client.rpc_call("a")
        assert client.rpc_call("b")["method"] == "b"


@both
def test_a_certificate_that_cannot_be_read_is_named(call: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(CannotConnectError, match=r"cannot read the certificate .*/none.pem: No such file"):
        call("https://127.0.0.1:1", ("a", None), rune=RUNE, ca=tmp_path / "none.pem")
    (tmp_path / "empty.pem").write_text("x")
    with pytest.raises(CannotConnectError, match=r"cannot read the certificate .*/empty.pem: "):
        call("https://127.0.0.1:1", ("a", None), rune=RUNE, ca=tmp_path / "empty.pem")


def test_verification_is_on_and_strictness_is_off_only_for_a_given_certificate(tmp_path: Path) -> None:
    provide(tmp_path, "127.0.0.1")
    for ca in (None, tmp_path / "ca.pem"):
        context = RestNode.of("https://127.0.0.1", RUNE, ca).tls()
        assert context is not None
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert bool(ca) <= (not context.verify_flags & ssl.VERIFY_X509_STRICT)
        assert bool(ca) <= bool(context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN)


@both
def test_a_certificate_without_key_identifiers_is_accepted(call: Callable[..., Any], tmp_path: Path) -> None:
    """Python 3.13 refuses such ones by default, and old releases of clnrest made them."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    plain = tmp_path / "plain.cnf"
    plain.write_text(
        "[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=v3\n[dn]\nCN=cln\n"
        "[v3]\nsubjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\nsubjectKeyIdentifier=none\n"
    )
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-config", plain, "-keyout", tmp_path / "key.pem", "-out", tmp_path / "own.pem"]
    subprocess.run(command, check=True, capture_output=True)
    server = RestServer(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem", tmp_path / "key.pem")
    with server:
        server._context = context
        assert call(server.url, ("a", None), rune=RUNE, ca=tmp_path / "own.pem")


def test_a_connection_that_is_interrupted_stays_encrypted(tmp_path: Path) -> None:
    """Python's own `shutdown` of a TLS socket lets a thread that still uses it go on in plain text."""
    with RestServer(tmp_path) as server, Client(server.url, rune=RUNE, ca=server.ca) as client:
        client.rpc_call("a")
        [connection] = client._rpc_transport._idle  # type: ignore[attr-defined]
        connection.interrupt()
        assert connection._socket.version() is not None
        assert not connection.is_open()
        assert client.rpc_call("b")["method"] == "b"
