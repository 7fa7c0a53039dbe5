"""The store fails while a server runs: no call that is not stored is answered as successful."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lnoffers.service.serving import turns
from tests.service.entropies import HeldEntropy
from tests.service.program import SECONDS, Program, Wire, request, while_served

STORE = "lnoffers.sqlite3"


def make(wire: Wire, number: int) -> dict[str, object]:
    """Return the whole answer to an invoicerequest."""
    answer: dict[str, object] = wire.ask("invoicerequest", [1000 + number, f"number {number}"])
    return answer


def listed(wire: Wire) -> list[str]:
    return [item["invreq_id"] for item in wire.ask("listinvoicerequests")["result"]["invoicerequests"]]


def refused(answer: dict[str, object]) -> str:
    error = answer["error"]
    assert isinstance(error, dict)
    assert error["code"] == -1
    return str(error["message"])


@pytest.mark.parametrize("name", [STORE, f"{STORE}-wal", f"{STORE}-shm"])
def test_nothing_is_stored_in_a_file_that_was_deleted(program: Program, name: str) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        made = make(wire, 0)["result"]["invreq_id"]  # type: ignore[index]
        (program.network_dir / name).unlink()
        for number in range(1, 6):
            assert refused(make(wire, number)).startswith(f"The store failed: {name} was deleted while it was in use")
        assert listed(wire) == [made], "what can be read still is"
        server.terminate()
        _, errors = server.communicate(timeout=SECONDS)
    assert errors.count(f"WARNING The store failed: {name} was deleted") == 1


def test_nothing_is_stored_when_a_copy_has_taken_the_place_of_the_store(program: Program) -> None:
    store = program.network_dir / STORE
    with program.served(), Wire(program.socket) as wire:
        copy = shutil.copy(store, program.directory / "copy")
        make(wire, 0)
        Path(copy).replace(store)
        for number in range(1, 6):
            assert f"{STORE} was replaced" in refused(make(wire, number))


def test_a_store_that_is_put_back_is_used_again(program: Program) -> None:
    store, elsewhere = program.network_dir / STORE, program.directory / "elsewhere"
    with program.served(), Wire(program.socket) as wire:
        store.rename(elsewhere)
        assert "deleted" in refused(make(wire, 0))
        elsewhere.rename(store)
        made = make(wire, 1)["result"]["invreq_id"]  # type: ignore[index]
    with program.served(), Wire(program.socket) as wire:
        assert listed(wire) == [made]


def test_a_store_that_vanishes_before_the_commit_is_noticed_before_the_answers(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "TURN_SECONDS", SECONDS)
    entropy = HeldEntropy()

    def ask() -> None:
        with Wire(program.socket) as wire:
            wire.send(b"".join(request("invoicerequest", [1000, f"number {n}"], n) for n in range(2)))
            assert entropy.has_begun()
            entropy.allowed.release()
            assert entropy.has_begun(), "the second call, in the transaction that the first has begun"
            (program.network_dir / STORE).unlink()
            entropy.allowed.release()
            assert all("was deleted" in refused(json.loads(wire.answer())) for _ in range(2))

    while_served(program, ask, entropy=entropy)


FSYNC = "fsync,fdatasync"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_after_a_failed_sync_the_server_says_what_is_unknown_and_ends(program: Program, tmp_path: Path) -> None:
    """The second commit's sync fails. (Which syncs come before, the first run shows.)"""
    syncs = tmp_path / "syncs"
    under = ("strace", "-f", "-qq", "-o", str(syncs), "-e", f"trace={FSYNC}")
    with program.served(under=under) as server, Wire(program.socket) as wire:
        before = len(syncs.read_text().splitlines())
        kept = [make(wire, 0)["result"]["invreq_id"]]  # type: ignore[index]
        each = len(syncs.read_text().splitlines()) - before
        wire.ask("stop")
        server.wait(SECONDS)
    with program.served(under=under) as server, Wire(program.socket) as wire:
        start = len(syncs.read_text().splitlines())
        wire.ask("stop")
        server.wait(SECONDS)
    fault = f"inject={FSYNC}:error=EIO:when={start + each + 1}+"
    with program.served(under=(*under, "-e", fault)) as server, Wire(program.socket) as wire:
        kept.append(make(wire, 1)["result"]["invreq_id"])  # type: ignore[index]
        wire.send(b"".join(request("invoicerequest", [1000, f"number {n}"], n) for n in range(2, 40)))
        answers = [json.loads(wire.answer()) for _ in range(38)]
        assert server.wait(SECONDS) == 2
        _, errors = server.communicate(timeout=SECONDS)
    said = [refused(answer) for answer in answers]
    assert "it is unknown whether this call is stored" in said[0]
    assert "nothing more is stored" in said[-1]
    assert errors.splitlines()[-1].startswith("lnoffers: the disk did not confirm")
    with program.served(), Wire(program.socket) as wire:
        assert set(kept) <= set(listed(wire))
