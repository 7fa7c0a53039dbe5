"""Too many clients or bytes: the client at fault gets an error, and the others are served."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import resource
import signal
import socket
import time
from contextlib import ExitStack, closing, suppress
from importlib.util import find_spec

import pytest

from clnrpc import Client, RpcError
from clnrpc.runtime.jsontext import MAX_DEPTH, MAX_NUMBER
from lnoffers.fetching.peer import MESSAGE_COST
from lnoffers.service.answering import answers, issuer
from lnoffers.service.commands.base import MAX_MADE
from lnoffers.service.parameters.offers import MAX_NODES
from lnoffers.service.parameters.strings import MAX_INVOICE, MAX_LABEL, MAX_STRING, MAX_UNSIGNED
from lnoffers.service.payments import inbox, payer
from lnoffers.service.peers import admission, bounded_log, link, peers, reach, scheduling
from lnoffers.service.serving.connection import CALLS_AT_ONCE, MAX_MESSAGE_BYTES, MAX_NESTED, MAX_UNREAD_BYTES
from lnoffers.service.serving.decoder import DECODE_SECONDS, LONG_BYTES, LONG_RUNE_BYTES
from lnoffers.service.serving.decoding_process import MEMORY_BYTES
from lnoffers.service.serving.descriptors import ExhaustionReporter
from lnoffers.service.serving.listening import BACKLOG
from lnoffers.service.serving.logs import QUEUED_LINES
from lnoffers.service.serving.server import GRACE_SECONDS, MAX_CONNECTIONS, MAX_REFUSED, REQUEST_SECONDS
from lnoffers.service.serving.waits import MAX_WAITS
from lnoffers.service.store import BUSY_SECONDS
from lnoffers.service.store.files import LOG_BYTES
from tests.service.invoicing import NOW, creation
from tests.service.program import Program, Wire, request, run, while_served
from tests.shared import ROOT

needs_prlimit = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits another process, as Linux can")
WITHOUT_PATHS = {"invoice_paths": None, "invoice_blindedpay": None}
TOO_MANY = {"code": -1, "message": "Too many connections: 2 are open"}


def filled(stack: ExitStack, program: Program, count: int) -> list[Wire]:
    """Return that many connections, all of which the server has accepted."""
    wires = [stack.enter_context(Wire(program.socket)) for _ in range(count)]
    for wire in wires:
        assert "result" in wire.ask("help", ["stop"])
    return wires


def test_who_asks_on_one_connection_too_many_is_answered_why(program: Program) -> None:
    def ask() -> None:
        with ExitStack() as stack:
            first, _ = filled(stack, program, 2)
            for _ in range(3 * MAX_REFUSED):
                with Wire(program.socket) as late:
                    time.sleep(0.01)  # the server has seen it before it asks
                    assert late.ask("getinfo") == {"jsonrpc": "2.0", "id": 0, "error": TOO_MANY}
                    assert late.is_closed()
            with Client(program.socket) as client, pytest.raises(RpcError, match="Too many connections"):
                client.getinfo()
            assert "result" in first.ask("getinfo")
        assert program.call("getinfo").code == 0

    while_served(program, ask, max_connections=2)


def test_who_asks_nothing_on_one_too_many_is_told_after_a_moment(program: Program) -> None:
    def ask() -> None:
        with ExitStack() as stack:
            filled(stack, program, 2)
            late = [stack.enter_context(Wire(program.socket)) for _ in range(2 * MAX_REFUSED)]
            late[0].send(b'{"jsonrpc":')
            late[1].socket.shutdown(socket.SHUT_WR)
            for wire in late:
                assert json.loads(wire.answer()) == {"jsonrpc": "2.0", "id": None, "error": TOO_MANY}
                assert wire.is_closed()

    while_served(program, ask, max_connections=2)


def test_the_program_serves_as_many_as_it_says(program: Program) -> None:
    assert BACKLOG >= MAX_CONNECTIONS
    with program.served(), ExitStack() as stack:
        filled(stack, program, MAX_CONNECTIONS)
        with Wire(program.socket) as late:
            assert late.ask("getinfo")["error"]["message"] == f"Too many connections: {MAX_CONNECTIONS} are open"


def test_as_many_can_connect_at_the_same_moment_as_are_served(program: Program) -> None:
    with program.served() as server, ExitStack() as stack:
        server.send_signal(signal.SIGSTOP)  # so that it accepts nobody meanwhile
        stack.callback(server.send_signal, signal.SIGCONT)
        for _ in range(MAX_CONNECTIONS):
            waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
            waiting.setblocking(False)
            assert waiting.connect_ex(os.fspath(program.socket)) == 0


@needs_prlimit
def test_the_limit_of_open_files_is_raised_as_far_as_it_goes_and_decides(program: Program) -> None:
    with program.served(under=("sh", "-c", 'ulimit -Sn 40; exec "$@"', "sh")) as server:
        soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        assert soft == min(1024, hard)
    with program.served(under=("sh", "-c", 'ulimit -n 48; exec "$@"', "sh")), ExitStack() as stack:
        filled(stack, program, 16)
        with Wire(program.socket) as late:
            assert late.ask("getinfo")["error"]["message"] == "Too many connections: 16 are open"


@needs_prlimit
def test_a_server_without_room_for_connections_says_so(program: Program) -> None:
    refused = run("serve", *program.flags, under=("sh", "-c", 'ulimit -n 30; exec "$@"', "sh"))
    assert refused.code == 2
    assert refused.err.endswith("only 30 files may be open (ulimit -n): a server needs more than 32\n")
    assert "Traceback" not in refused.err


@needs_prlimit
def test_a_server_that_can_open_no_more_files_goes_on_and_says_so_once(program: Program) -> None:
    with program.served() as server, ExitStack() as stack:
        [wire] = filled(stack, program, 1)
        assert "result" in wire.ask("getinfo")
        _, hard = limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (3, hard))
        waiting = [stack.enter_context(Wire(program.socket)) for _ in range(5)]
        for late in waiting:
            late.send(request("getinfo"))
        time.sleep(0.1)
        assert "result" in wire.ask("getinfo")
        assert all(late.is_silent(0) for late in waiting)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
        assert all("result" in json.loads(late.answer()) for late in waiting)
        server.terminate()
        _, errors = server.communicate()
    says_so = find_spec("uvloop") is None  # which tries again without a word
    assert errors.count("New connections have to wait: Too many open files") == says_so
    assert errors.count("\n") <= 2  # and the new secret


def test_other_errors_of_the_event_loop_are_logged_as_what_they_are(caplog: pytest.LogCaptureFixture) -> None:
    errors = [OSError(errno.EMFILE, "no more"), OSError(errno.EPIPE, "gone"), RuntimeError("a bug"), None]
    with closing(asyncio.new_event_loop()) as loop:
        loop.set_exception_handler(ExhaustionReporter())
        for error in errors:
            loop.call_exception_handler({"message": "This went wrong", "exception": error})
    logged = [(record.levelname, record.message) for record in caplog.records]
    assert logged == [("WARNING", "New connections have to wait: no more")] + [("ERROR", "This went wrong")] * 3


def refused(text: bytes, program: Program, *, request_seconds: float = 60.0) -> str:
    """Return the server's error for what is sent, before it closes the connection; another client is served."""

    def ask() -> str:
        with Wire(program.socket) as other, Wire(program.socket) as wire:
            with suppress(BrokenPipeError):  # it reads no further than it must
                wire.send(text)
            error: dict[str, str | int] = json.loads(wire.answer())["error"]
            assert wire.is_closed()
            assert "result" in other.ask("getinfo")
        assert error["code"] == -32600
        return str(error["message"])

    return while_served(program, ask, request_seconds=request_seconds)


HEAD = b'{"jsonrpc":"2.0","id":1,"method":"decode","params":['


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEAD + b'"' + b"x" * (4 << 20), f"longer than {MAX_MESSAGE_BYTES} bytes"),
        (HEAD + b" " * (4 << 20), f"longer than {MAX_MESSAGE_BYTES} bytes"),
        (HEAD + b"[" * 1000, "nested deeper than 200 levels"),
        (HEAD + (b"[" * 100 + b"]" * 100 + b",") * 1000, f"more than {MAX_NESTED} arrays and objects"),
        (HEAD + b"1" * 2000, "longer than 1000 characters"),
    ],
)
def test_a_message_beyond_a_limit_is_refused_with_the_limit(program: Program, text: bytes, why: str) -> None:
    message = refused(text, program)
    assert message.startswith("Request refused: ")
    assert message.endswith(why)


def test_a_request_that_does_not_end_is_given_up_after_a_while(program: Program) -> None:
    message = refused(HEAD, program, request_seconds=0.2)
    assert message == "Request refused: the message was not complete within 0.2 seconds"


def test_idle_clients_and_slow_but_steady_ones_are_kept(program: Program) -> None:
    def ask() -> None:
        with Wire(program.socket) as idle, Wire(program.socket) as slow:
            for _ in range(3):
                whole = request("getinfo")
                slow.send(whole[:10])
                time.sleep(1.5)
                slow.send(whole[10:])
                assert "result" in json.loads(slow.answer())
            assert "result" in idle.ask("getinfo")

    while_served(program, ask, request_seconds=4)


def test_a_string_too_long_to_be_one_is_refused_unread(program: Program) -> None:
    with program.served(), Wire(program.socket) as wire:
        found = wire.ask("decode", ["lno1" + "q" * MAX_STRING])
        message = f"string: should have {MAX_STRING} characters at most: invalid token (see logs for details)"
        assert found["error"] == {"code": -32602, "message": message}
        assert wire.ask("decode", ["x" * MAX_STRING])["error"]["message"].startswith("string: Unparsable string")


def test_an_invoice_to_sign_or_to_look_for_has_a_bounded_length(seed_program: Program) -> None:
    """They are read where all calls run, so others wait meanwhile. What is made can be looked for."""
    with seed_program.served("--dev-time", str(NOW)), Wire(seed_program.socket) as wire:
        for method, most in {"createinvoice": MAX_UNSIGNED, "listinvoices": MAX_INVOICE}.items():
            longer = {"invstring": "lni1" + "q" * (most - 3)}
            given = creation(1) | longer if method == "createinvoice" else longer
            for asked, params in ((method, given), ("check", given | {"command_to_check": method})):
                refused = wire.ask(asked, params)["error"]
                assert refused["code"] == -32602
                assert refused["message"].startswith(f"invstring: should have {most} characters at most: ")
        short = len(creation(1, invreq_payer_note="x" * 1000, **WITHOUT_PATHS)["invstring"])
        note = "x" * (1000 + (MAX_UNSIGNED - short) * 5 // 8)
        longest = creation(1, invreq_payer_note=note, **WITHOUT_PATHS)
        assert MAX_UNSIGNED - 1 <= len(longest["invstring"]) <= MAX_UNSIGNED
        made = wire.ask("createinvoice", longest)["result"]
        assert MAX_UNSIGNED < len(made["bolt12"]) <= MAX_INVOICE
        assert wire.ask("listinvoices", {"invstring": made["bolt12"]})["result"]["invoices"] == [made]


def test_no_string_is_made_that_is_longer_than_any_message(seed_program: Program) -> None:
    too_long = "bolt12: would have {} bytes, and no message has more than 65535"
    with seed_program.served("--dev-entropy", "01" * 16, "--dev-time", "0"), Wire(seed_program.socket) as wire:
        for method in ("invoicerequest", "offer"):
            text = "x" * (MAX_MADE - 50)
            refused = wire.ask(method, [1, text])["error"]
            size = int(refused["message"].split()[3])
            assert refused == {"code": -32602, "message": too_long.format(size)}
            fitting = text[size - MAX_MADE :]
            assert wire.ask(method, [1, fitting + "x"])["error"]["message"] == too_long.format(MAX_MADE + 1)
            made = wire.ask(method, [1, fitting])["result"]["bolt12"]
            assert wire.ask("decode", [made])["result"]["valid"] is True


def test_the_paths_of_an_offer_have_a_bounded_number_of_nodes(seed_program: Program) -> None:
    message = f"{{}}: should have {MAX_NODES} nodes at most: invalid token (see logs for details)"
    with seed_program.served(), Wire(seed_program.socket) as wire:
        us = wire.ask("getinfo")["result"]["id"]
        for name, most in {"fronting_nodes": [us] * MAX_NODES, "dev_paths": [[us] * MAX_NODES]}.items():
            assert "result" in wire.ask("offer", {"amount": "any", name: most})
            more = [*most, us] if name == "fronting_nodes" else [*most, [us]]
            refused = wire.ask("offer", {"amount": "any", name: more})["error"]
            assert refused == {"code": -32602, "message": message.format(name)}


def test_a_label_has_a_bounded_length(seed_program: Program) -> None:
    message = f"label: should have {MAX_LABEL} bytes at most: invalid token (see logs for details)"
    with seed_program.served(), Wire(seed_program.socket) as wire:
        calls = {"invoicerequest": {"amount": 1, "description": "x"}, "offer": {"amount": "any"}}
        for method, params in (calls | {"createinvoice": creation(1)}).items():
            refused = wire.ask(method, params | {"label": "x" * (MAX_LABEL + 1)})["error"]
            assert refused == {"code": -32602, "message": message}
            assert wire.ask(method, params | {"label": "x" * MAX_LABEL})["result"]["label"] == "x" * MAX_LABEL


def told_limits() -> dict[str, str]:
    """Return the guide's limits: what is limited, and how."""
    guide = (ROOT / "docs" / "how-to" / "run-the-service.md").read_text()
    return {row.split(" | ")[0].removeprefix("| "): row.split(" | ")[1] for row in guide.splitlines() if " | " in row}


def test_the_guide_tells_the_limits_that_there_are() -> None:
    told = told_limits()
    assert told["connections"].startswith(f"{MAX_CONNECTIONS}, ")
    assert told["a message"] == (
        f"{MAX_MESSAGE_BYTES:,} bytes, {MAX_DEPTH} levels, {MAX_NESTED:,} arrays and objects, "
        f"{MAX_NUMBER:,} characters per number"
    )
    assert told["a message's arrival"].startswith(f"{REQUEST_SECONDS:g} seconds")
    assert told["a string for `decode`"] == f"{MAX_STRING:,} characters"
    assert told["an invoice for `createinvoice`"] == f"{MAX_UNSIGNED:,} characters"
    assert told["an invoice to look for with `listinvoices`"] == f"{MAX_INVOICE:,} characters"
    assert told["a new offer or request"] == (
        f"{MAX_MADE:,} bytes without its signature, and {MAX_NODES} nodes in an offer's paths"
    )
    assert told["a label"] == f"{MAX_LABEL:,} bytes as written"
    assert told["responses that a client does not read"] == f"{MAX_UNREAD_BYTES:,} bytes"
    assert told["concurrent calls of one connection"] == str(CALLS_AT_ONCE)
    assert told["waiting calls of one connection"] == f"{MAX_WAITS}, and {MAX_MESSAGE_BYTES:,} bytes"
    assert told["a call that writes while another process writes"] == f"{BUSY_SECONDS:g} seconds"
    assert told[
        f"a long string for `decode` (a message over {LONG_BYTES:,} bytes, or {LONG_RUNE_BYTES} with a rune)"
    ] == (f"{DECODE_SECONDS:g} seconds and {MEMORY_BYTES >> 20} MiB, in a separate process")
    assert told["the store's write-ahead log"] == f"{LOG_BYTES >> 20} MiB"
    assert told["lines of the log that nobody reads"] == f"{QUEUED_LINES:,}"
    stopped = told["long strings pending when the server stops"]
    assert stopped == f"{GRACE_SECONDS:g} seconds in total"
    assert told["last responses when the server stops"].startswith(f"{GRACE_SECONDS:g} seconds")


def test_the_guide_tells_the_limits_of_peers() -> None:
    told = told_limits()
    assert told["incoming connections"] == f"{peers.MAX_PEERS}, and {peers.MAX_OF_ADDRESS} from one address"
    assert told["handshakes at once"] == (
        f"{admission.MAX_HANDSHAKES}, and {admission.MAX_OF_ADDRESS} with one address; "
        f"{peers.HANDSHAKE_SECONDS:g} seconds each"
    )
    assert told["handshakes that begin"] == (
        f"{admission.HANDSHAKES_A_SECOND} per second, {admission.HANDSHAKE_BURST} at once; with one address "
        f"{admission.OF_ADDRESS_A_SECOND} per second, {admission.ADDRESS_BURST} at once"
    )
    accepted = f"{reach.ACCEPTED_A_SECOND} per second, {reach.ACCEPT_BURST} at once; {reach.QUEUED} wait"
    assert told["connections that are accepted"] == accepted
    counted = f"bytes from one peer, and of pongs that it asks for; each message counts {MESSAGE_COST:,} more"
    assert told[counted] == f"{link.READ_BYTES:,} per second, {link.READ_BURST:,} at once"
    assert told["onion messages from one peer"] == f"{link.ONIONS_A_SECOND} per second, {link.ONION_BURST} at once"
    assert told["onion messages to one peer"] == (
        f"{link.SENT_A_SECOND} per second, this node's own first; {link.MAX_QUEUED_BYTES:,} bytes wait; "
        f"none is forwarded while {link.FORWARDS_WAIT} wait"
    )
    assert told["requests from all peers"] == (
        f"{answers.ANSWERS_A_SECOND} per second, {answers.ANSWER_BURST} at once, {answers.MAX_ANSWERS} being answered"
    )
    assert told["requests that wait"] == (
        f"{scheduling.WAIT_OF_ADDRESS} from one address, and those from {scheduling.MAX_ADDRESSES} addresses, "
        "which take turns"
    )
    assert told["invoices for the server's requests, from all peers"] == (
        f"{inbox.INVOICES_A_SECOND} per second, {inbox.INVOICE_BURST} at once, {inbox.MAX_CHECKED} being checked"
    )
    assert told["invoices for one request that wait or are being paid"] == str(payer.MAX_OPEN)
    assert told["a request"] == f"{issuer.MAX_OWN_BYTES:,} bytes beside its offer"
    assert told["unpaid invoices for requests"] == f"{issuer.MAX_UNPAID:,}, expired ones included"
    assert told["a silent peer"] == f"{link.SILENT_SECONDS:g} seconds, then {link.PONG_SECONDS:g} for its pong"
    lines = f"{bounded_log.LINES_A_SECOND} per second, {bounded_log.LINE_BURST} at once"
    assert told["lines of the log about incoming connections, all at *debug*"] == lines
