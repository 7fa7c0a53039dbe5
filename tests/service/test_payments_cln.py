"""The backend `cln` with a node that answers as a test wants: what each error means, and which nodes are refused."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from clnrpc import AsyncClient, RpcError
from lnoffers.bolt12 import KeyPair
from lnoffers.service.payments.backend import BackendError, Failed, FailureCode, Outcome, Paid, Uncertain
from lnoffers.service.payments.cln.backend import make
from lnoffers.service.payments.cln.outcomes import ALREADY_PAID, ENDED, UNCERTAIN
from lnoffers.service.payments.cln.sending import NOT_TRYING
from lnoffers.service.payments.cln.witness import NodeWitness
from tests.interop.paying import backend, end_at, invoice_for
from tests.service.answering_node import INFO, Answer, answering

PREIMAGE = b"\7" * 32
HASH = sha256(PREIMAGE).hexdigest()
PAID_AT = KeyPair(b"\4" * 32).public_key.hex()
INVOICE = invoice_for(bytes.fromhex(HASH), 1_000, end_at(PAID_AT, b"\1" * 32))
FAILED = {"payment_hash": HASH, "status": "failed", "created_at": 1, "created_index": 1, "amount_sent_msat": 0}
PENDING = FAILED | {"status": "pending", "amount_sent_msat": 1_001}
COMPLETE = PENDING | {"status": "complete", "preimage": PREIMAGE.hex()}
PAID = Paid(PREIMAGE, 1_001)


def pays(*looks: dict[str, Any] | None) -> Answer:
    """Return answers to `listpays`: one row or none at each look; the last one is repeated."""
    rows: Iterator[dict[str, Any] | None] = chain(looks, repeat(looks[-1]))
    return lambda _: {"pays": [row for row in [next(rows)] if row is not None]}


def outcome_of(
    path: Path, answers: dict[str, Answer], method: str = "pay", patience: float = 60.0, **given: Any
) -> Outcome:
    """Return the outcome of paying or finding at a node with these answers. Raises TimeoutError."""
    known: dict[str, Answer] = {"listsendpays": {"payments": []}}

    async def run() -> Outcome:
        async with backend(path / "rpc", path / "own", **given) as (used, _), asyncio.timeout(patience):
            outcome: Outcome = await getattr(used, method)(INVOICE)
            return outcome

    with answering(path / "rpc", known | answers):
        return asyncio.run(run())


@pytest.mark.parametrize("code", ENDED)
def test_an_error_that_ends_the_call_is_a_failure_if_nothing_was_sent(code: int, tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"xpay": RpcError(code, "no"), "listpays": pays(None)}
    assert outcome_of(tmp_path, answers) == ENDED[code]


def test_a_failure_has_the_code_of_the_node_unless_that_is_about_the_call() -> None:
    codes = {code: int(failed.code) for code, failed in ENDED.items()}
    assert codes == {code: code if code > 0 else 209 for code in codes}
    assert {*codes.values()} == {*FailureCode}


def test_listpays_alone_says_nothing_of_the_code(tmp_path: Path) -> None:
    assert outcome_of(tmp_path, {"listpays": pays(FAILED)}, "find", at_most=1.0) == Failed(
        NOT_TRYING, FailureCode.OTHER
    )


@pytest.mark.parametrize("code", [*UNCERTAIN, 201, 204, 211, 302, 999])
def test_every_other_error_is_uncertain(code: int, tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"xpay": RpcError(code, "why"), "listpays": pays(None)}
    assert outcome_of(tmp_path, answers) == Uncertain(f"xpay: {code}: why")


def test_no_code_has_two_meanings() -> None:
    assert not ENDED.keys() & UNCERTAIN.keys()
    assert ALREADY_PAID not in ENDED.keys() | UNCERTAIN.keys()


@pytest.mark.parametrize("code", [203, 209])
def test_a_part_that_was_sent_before_the_error_may_pay(code: int, tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"xpay": RpcError(code, "no"), "listpays": pays(PENDING, PENDING, COMPLETE)}
    assert outcome_of(tmp_path, answers) == PAID


def test_a_part_that_is_sent_after_the_error_may_pay(tmp_path: Path) -> None:
    """Its route was reserved, and another part has failed meanwhile."""
    answers: dict[str, Answer] = {"xpay": RpcError(209, "no"), "listpays": pays(None, FAILED, COMPLETE)}
    assert outcome_of(tmp_path, answers) == PAID


def test_a_failure_waits_for_all_parts(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"xpay": RpcError(209, "no"), "listpays": pays(FAILED, PENDING)}
    with pytest.raises(TimeoutError):
        outcome_of(tmp_path, answers, patience=4.0)


OUT = {"payment_hash": HASH, "direction": "out", "state": "SENT_ADD_HTLC", "created_index": 1}
SENT = {"payment_hash": HASH, "status": "pending", "created_at": int(time.time()), "groupid": 1, "partid": 1}


def stuck(*, htlcs: Any = (), ever: Any = (), **part: Any) -> dict[str, Answer]:
    """Return the answers of a node that lists a part as pending, with these HTLCs now and ever."""
    return {
        "listpays": pays(PENDING),
        "listsendpays": {"payments": [SENT | part]},
        "waitsendpay": RpcError(200, "Timed out"),
        "listpeerchannels": {"channels": [{"htlcs": []}, {"htlcs": [*htlcs]}]},
        "listhtlcs": lambda params: {"htlcs": [each for each in ever if each["created_index"] >= params["start"]]},
    }


def test_a_part_whose_htlc_the_node_has_lost_is_a_failure(tmp_path: Path) -> None:
    others = [OUT | {"direction": "in"}, OUT | {"payment_hash": "00" * 32}]
    assert isinstance(outcome_of(tmp_path, stuck(htlcs=others, ever=others), "find", at_most=1.0), Failed)


@pytest.mark.parametrize(
    "answers",
    [
        stuck(htlcs=[OUT]),
        stuck(ever=[OUT | {"state": "RCVD_REMOVE_ACK_REVOCATION"}]),
        stuck(created_at=int(time.time()) - 7 * 3600),
        stuck(status="failed"),  # its call is still running
    ],
    ids=["in a channel", "stored once", "long ago", "between two parts"],
)
def test_any_other_pending_part_is_uncertain(answers: dict[str, Answer], tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        outcome_of(tmp_path, answers, "find", patience=4.0, at_most=1.0)


def test_a_part_without_htlc_is_not_lost_before_the_node_had_to_store_it(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        outcome_of(tmp_path, {"xpay": RpcError(209, "no")} | stuck(), patience=4.0, at_most=3600.0)


def test_a_payment_to_the_node_itself_needs_no_htlc(tmp_path: Path) -> None:
    here = {"getinfo": INFO | {"id": PAID_AT}}
    with pytest.raises(TimeoutError):
        outcome_of(tmp_path, here | stuck(), "find", patience=4.0, at_most=1.0)


def test_what_is_paid_already_is_paid(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"xpay": RpcError(ALREADY_PAID, "paid"), "listpays": pays(COMPLETE)}
    assert outcome_of(tmp_path, answers) == PAID


def test_a_lost_answer_is_uncertain(tmp_path: Path) -> None:
    assert isinstance(outcome_of(tmp_path, {"xpay": None}), Uncertain)


def test_a_wrong_preimage_is_no_payment(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"listpays": pays(COMPLETE | {"preimage": "00" * 32})}
    with pytest.raises(BackendError, match="preimage"):
        outcome_of(tmp_path, answers, "find")


@pytest.mark.parametrize("row", [None, FAILED])
def test_without_an_answer_a_failure_is_believed_only_when_no_call_can_run(row: Any, tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        outcome_of(tmp_path, {"listpays": pays(row)}, "find", patience=4.0, at_most=3600.0)
    assert isinstance(outcome_of(tmp_path, {"listpays": pays(row)}, "find", at_most=1.0), Failed)


def test_the_time_counts_from_the_first_answer_and_again_after_a_silence(tmp_path: Path) -> None:
    """Each look that is not answered begins it anew."""
    looks = iter(range(100))

    def silent_at_times(_: Any) -> dict[str, Any]:
        if next(looks) % 5 == 4:
            raise RpcError(-5, "shutting down")
        return {"pays": []}

    async def run() -> list[Outcome]:
        async with backend(tmp_path / "rpc", tmp_path / "own", at_most=1.2) as (used, _):
            return [await used.find(INVOICE) for _ in range(4)]

    with answering(tmp_path / "rpc", {"listpays": silent_at_times}):
        assert all(isinstance(outcome, Uncertain) for outcome in asyncio.run(run()))


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"getinfo": INFO | {"network": "bitcoin"}}, "is on bitcoin, and this service on regtest"),
        ({"getinfo": INFO | {"warning_bitcoind_sync": "Not yet."}}, "is not ready, start again when it is: Not yet."),
        ({"getinfo": INFO | {"warning_lightningd_sync": "Wait."}}, "is not ready, start again when it is: Wait."),
        ({"help": RpcError(-32602, "Unknown command")}, "must be Core Lightning v24.11 or later"),
        ({"getinfo": None}, "cannot be used: getinfo: the node closed the connection"),
        ({"getinfo": RpcError(-1, "no")}, "cannot be used: getinfo: -1: no"),
        ({"getinfo": {}}, "cannot be used: getinfo: the node did not send"),
    ],
)
def test_refuses_a_node_that_cannot_pay(answers: dict[str, Answer], why: str, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=why):
        outcome_of(tmp_path, answers)


def test_refuses_a_node_with_the_same_key(tmp_path: Path) -> None:
    async def own_id() -> str:
        async with backend(tmp_path / "rpc", tmp_path / "own") as (_, desk):
            return desk.node.keys.node_id.hex()

    with answering(tmp_path / "rpc", {}):
        identity = asyncio.run(own_id())
    with pytest.raises(BackendError, match="has the same node id as this service"):
        outcome_of(tmp_path, {"getinfo": INFO | {"id": identity}})


def refusal(path: Path, own: Path) -> str:
    async def run() -> None:
        async with backend(path, own):
            pass

    with pytest.raises(BackendError) as caught:
        asyncio.run(run())
    return str(caught.value)


def test_says_why_the_socket_cannot_be_used(tmp_path: Path) -> None:
    assert "there is no such socket" in refusal(tmp_path / "missing", tmp_path / "own")
    (tmp_path / "file").touch()
    assert "this is not a socket" in refusal(tmp_path / "file", tmp_path / "own")
    assert "this is not a socket" in refusal(tmp_path, tmp_path / "own")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "stale"))
    assert "Connection refused" in refusal(tmp_path / "stale", tmp_path / "own")


def test_needs_the_name_of_a_socket() -> None:
    with pytest.raises(BackendError, match="needs the node's socket"):
        make("", None)  # type: ignore[arg-type] # it is not looked at


def test_the_witness_counts_up_only_and_survives_others(tmp_path: Path) -> None:
    async def run() -> list[int | None]:
        async with backend(tmp_path / "rpc", tmp_path / "own") as (used, _):
            witness = used.witness()
            counts = [await witness.read()]
            await asyncio.gather(witness.write(2), witness.write(3))
            await witness.write(1)
            counts.append(await witness.read())
            await asyncio.gather(*(witness.write(count) for count in range(19, 3, -1)))
            return [*counts, await witness.read()]

    with answering(tmp_path / "rpc", {}):
        assert asyncio.run(run()) == [None, 3, 19]


@pytest.mark.parametrize("answer", [RpcError(-1, "disk full"), None])
def test_a_witness_that_is_not_stored_is_an_error(answer: Answer, tmp_path: Path) -> None:
    async def run() -> None:
        async with AsyncClient(tmp_path / "rpc") as client:
            with pytest.raises(BackendError, match="/payments in its datastore"):
                await NodeWitness(client, b"\2" * 33).write(1)

    with answering(tmp_path / "rpc", {"getinfo": INFO | {"version": "v26.09"}, "datastore": answer}):
        asyncio.run(run())


def test_a_call_of_an_earlier_process_may_go_on_for_as_long_as_that_had_set(tmp_path: Path) -> None:
    async def run() -> list[float]:
        waits = []
        for seconds in (5, 50, 20):
            async with backend(tmp_path / "rpc", tmp_path / "own", retry_for=seconds, at_most=None) as (used, _):
                waits.append(used._sending._at_most)
        return waits

    with answering(tmp_path / "rpc", {}):
        assert asyncio.run(run()) == [40, 60, 60]
