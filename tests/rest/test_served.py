"""How calls over REST run in the server: beside each other, in pages, to the end, and until a client leaves."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import pytest

from lnoffers.service import Node, Options, Server
from tests.rest.running import HOST, Site
from tests.rest.serving import Served, place, served_over_rest
from tests.service.invoicing import NOW, creation, pay
from tests.service.program import SEED_SECRET, Program, Wire, run, until
from tests.service.test_lists import MANY, fill

QUIET_SECONDS = 0.5
"""How long nothing must come for an answer to count as withheld."""


def test_a_call_that_waits_delays_no_other_and_is_answered(server: Served) -> None:
    rune = server.rune()
    assert server.site.post("createinvoice", creation(1), rune).status == 201
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(server.site.post, "waitinvoice", {"label": "number 1"}, rune)
        for _ in range(3):
            assert server.site.post("getinfo", rune=rune).status == 201
        assert not waiting.done()
        with Node.open(Options(lightning_dir=server.program.directory, network="regtest")) as node:
            assert pay(node, 1)
        assert waiting.result(30).json["status"] == "paid"


def test_a_client_that_leaves_ends_its_call(server: Served) -> None:
    left = server.log.count("the client has left")
    assert server.site.post("createinvoice", creation(2), server.rune()).status == 201
    connection = server.site.connection()
    headers = {"Rune": server.rune()}
    connection.request("POST", "/v1/waitinvoice", b'{"label":"number 2"}', headers)
    assert server.site.post("getinfo", rune=server.rune()).status == 201
    connection.close()
    until(lambda: server.log.count("the client has left") > left)


def test_calls_over_rest_take_no_place_at_the_socket(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def ask() -> None:
        site = Site(place(caplog.text), directory / "regtest" / "ca.pem")
        with ExitStack() as held:
            first, second = (held.enter_context(Wire(directory / "regtest" / "lightning-rpc")) for _ in range(2))
            rune = first.ask("createrune")["result"]["rune"]
            assert "result" in second.ask("createinvoice", creation(1))
            waiting = [site.connection() for _ in range(2)]
            for connection in waiting:
                held.callback(connection.close)
                connection.request("POST", "/v1/waitinvoice", b'{"label":"number 1"}', {"Rune": rune})
            for connection in waiting:
                connection.sock.settimeout(QUIET_SECONDS)
                with pytest.raises(TimeoutError):
                    connection.sock.recv(1)
            second.socket.close()
            third = held.enter_context(Wire(directory / "regtest" / "lightning-rpc"))
            assert "result" in third.ask("getinfo")

    async def serve() -> None:
        options = Options(lightning_dir=directory, network="regtest", rest=(HOST, 0), dev_entropy=b"", dev_time=NOW)
        with Node.open(options) as node:
            server, ready = Server(node, max_connections=2), asyncio.Event()
            running = asyncio.create_task(server.run(ready.set))
            await ready.wait()
            try:
                await asyncio.to_thread(ask)
            finally:
                server.stop()
                await running

    Program(directory).give_secret(SEED_SECRET)
    run("init", *Program(directory).flags)
    asyncio.run(serve())


def test_errors_of_commands_are_500_and_404_for_an_unknown_one(server: Served) -> None:
    rune = server.rune()
    failed = server.site.post("waitinvoice", {"label": "none"}, rune)
    assert (failed.status, failed.json["code"]) == (500, -1)
    unknown = server.site.post("nonsense", rune=rune)
    assert (unknown.status, unknown.json["message"]) == (404, "Unknown command 'nonsense'")
    wrong = server.site.post("decode", {"strong": "x"}, rune)
    assert (wrong.status, wrong.json["code"]) == (500, -32602)


def test_a_long_string_is_decoded_as_at_the_socket(server: Served) -> None:
    text = "lno1" + "q" * 10_000
    answer = server.site.post("decode", {"string": text}, server.rune())
    assert answer.status == 500
    assert "string" in answer.json["message"]


def test_a_long_list_arrives_page_by_page(directory: Path) -> None:
    run("init", *Program(directory).flags)
    keys = fill(Program(directory), MANY)
    with served_over_rest(directory) as server:
        answer = server.site.post("listinvoicerequests", rune=server.rune())
        assert answer.headers["transfer-encoding"] == "chunked"
        assert [each["invreq_id"] for each in answer.json["invoicerequests"]] == keys


def test_a_client_that_leaves_a_long_list_disturbs_nobody(directory: Path) -> None:
    run("init", *Program(directory).flags)
    fill(Program(directory), MANY)
    with served_over_rest(directory) as server:
        rune = server.rune()
        for _ in range(5):
            with server.site.socket() as raw:
                raw.sendall(f"POST /v1/listinvoicerequests HTTP/1.1\r\nHost: x\r\nRune: {rune}\r\n\r\n".encode())
                assert raw.recv(12) == b"HTTP/1.1 201"
        assert server.site.post("getinfo", rune=rune).status == 201


def test_stop_is_answered_when_everything_is_released(directory: Path) -> None:
    with served_over_rest(directory) as server:
        answer = server.site.post("stop", rune=server.rune())
        assert (answer.status, answer.body) == (201, b'{"result":"Shutdown complete"}')
        assert not server.program.socket.exists()
        assert server.process.wait(30) == 0


def test_a_signal_ends_waiting_calls_with_an_error(directory: Path) -> None:
    Program(directory).give_secret(SEED_SECRET)
    with served_over_rest(directory, "--dev-entropy", "", "--dev-time", str(NOW)) as server:
        rune = server.rune()
        assert server.site.post("createinvoice", creation(1), rune).status == 201
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(server.site.post, "waitinvoice", {"label": "number 1"}, rune)
            until(lambda: server.log.count("REST: waitinvoice"))
            assert server.site.post("getinfo", rune=rune).status == 201  # by then the call before it waits
            server.process.send_signal(signal.SIGTERM)
            answer = waiting.result(30)
        assert (answer.status, answer.json["code"], answer.json["message"]) == (500, -5, "The server stops")
        assert server.process.wait(30) == 0


def test_the_certificates_stay_the_same_after_a_restart(directory: Path) -> None:
    with served_over_rest(directory) as server:
        rune, pinned = server.rune(), server.site.ca.read_bytes()
    with served_over_rest(directory) as server:
        assert server.site.ca.read_bytes() == pinned
        assert server.site.post("getinfo", rune=rune).status == 201


def test_the_log_has_no_rune(server: Served) -> None:
    rune = server.rune()
    server.site.post("getinfo", rune=rune)
    server.site.post("getinfo", rune=rune[:-4])
    assert rune[:40] not in server.log


def test_tls_older_than_1_2_is_refused(server: Served) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(server.site.ca)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection((HOST, server.site.port)) as raw, pytest.raises(ssl.SSLError):
        old.wrap_socket(raw, server_hostname=HOST)


def test_plain_http_is_only_for_a_loopback_and_only_if_asked_for(directory: Path) -> None:
    refused = run("serve", *Program(directory).flags, "--rest", "0.0.0.0:0", "--rest-http")
    assert refused.code == 2
    assert "0.0.0.0 is not a loopback address" in refused.err
    with served_over_rest(directory, "--rest-http") as server:
        connection = HTTPConnection(HOST, server.site.port, timeout=30)
        connection.request("POST", "/v1/getinfo", headers={"Rune": server.rune()})
        assert json.loads(connection.getresponse().read())["network"] == "regtest"
        connection.close()
        assert not server.site.ca.exists()


def test_an_address_that_cannot_be_used_is_named(directory: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        place = f"{HOST}:{other.getsockname()[1]}"
        refused = run("serve", *Program(directory).flags, "--rest", place)
    assert refused.code == 2
    assert f"cannot listen at {place} for REST: Address already in use" in refused.err
    assert run("serve", *Program(directory).flags, "--rest", "127.0.0.1:x").code == 2


def test_without_the_extra_the_error_says_what_to_install(directory: Path) -> None:
    hiding = directory / "hiding"
    hiding.mkdir()
    (hiding / "uvicorn.py").write_text('raise ModuleNotFoundError("hidden", name="uvicorn")\n')
    under = ("env", f"PYTHONPATH={hiding}")
    refused = run("serve", *Program(directory).flags, "--rest", "127.0.0.1:0", under=under)
    assert refused.code == 2
    assert "pip install 'clnrpc[rest]'" in refused.err


def test_uvloop_and_asyncio_serve_alike(directory: Path) -> None:
    pytest.importorskip("uvloop")
    with served_over_rest(directory, under=Program(directory).without_uvloop()) as server:
        assert server.site.post("getinfo", rune=server.rune()).status == 201
        assert "event loop is that of asyncio" in server.log
