"""Every answered call survives a crash, and a call that could not be stored is never answered as successful."""

from __future__ import annotations

import json
import resource
import subprocess
from pathlib import Path

import pytest

from lnoffers.bolt12 import InvoiceRequest
from tests.service.program import COMMAND, SECONDS, Program, Wire, request
from tests.service.tracing import needs_strace, order_of, tracer

needs_prlimit = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits another process, as Linux can")


def listed(program: Program) -> list[str]:
    return [item["invreq_id"] for item in program.call("listinvoicerequests").json["invoicerequests"]]


def make(wire: Wire, number: int) -> str:
    answer = wire.ask("invoicerequest", {"amount": 1000 + number, "description": f"number {number}"})
    identity: str = answer["result"]["invreq_id"]
    return identity


def test_everything_answered_survives_a_kill_between_any_two_calls(program: Program) -> None:
    answered: list[str] = []
    for number in range(4):
        with program.served() as server, Wire(program.socket) as wire:
            answered.append(make(wire, number))
            server.kill()
            server.wait(SECONDS)
        assert listed(program) == sorted(answered)


def test_a_kill_in_the_middle_of_many_calls_loses_no_answered_one(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        wire.send(b"".join(request("invoicerequest", [1000, f"number {n}"], n) for n in range(400)))
        answered = {json.loads(wire.answer())["result"]["invreq_id"] for _ in range(50)}
        server.kill()
        server.wait(SECONDS)
        while answer := wire.answer():
            if answer.endswith(b"\n\n"):
                answered.add(json.loads(answer)["result"]["invreq_id"])
    assert answered <= set(listed(program))


def test_calls_in_process_are_durable_and_use_the_same_store(program: Program) -> None:
    made = program.call("invoicerequest", "1sat", "alone").json["invreq_id"]
    with program.served():
        assert listed(program) == [made]


def test_processes_that_call_at_once_on_a_new_directory_agree_on_its_node_and_lose_nothing(program: Program) -> None:
    command = [*COMMAND, "call", *program.flags, "invoicerequest", "1sat"]
    running = [
        subprocess.Popen([*command, f"number {number}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for number in range(4)
    ]
    made = [json.loads(process.communicate(timeout=SECONDS)[0]) for process in running]
    assert listed(program) == sorted(answer["invreq_id"] for answer in made)
    assert len({InvoiceRequest.parse(answer["bolt12"]).invreq_payer_id for answer in made}) == 1


@needs_strace
def test_the_log_is_on_disk_before_an_answer_is_written(program: Program, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with program.served(under=tracer(trace)) as server, Wire(program.socket) as wire:
        made = [make(wire, number) for number in range(3)]
        wire.send(b"".join(request("invoicerequest", [1000, f"together {n}"], n) for n in range(20)))
        made += [json.loads(wire.answer())["result"]["invreq_id"] for _ in range(20)]
        wire.ask("stop")
        server.wait(SECONDS)
    order = order_of(trace, made)
    assert order.durable == tuple(made)
    assert order.too_early == ()
    # Those that came alone had a commit of their own each; those that came together shared theirs.
    assert 4 <= order.syncs < 3 + 20


@needs_prlimit
def test_a_full_disk_is_an_error_and_the_server_recovers_from_it(program: Program) -> None:
    """The disk is as good as full when no file may grow."""
    with program.served() as server, Wire(program.socket) as wire:
        kept = [make(wire, 0)]
        unlimited = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, unlimited[1]))
        for number in range(1, 4):
            error = wire.ask("invoicerequest", [1000, f"number {number}"])["error"]
            assert error["code"] == -1
            assert error["message"].startswith("The store failed: ")
        wire.send(request("invoicerequest", [1000, "together"], 1) + request("getinfo", [], 2))
        assert [("error" in json.loads(wire.answer())) for _ in range(2)] == [True, False]
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, unlimited)
        kept.append(make(wire, 4))
        assert listed(program) == sorted(kept)
        server.terminate()
        _, errors = server.communicate(timeout=SECONDS)
    assert errors.count("WARNING The store failed: ") == 1, "the log tells of it, and not with each call"
    assert listed(program) == sorted(kept)
