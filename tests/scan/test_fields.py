"""How far a scan follows what calls return, and which fields it finds there."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpcschema.findings import Severity
from tests.scan.scanning import found, scan

START = "def use(rpc):\n    answer = rpc.getroutes(source='a', destination='b')\n"
DELAY = "routes[].path[].delay"
READ = {
    "directly": '    print(answer["routes"][0]["path"][-1]["delay"])',
    "with get": '    print(answer.get("routes", [])[0].get("path")[0].get("delay"))',
    "in nested loops": """    for route in answer["routes"]:
        for hop in route["path"]:
            print(hop["delay"])""",
    "in a comprehension": '    print([hop["delay"] for route in answer["routes"] for hop in route["path"]])',
    "with enumerate": '    for at, route in enumerate(answer["routes"]):\n        print(route["path"][at]["delay"])',
    "with next": '    path = next(route["path"] for route in answer["routes"])\n    print(path[0]["delay"])',
    "in a slice that is sorted": '    print([hop["delay"] for hop in sorted(answer["routes"][0]["path"][1:])])',
    "by a key with a name": '    key = "delay"\n    print(answer["routes"][0]["path"][0][key])',
    "through a function": """    def first(given):
        return given["routes"][0]
    print(first(answer)["path"][0]["delay"])""",
    "through a generator": """    def hops():
        for route in answer["routes"]:
            yield route["path"][0]
    for hop in hops():
        print(hop["delay"])""",
    "from an assignment in an expression": """    if (routes := answer["routes"]):
        print(routes[0]["path"][0]["delay"])""",
    "unpacked": '    first, *rest = answer["routes"]\n    print(first["path"][0]["delay"], rest)',
    "of one of two": '    chosen = answer or None\n    print(chosen["routes"][0]["path"][0]["delay"])',
}


@pytest.mark.parametrize("source", READ.values(), ids=READ.keys())
def test_follows(source: str, tmp_path: Path) -> None:
    assert [line.partition(" ")[2] for line in found(tmp_path, START + source)] == [DELAY]


def test_follows_attributes_of_the_client_of_this_project(tmp_path: Path) -> None:
    source = """
        from clnrpc import Client
        def use(client: Client):
            for route in client.getroutes().routes:
                print(route.path[0].delay)
    """
    assert found(tmp_path, source) == [f"5 {DELAY}"]


def test_follows_the_answer_to_a_request_over_http(tmp_path: Path) -> None:
    source = """
        async def close(client):
            response = await client.post("/v1/close", json={"id": "a"})
            response.raise_for_status()
            return response.json()["txid"]
    """
    assert found(tmp_path, source) == ["5 txid"]


def test_follows_calls_that_asyncio_makes(tmp_path: Path) -> None:
    source = """
        import asyncio
        async def close(loop, rpc):
            info, closed = await asyncio.gather(asyncio.to_thread(rpc.getinfo), asyncio.to_thread(rpc.close, "a"))
            later = await loop.run_in_executor(None, lambda: rpc.close("b"))
            return info["txid"], closed["txid"], later["txid"]
    """
    assert found(tmp_path, source) == ["6 txid"]


def test_follows_the_payload_of_a_notification_to_its_handler(tmp_path: Path) -> None:
    source = """
        @plugin.subscribe("coin_movement")
        def moved(plugin, coin_movement, **kwargs):
            print(coin_movement["tags"], coin_movement["extra_tags"])
    """
    assert found(tmp_path, source) == ["4 tags"]


def test_of_two_assignments_the_last_one_before_the_use_counts(tmp_path: Path) -> None:
    source = """
        def use(rpc):
            r = rpc.close("a")
            r = rpc.getinfo()
            print(r["txid"])
            r = rpc.close("a")
    """
    assert found(tmp_path, source) == []


def test_of_two_branches_both_count(tmp_path: Path) -> None:
    source = """
        def use(rpc, mine):
            if mine:
                r = rpc.close("a")
            else:
                r = rpc.getinfo()
            print(r["txid"])
    """
    assert found(tmp_path, source) == ["7 txid"]


def test_an_assignment_further_down_in_a_loop_counts(tmp_path: Path) -> None:
    source = """
        def use(rpc):
            r = {}
            while True:
                print(r["txid"])
                r = rpc.close("a")
    """
    assert found(tmp_path, source) == ["5 txid"]


def test_a_field_of_another_command_or_deeper_in_the_answer_is_another_field(tmp_path: Path) -> None:
    source = """
        def use(rpc):
            print(rpc.withdraw("a", 1)["txid"], rpc.close("a")["other"]["txid"], {"txid": 1}["txid"])
    """
    assert found(tmp_path, source) == []


def test_a_field_that_depends_on_a_parameter_is_reported_only_without_it(tmp_path: Path) -> None:
    source = """
        def use(rpc):
            print(rpc.newaddr()["bech32"])
            print(rpc.newaddr(addresstype="bech32")["bech32"])
            print(rpc.newaddr("bech32")["bech32"])
    """
    assert found(tmp_path, source) == ["3 bech32"]


def test_a_field_that_the_program_looks_for_before_it_reads_it_is_only_a_note(tmp_path: Path) -> None:
    source = """
        def use(rpc):
            for peer in rpc.listpeers()["peers"]:
                if "channels" in peer:
                    print(peer["channels"])
            info = rpc.getinfo()
            print(info.get("fees_collected_msat", info.get("msatoshi_fees_collected")))
            print(info["msatoshi_fees_collected"])
    """
    findings = scan(tmp_path, source).findings
    assert [(each.line, each.severity) for each in findings] == [
        (5, Severity.NOTE),
        (7, Severity.NOTE),
        (8, Severity.ERROR),
    ]
