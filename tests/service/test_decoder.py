"""Long strings are decoded in a separate process, which delays nobody and may die at any moment."""

from __future__ import annotations

import json
import os
import resource
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lnoffers.bolt12 import NodeKeys
from lnoffers.emergency import SECRET_NAME
from lnoffers.service.serving import decoder
from lnoffers.service.serving import server as server_module
from lnoffers.service.serving.decoding_process import MEMORY_BYTES
from lnoffers.service.string_kinds import decode
from tests.service import worst
from tests.service.invoicing import creation
from tests.service.program import SECONDS, SEED_SECRET, Program, Wire, children, request, until, while_served
from tests.test_emergency import as_text, seal

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at processes, as Linux can")
LONG = worst.rune(1_000)
SLOW = worst.rune(14_000)
ENDED = (
    "This string could not be decoded: the process that decodes long strings ended before it was done. "
    "Try again; if that fails too, the machine may be short of memory"
)
TOO_SLOW = "This string could not be decoded within 60 seconds. Try again when the machine is less busy"


def is_gone(process: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return True


def started(wire: Wire, server: int) -> int:
    """Return the process, which has decoded a string."""
    assert wire.ask("decode", [LONG])["result"]["type"] == "rune"
    [process] = children(server)
    return process


# ---- what it answers


def test_a_long_string_is_decoded_as_a_short_one_is(program: Program) -> None:
    with program.served("--dev-time", "1000"), Wire(program.socket) as wire:
        for text in [worst.rune(500), worst.offer_with_hops(100), worst.invoice_with_unknown_records(500)]:
            assert wire.ask("decode", [text])["result"] == decode(text, now=1000)
            assert wire.ask("check", ["decode", text])["result"] == {"command_to_check": "decode"}
            assert wire.ask("check", {"string": text, "command_to_check": "decode"})["result"]


def test_a_long_string_that_cannot_be_read_is_refused_as_a_short_one_is(program: Program) -> None:
    hidden = "invalid token (see logs for details)"
    with program.served() as server, Wire(program.socket) as wire:
        for method, params in (("decode", ["x" * 5_000]), ("check", ["decode", "x" * 5_000])):
            assert wire.ask(method, params)["error"]["message"].startswith("string: Unparsable string: invalid token")
        assert wire.ask("decode", [LONG, LONG])["error"]["message"] == "too many parameters: got 2, expected 1"
        wire.send(b'{"jsonrpc":"2.0","id":1,"method":"decode","params":["%b"],"filter":1}' % LONG.encode())
        assert hidden in json.loads(wire.answer())["error"]["message"]
        wire.send(b'{"id":1,"method":"decode","params":["%b"]}' % LONG.encode())
        assert json.loads(wire.answer())["error"]["code"] == -32600
        assert wire.is_closed()
        server.terminate()
        _, errors = server.communicate(timeout=SECONDS)
    assert "Refused decode: invalid token at string" in errors, "the process has its lines written to the log"


def test_a_filter_is_applied(program: Program) -> None:
    with program.served(), Wire(program.socket) as wire:
        message = json.loads(request("decode", [LONG])) | {"filter": {"type": True}}
        wire.send(json.dumps(message).encode())
        assert json.loads(wire.answer())["result"] == {"type": "rune"}


def test_recovery_data_is_opened_where_the_secret_is(seed_program: Program) -> None:
    data = bytes(range(256)) * 20
    keys = NodeKeys.from_seed(SEED_SECRET)
    with seed_program.served(), Wire(seed_program.socket) as wire:
        sealed = as_text(seal(data, keys.named_secret(SECRET_NAME)))
        assert wire.ask("decode", [sealed])["result"]["decrypted"] == data.hex()
        refused = wire.ask("decode", [as_text(seal(data))])["error"]
        assert refused == {"code": -32602, "message": "Can't decrypt!"}
        assert wire.ask("decode", [sealed])["result"]["valid"] is True


def test_long_calls_of_other_commands_run_where_the_store_is(seed_program: Program) -> None:
    with seed_program.served(), Wire(seed_program.socket) as wire:
        long = {"description": "x" * 5_000}
        assert "result" in wire.ask("invoicerequest", {"amount": 1, "label": "decode"} | long)
        assert "result" in wire.ask("createinvoice", creation(1) | {"label": "decode"})
        assert "result" in wire.ask("check", ["createinvoice", *(creation(2) | {"label": "decode"}).values()])
        checked = {"command_to_check": "invoicerequest", "amount": 1, "label": "decode"}
        assert "result" in wire.ask("check", checked | long)
        wire.send(b'{"jsonrpc":"2.0","id":1,"params":["decode", "%b"]}' % LONG.encode())
        assert json.loads(wire.answer())["error"]["message"] == "No method"


# ---- who waits


@needs_proc
def test_others_are_answered_meanwhile_and_the_same_client_in_order(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as slow, Wire(program.socket) as other:
        process = started(other, server.pid)
        os.kill(process, signal.SIGSTOP)
        slow.send(request("getinfo", [], 1) + request("decode", [LONG], 2) + request("getinfo", [], 3))
        assert json.loads(slow.answer())["id"] == 1
        for _ in range(10):
            assert "result" in other.ask("getinfo")
        assert slow.is_silent(0), "its string is still being decoded"
        os.kill(process, signal.SIGCONT)
        assert [json.loads(slow.answer())["id"] for _ in range(2)] == [2, 3]


@needs_proc
def test_clients_have_their_strings_decoded_one_after_the_other(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as greedy, Wire(program.socket) as other:
        process = started(other, server.pid)
        os.kill(process, signal.SIGSTOP)
        greedy.send(request("decode", [SLOW]) * 4)
        other.send(request("decode", [LONG]))
        with Wire(program.socket) as third:
            assert "result" in third.ask("getinfo")
        assert other.is_silent(0), "both have a string that is not decoded yet"
        os.kill(process, signal.SIGCONT)
        assert "result" in json.loads(other.answer())
        left = 0
        while not greedy.is_silent(0):
            left += "result" in json.loads(greedy.answer())
        assert left < 4, "the second client did not wait for all strings of the first"


# ---- its life


@needs_proc
def test_it_starts_with_the_first_long_string_and_inherits_nothing(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        short = wire.ask("decode", [worst.rune(10)])["result"]
        assert short["type"] == "rune"
        assert "result" in wire.ask("invoicerequest", [1, "x" * 5_000])
        assert children(server.pid) == []
        process = started(wire, server.pid)
        open_files = {int(path.name): path.readlink() for path in Path(f"/proc/{process}/fd").iterdir()}
        assert set(open_files) == {0, 1, 2}
        assert str(open_files[0]).startswith("socket:")
        assert str(open_files[1]) == os.devnull


@needs_proc
def test_usual_offers_and_invoices_are_no_long_strings(program: Program) -> None:
    texts = [worst.offer_with_hops(25), worst.offer_with_unknown_records(150), worst.invoice_with_unknown_records(150)]
    with program.served() as server, Wire(program.socket) as wire:
        for text in [*texts, *map(str.upper, texts), "lightning:" + texts[0], worst.rune(40)]:
            assert wire.ask("decode", [text])["result"]["type"]
        assert children(server.pid) == []


@needs_proc
@pytest.mark.parametrize("identity", [0, "lno1" + "q" * 500], ids=["alone", "beside what looks like an offer"])
def test_a_rune_is_long_sooner_because_it_takes_longer(program: Program, identity: object) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        wire.send(request("decode", [worst.rune(100)], identity))
        assert json.loads(wire.answer())["result"]["type"] == "rune"
        assert len(children(server.pid)) == 1


@needs_proc
def test_it_ends_when_it_has_had_nothing_to_do_for_a_while(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "IDLE_SECONDS", 0.2)

    def ask() -> None:
        with Wire(program.socket) as wire:
            before = children(os.getpid())
            assert "result" in wire.ask("decode", [LONG])
            until(lambda: children(os.getpid()) == before)
            assert "result" in wire.ask("decode", [LONG])

    while_served(program, ask)


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_server_even_in_the_middle_of_a_string(program: Program, number: signal.Signals) -> None:
    with program.served() as server, Wire(program.socket) as wire, Wire(program.socket) as other:
        process = started(wire, server.pid)
        os.kill(process, signal.SIGSTOP)
        wire.send(request("decode", [SLOW]))
        assert "result" in other.ask("getinfo")
        wire.socket.close()
        server.send_signal(number)
        server.wait(SECONDS)
        until(partial(is_gone, process))


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_of_a_server_lets_it_answer(program: Program, number: signal.Signals) -> None:
    """A terminal sends one on Ctrl-C, a service manager when it ends a service."""
    with program.served() as server, Wire(program.socket) as wire:
        process = started(wire, server.pid)
        os.kill(process, signal.SIGSTOP)
        wire.send(request("getinfo", [], 1) + request("decode", [LONG], 2))
        assert json.loads(wire.answer())["id"] == 1
        for each in (process, server.pid):
            os.kill(each, number)
        os.kill(process, signal.SIGCONT)
        assert json.loads(wire.answer())["result"]["type"] == "rune"
        assert server.wait(SECONDS) == 0


@needs_proc
def test_a_process_that_is_killed_is_replaced_and_its_call_gets_an_error(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        process = started(wire, server.pid)
        os.kill(process, signal.SIGSTOP)
        wire.send(request("getinfo", [], 1) + request("decode", [SLOW], 2))
        assert json.loads(wire.answer())["id"] == 1
        with Wire(program.socket) as other:
            for _ in range(3):  # rounds of the loop: once they are answered, the process has been sent the string
                other.ask("listinvoices")
        os.kill(process, signal.SIGKILL)
        assert json.loads(wire.answer())["error"] == {"code": -1, "message": ENDED}
        assert started(wire, server.pid) != process
        server.terminate()
        _, errors = server.communicate(timeout=SECONDS)
    assert errors.count("The process that decodes long strings ended") == 1


@needs_proc
def test_a_process_that_was_killed_between_two_strings_is_replaced_unnoticed(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        process = started(wire, server.pid)
        os.kill(process, signal.SIGKILL)
        until(partial(is_gone, process))
        assert started(wire, server.pid) != process


@needs_proc
def test_a_string_that_takes_too_long_is_given_up(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask() -> None:
        with Wire(program.socket) as wire:
            before = children(os.getpid())
            assert "result" in wire.ask("decode", [LONG])
            [process] = set(children(os.getpid())) - {*before}
            os.kill(process, signal.SIGSTOP)
            monkeypatch.setattr(decoder, "DECODE_SECONDS", 0.2)
            assert wire.ask("decode", [LONG])["error"]["message"] == TOO_SLOW
            monkeypatch.undo()
            assert "result" in wire.ask("decode", [LONG])

    while_served(program, ask)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits another process, as Linux can")
def test_its_memory_is_limited(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        process = started(wire, server.pid)
        assert resource.prlimit(process, resource.RLIMIT_AS) == (MEMORY_BYTES, MEMORY_BYTES)
        assert resource.prlimit(process, resource.RLIMIT_CORE) == (0, 0)
        resource.prlimit(process, resource.RLIMIT_AS, (1 << 20, MEMORY_BYTES))
        assert wire.ask("decode", [SLOW])["error"]["message"] == ENDED
        assert "result" in wire.ask("decode", [SLOW]), "which takes no more than a new one may"


@needs_proc
def test_a_client_that_leaves_is_not_worked_for(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as other:
        with Wire(program.socket) as leaving:
            process = started(leaving, server.pid)
            os.kill(process, signal.SIGSTOP)
            leaving.send(request("decode", [SLOW]))
            assert leaving.is_silent(0.2)
        assert "result" in other.ask("decode", [LONG]), "the process that was stopped is gone"
        assert is_gone(process)


@needs_proc
def test_nothing_of_it_is_left_when_the_server_stops(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        process = started(wire, server.pid)
        assert wire.ask("stop")["result"]
        assert server.wait(SECONDS) == 0
        assert is_gone(process)


@needs_proc
def test_a_string_that_is_not_decoded_in_time_is_refused_when_the_server_stops(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "GRACE_SECONDS", 2.0)

    def ask() -> None:
        with Wire(program.socket) as one, Wire(program.socket) as two, Wire(program.socket) as stopping:
            before = children(os.getpid())
            assert "result" in one.ask("decode", [LONG])
            [process] = set(children(os.getpid())) - {*before}
            os.kill(process, signal.SIGSTOP)
            for wire in (one, two):
                wire.send(request("getinfo", [], 1) + request("decode", [LONG], 2) * 2 + request("getinfo", [], 3))
                assert json.loads(wire.answer())["id"] == 1
            assert "result" in stopping.ask("stop")
            for wire in (one, two):
                for _ in range(2):
                    assert json.loads(wire.answer())["error"] == {"code": -5, "message": "The server stops"}
                assert json.loads(wire.answer())["id"] == 3
                assert wire.is_closed()

    while_served(program, ask)


def test_it_finds_what_the_server_has_loaded_and_nothing_in_the_working_directory(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lnoffers", "json", "types"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken from the working directory')")
    monkeypatch.chdir(tmp_path)

    def ask() -> Any:
        with Wire(program.socket) as wire:
            return wire.ask("decode", [LONG])

    assert "result" in while_served(program, ask)
