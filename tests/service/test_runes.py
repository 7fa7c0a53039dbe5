"""createrune, showrunes, checkrune and blacklistrune, over the socket and in this process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lnoffers.runes import Rune
from lnoffers.service import Node
from lnoffers.service.commands.pages import PAGE_ROWS
from lnoffers.service.parameters.runes import MAX_RUNE
from tests.service.invoicing import NOW, Ask
from tests.service.program import SECONDS, Program, Wire


def restrictions(*texts: str) -> list[list[str]]:
    return [text.split("|") for text in texts]


def made(ask: Ask, *texts: str) -> str:
    rune: str = ask("createrune", restrictions=restrictions(*texts))["rune"]
    return rune


def test_ids_count_up_and_only_new_runes_are_stored(ask: Ask) -> None:
    first = ask("createrune")
    assert (first["unique_id"], "warning_unrestricted_rune" in first) == ("0", True)
    narrowed = ask("createrune", rune=first["rune"], restrictions="readonly")
    assert (narrowed["unique_id"], "warning_unrestricted_rune" in narrowed) == ("0", False)
    second = ask("createrune", restrictions=restrictions("method=getinfo|method=help", "pnum=0"))
    assert second["unique_id"] == "1"
    assert [each["rune"] for each in ask("showrunes")["runes"]] == [first["rune"], second["rune"]]
    assert ask("createrune", restrictions=[])["unique_id"] == "2"


def test_readonly_permits_lists_but_not_the_datastore(ask: Ask) -> None:
    rune = ask("createrune", restrictions="readonly")["rune"]
    for method in ("listoffers", "getinfo", "summary"):
        assert ask("checkrune", rune, None, method) == {"valid": True}
    assert ask("checkrune", rune, None, "listdatastore")["message"] == (
        "Not permitted: method is equal to listdatastore"
    )
    assert ask("checkrune", rune, None, "offer") == {
        "code": 1502,
        "message": "Not permitted: method does not start with list AND method does not start with get "
        "AND method is not equal to summary",
    }


@pytest.mark.parametrize(
    ("condition", "params", "reason"),
    [
        ("pnameamount_msat<10", {"amount_msat": 10}, "parameter amount_msat is greater or equal to 10"),
        ("pnameamountmsat<10", {"amount_msat": 10}, "parameter amountmsat is greater or equal to 10"),
        ("parr1=a", ["a", "b"], "parameter #1 is not equal to a"),
        ("pnum=1", [], "number of parameters is not equal to 1"),
        ("pnum=1", {"a": 1, "b": 2}, "number of parameters is not equal to 1"),
        ("pnamea=x", {"a": 'x"'}, "parameter a is not equal to x"),
        ('pnamea="', {}, "parameter a not present"),
        ('pnamea="', {"a": 1}, r"parameter a is not equal to \""),
        ("pnamea=\n", {"a": 1}, r"parameter a is not equal to \n"),
        ("pnamea=1|pnameb=2", {"a": 2}, "parameter a is not equal to 1 AND pnameb not present"),
    ],
)
def test_refusals_name_the_parameter(ask: Ask, condition: str, params: Any, reason: str) -> None:
    rune = made(ask, condition)
    assert ask("checkrune", rune=rune, params=params) == {"code": 1502, "message": f"Not permitted: {reason}"}


@pytest.mark.parametrize("params", [{"amount_msat": 9}, {"amount_msat": "9"}, {"label": "x", "amount_msat": 9}])
def test_a_number_in_quotes_is_text(ask: Ask, params: dict[str, Any]) -> None:
    assert ask("checkrune", rune=made(ask, "pnameamount_msat=9"), params=params) == {"valid": True}
    is_number = isinstance(params["amount_msat"], int)
    assert ("valid" in ask("checkrune", rune=made(ask, "pnameamount_msat<10"), params=params)) == is_number


def test_the_node_that_calls_is_compared(ask: Ask, node: Node) -> None:
    caller = node.keys.node_id.hex()
    rune = made(ask, f"id={caller}")
    assert ask("checkrune", rune, caller) == {"valid": True}
    assert ask("checkrune", rune)["message"] == "Not permitted: id not present"


def test_a_use_counts_for_all_runes_with_the_id_and_a_refusal_counts_for_none(ask: Ask, node: Node) -> None:
    rune = made(ask, "rate=2")
    narrowed = ask("createrune", rune, restrictions("method=getinfo"))["rune"]
    assert ask("checkrune", narrowed, None, "offer")["code"] == 1502
    assert ask("checkrune", rune) == {"valid": True}
    for each in (rune, narrowed):
        assert ask("checkrune", each, None, "getinfo") == {"code": 1502, "message": "Not permitted: too soon"}
    node.inject(None, NOW + 29)
    assert ask("checkrune", rune)["code"] == 1502
    node.inject(None, NOW + 30)
    assert ask("checkrune", narrowed, None, "getinfo") == {"valid": True}
    assert ask("showrunes", rune)["runes"][0]["last_used"] == NOW + 30


def test_rejects_a_changed_rune_before_its_restrictions_are_examined(ask: Ask) -> None:
    rune = Rune.parse(made(ask, "method=getinfo"))
    changed = Rune(rune.code, rune.restrictions[:1])
    assert ask("checkrune", changed.encode(), None, "stop") == {
        "code": 1501,
        "message": "Not authorized: Not derived from master",
    }
    [shown] = ask("showrunes", changed.encode())["runes"]
    assert (shown["stored"], shown["our_rune"]) == (False, False)


def test_the_blacklist_covers_derived_runes_and_can_be_undone(ask: Ask) -> None:
    rune = made(ask, "method=getinfo")
    narrowed = ask("createrune", rune, restrictions("pnum=0"))["rune"]
    assert ask("blacklistrune", 0) == {"blacklist": [{"start": 0, "end": 0}]}
    for each in (rune, narrowed):
        assert ask("checkrune", each, None, "getinfo") == {
            "code": 1503,
            "message": "Not authorized: Blacklisted rune",
        }
        assert ask("showrunes", each)["runes"][0]["blacklisted"] is True
    assert ask("blacklistrune", 0, 5, True) == {"blacklist": []}
    assert ask("checkrune", narrowed, None, "getinfo") == {"valid": True}


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"end": 1}, "Can not specify end without start"),
        ({"start": 100_000_000}, "Cannot blacklist beyond 100000000"),
        ({"start": 1, "end": 100_000_000}, "Cannot blacklist beyond 100000000"),
    ],
)
def test_rejects_ids_that_cannot_be_blacklisted(ask: Ask, params: dict[str, int], why: str) -> None:
    assert ask("blacklistrune", **params) == {"code": -32602, "message": why}
    assert ask("check", command_to_check="blacklistrune", **params) == {"code": -32602, "message": why}
    assert ask("blacklistrune") == {"blacklist": []}


@pytest.mark.parametrize("text", ["x", "", "A" * 43, "AAAA" * 11])
def test_rejects_what_is_no_rune_with_a_number(ask: Ask, text: str) -> None:
    for method in ("createrune", "showrunes", "checkrune"):
        error = ask(method, text)
        assert error["code"] == -32602
        assert error["message"].startswith(
            ("rune: should be base64 string: ", "rune: should have valid numeric unique_id: ")
        )


@pytest.mark.parametrize("given", ["x", ["method=x"], [["method"]], [["=1"]], [[1]], {"a": "b"}, 7, [[["a=b"]]]])
def test_rejects_what_is_no_restriction(ask: Ask, given: Any) -> None:
    error = ask("createrune", restrictions=given)
    assert (error["code"], error["message"].split(":")[1]) == (-32602, " not a valid restriction (should be array)")
    assert ask("showrunes") == {"runes": []}


def test_a_rune_does_not_grow_without_end(ask: Ask) -> None:
    half = restrictions("a#" + "x" * (MAX_RUNE // 2))
    rune = ask("createrune", restrictions=half)["rune"]
    for more in (ask("createrune", rune, half), ask("createrune", restrictions=[*half, *half])):
        assert more["code"] == -32602
        assert more["message"].endswith(f" characters, and no rune may have more than {MAX_RUNE}")
    assert len(ask("showrunes")["runes"]) == 1


def test_shows_each_condition_in_words(ask: Ask) -> None:
    rune = made(ask, "a!|b=1|c/2|d^3", "e$4|f~5", "g<6|h>7|i{8|j}9", "k#note")
    [shown] = ask("showrunes", rune)["runes"]
    assert shown["restrictions_as_english"] == (
        "a is missing OR b equal to 1 OR c unequal to 2 OR d starts with 3 AND e ends with 4 OR f contains 5 AND "
        "g < 6 OR h > 7 OR i sorts before 8 OR j sorts after 9 AND comment: k note"
    )
    assert shown["restrictions"][1] == {
        "alternatives": [
            {"fieldname": "e", "value": "4", "condition": "$", "english": "e ends with 4"},
            {"fieldname": "f", "value": "5", "condition": "~", "english": "f contains 5"},
        ],
        "english": "e ends with 4 OR f contains 5",
    }
    assert list(shown) == ["rune", "unique_id", "restrictions", "restrictions_as_english"]


def test_lists_more_runes_than_a_page_has(program: Program) -> None:
    with program.served(), Wire(program.socket) as wire:
        for _ in range(PAGE_ROWS + 1):
            assert "result" in wire.ask("createrune")
        shown = wire.ask("showrunes")["result"]["runes"]
    assert [each["unique_id"] for each in shown] == [str(number) for number in range(PAGE_ROWS + 1)]


def test_uses_and_blacklist_survive_a_kill_and_another_process_sees_them(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        rune = wire.ask("createrune", {"restrictions": [["per=1day"]]})["result"]["rune"]
        assert wire.ask("checkrune", [rune])["result"] == {"valid": True}
        assert "result" in wire.ask("blacklistrune", [7, 9])
        server.kill()
        server.wait(SECONDS)
    assert program.call("-k", "checkrune", f"rune={rune}").json["message"] == "Not permitted: too soon"
    assert program.call("blacklistrune").json == {"blacklist": [{"start": 7, "end": 9}]}
    assert program.call("createrune").json["unique_id"] == "1"


def test_neither_log_nor_store_contains_a_rune(program: Program) -> None:
    with program.served("--log-level", "debug") as server, Wire(program.socket) as wire:
        rune = wire.ask("createrune", {"restrictions": [["method=getinfo"]]})["result"]["rune"]
        for method in ("stop", "getinfo"):
            wire.ask("checkrune", {"rune": rune, "method": method})
        wire.ask("checkrune", {"rune": rune, "method": "getinfo", "params": 5})
        wire.ask("checkrune", {"rune": rune[:-4] + "!"})
        wire.ask("createrune", {"rune": rune, "restrictions": "x"})
        wire.ask("showrunes")
        server.terminate()
        _, log = server.communicate(timeout=SECONDS)
    code = Rune.parse(rune).code
    kept = b"".join(path.read_bytes() for path in program.network_dir.iterdir() if path.is_file())
    for secret in (rune[:40], code.hex()):
        assert secret not in log
        assert secret.encode() not in kept
    assert code not in kept
    assert json.dumps(rune)[1:20] not in log
