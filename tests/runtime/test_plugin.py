"""A plugin in a process of its own, over pipes, told and asked what lightningd sends."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.errors import DecodeError
from rpcschema.runtime.jsontext import Framer
from rpcschema.runtime.plugin.events import decode_payload, unwrapped
from tests.runtime.demo.plugin import Obedient, Plugin
from tests.runtime.demo.types.tidings import TidingsNotification
from tests.runtime.node import ScriptedNode, echo
from tests.shared import ROOT

COMMAND: Final = [sys.executable, "-m", "tests.runtime.demo.plugin"]
ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def request(method: str, params: object, identity: object = "cln:a#1") -> str:
    return json.dumps({"jsonrpc": "2.0", "id": identity, "method": method, "params": params}) + "\n\n"


def notification(method: str, params: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params}) + "\n\n"


def told(do: str, **more: object) -> str:
    return notification("custommsg", {"custommsg": {"do": do, **more}})


def messages(data: bytes) -> list[dict[str, Any]]:
    framer = Framer()
    framer.feed(data)
    return [json.loads(message) for message in framer]


@dataclass(frozen=True)
class Outcome:
    said: list[dict[str, Any]]
    stderr: str
    status: int

    @property
    def results(self) -> list[Any]:
        return [message["result"] for message in self.said if "result" in message]

    @property
    def logs(self) -> list[tuple[str, str]]:
        """(level, first line) of what was logged."""
        params = [message["params"] for message in self.said if message.get("method") == "log"]
        return [(each["level"], each["message"].splitlines()[0]) for each in params]


def run(*sent: str, command: Sequence[str] = COMMAND) -> Outcome:
    """Return what the plugin answers to all of this, until stdin is closed."""
    data = "".join(sent).encode()
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, input=data, capture_output=True, timeout=60, check=False)
    return Outcome(messages(done.stdout), done.stderr.decode(), done.returncode)


def test_the_manifest_asks_for_what_is_overridden_and_nothing_else() -> None:
    outcome = run(request("getmanifest", {"allow-deprecated-apis": False}))
    assert outcome.said == [
        {
            "jsonrpc": "2.0",
            "id": "cln:a#1",
            "result": {
                "options": [],
                "rpcmethods": [],
                "subscriptions": ["custommsg", "log", "shutdown"],
                "hooks": [{"name": name} for name in ("custommsg", "htlc_accepted", "openchannel", "db_write")],
                "dynamic": True,
                "nonnumericids": True,
                "cancheck": True,
                "custommessages": [11008],
            },
        }
    ]
    assert outcome.status == 0


def test_a_plugin_that_overrides_nothing_asks_for_nothing() -> None:
    manifest = Plugin().rpc_manifest()
    assert (manifest["subscriptions"], manifest["hooks"]) == ([], [])


@pytest.mark.parametrize("identity", ["cln:init#2", 7, "\u0007", 1.50])
def test_an_answer_repeats_the_id(identity: object) -> None:
    outcome = run(request("init", {"options": {}, "configuration": {}}, identity))
    assert outcome.said == [{"jsonrpc": "2.0", "id": identity, "result": {}}]


def test_a_plugin_that_cannot_start_disables_itself() -> None:
    outcome = run(request("init", {"options": {}, "configuration": {"fail": True}}))
    assert outcome.results == [{"disable": "rpc_init failed: not this time \\udcff"}]
    assert outcome.logs == [("error", "rpc_init failed:")]


@pytest.mark.parametrize(
    ("manifest", "why"),
    [("1 / 0", "division by zero"), ("{'options': {1}}", "JSON cannot represent this set object: pass text, a number")],
)
def test_a_plugin_whose_manifest_fails_disables_itself(manifest: str, why: str) -> None:
    code = f"""
from tests.runtime.demo.plugin import Plugin
class Failing(Plugin):
    def rpc_manifest(self):
        return {manifest}
Failing().rpc_run()
"""
    outcome = run(request("getmanifest", {}), command=[sys.executable, "-c", code])
    [result] = outcome.results
    assert result.keys() == {"disable"}
    assert result["disable"].startswith(f"rpc_manifest failed: {why}")
    assert outcome.logs == [("error", "rpc_manifest failed:")]
    assert (outcome.stderr, outcome.status) == ("", 0)


def test_an_init_without_a_configuration_is_an_error() -> None:
    [answer] = run(request("init", {})).said
    assert answer["error"]["code"] == -32602


def test_configuration_and_socket_are_not_there_before_init() -> None:
    for name in ("rpc_configuration", "rpc_socket"):
        with pytest.raises(RuntimeError, match="has not configured this plugin yet"):
            getattr(Obedient(), name)


@pytest.mark.parametrize(
    "params",
    [
        {"custommsg": {"do": "say", "amount_msat": 5}},
        {"do": "say", "amount_msat": 5},
        {"do": "say", "amount_msat": 5, "custommsg": {"do": "say", "amount_msat": 5}},
        {"origin": "other", "payload": {"do": "say", "amount_msat": 5}},
        {"origin": "other", "payload": {"custommsg": {"do": "say", "amount_msat": 5}}},
    ],
)
def test_a_notification_comes_typed_however_it_is_wrapped(params: object) -> None:
    payload = TidingsNotification(do="say", amount_msat=5)
    assert run(notification("custommsg", params)).logs == [("debug", repr(payload))]


def test_a_member_called_like_the_notification_need_not_be_its_wrapping() -> None:
    expected = [("debug", repr(TidingsNotification(do="say", log_="text")))]
    for params in ({"do": "say", "log": "text"}, {"log": {"do": "say", "log": "text"}}):
        assert run(notification("log", params)).logs == expected


@given(st.binary(), st.text())
def test_no_params_whatever_break_the_unwrapping(params: bytes, name: str) -> None:
    assert unwrapped(name, params) in params


def test_events_of_one_name_and_two_kinds_do_not_mix() -> None:
    outcome = run(told("say"), request("custommsg", {"do": "say"}))
    assert [level for level, _ in outcome.logs] == ["debug", "debug"]
    assert outcome.results == [{"result": "done"}]


def test_what_is_not_asked_for_is_passed_over_or_refused() -> None:
    outcome = run(
        notification("unheard", {"do": "say"}),
        notification("new_in_another_release", {}),
        request("new_in_another_release", {}, 1),
    )
    assert [(answer["id"], answer["error"]["code"]) for answer in outcome.said] == [(1, -32601)]


def test_a_hook_that_only_the_manifest_asks_for_is_answered_as_is_safe() -> None:
    """An error would end lightningd."""
    outcome = run(request("unasked", {"do": "say"}))
    assert outcome.results == [{"result": "continue"}]
    assert outcome.logs == [("error", "hook_unasked failed:")]


def test_several_messages_in_one_piece_are_answered_in_order() -> None:
    outcome = run(*(request("custommsg", {"do": str(number)}, number) for number in range(100)))
    assert [answer["id"] for answer in outcome.said] == list(range(100))


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_a_hook_is_answered_at_once_however_it_is_framed(pieces: int) -> None:
    value = {"jsonrpc": "2.0", "id": "a", "method": "custommsg", "params": {"do": "é"}}
    with subprocess.Popen(COMMAND, cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        guard = Timer(60, process.kill)
        guard.start()
        assert process.stdin
        assert process.stdout
        for text in (json.dumps(value), json.dumps(value, indent=2, ensure_ascii=False), json.dumps(value) + "\n\n"):
            data = text.encode()
            for start in range(0, len(data), pieces):
                process.stdin.write(data[start : start + pieces])
                process.stdin.flush()
            expected = b'{"jsonrpc":"2.0","id":"a","result":{"result":"done"}}\n\n'
            assert process.stdout.read(len(expected)) == expected
        process.stdin.close()
        assert process.wait() == 0
        guard.cancel()


SAFE_ANSWERS: Final = {
    "custommsg": {"result": {"result": "continue"}},
    "htlc_accepted": {"result": {"result": "fail", "failure_message": "2002"}},
    "openchannel": {"result": {"result": "reject"}},
    "db_write": {"error": {"code": -1, "message": "hook_db_write failed, see the log"}},
}


@pytest.mark.parametrize("params", [{"do": "fail"}, {"do": "nothing"}, {"do": "surrogate"}, {}, []])
def test_a_hook_that_fails_is_answered_as_is_safe(params: object) -> None:
    outcome = run(*(request(hook, params, hook) for hook in SAFE_ANSWERS), request("custommsg", {"do": "go on"}, 2))
    answers = [message for message in outcome.said if "id" in message]
    assert answers[:-1] == [{"jsonrpc": "2.0", "id": hook, **answer} for hook, answer in SAFE_ANSWERS.items()]
    assert answers[-1]["result"] == {"result": "done"}
    assert outcome.logs == [("error", f"hook_{hook} failed:") for hook in SAFE_ANSWERS]
    assert outcome.status == 0


def test_an_answer_of_another_kind_is_named_in_the_log() -> None:
    [log, _] = run(request("custommsg", {"do": "nothing"})).said
    assert "TypeError: hook_custommsg returned NoneType, not TidingsHookResponse" in log["params"]["message"]


@pytest.mark.parametrize("params", [{"custommsg": {"do": "fail"}}, {"custommsg": {}}, []])
def test_a_notification_that_fails_is_logged_and_the_next_one_comes(params: object) -> None:
    outcome = run(notification("custommsg", params), told("say"))
    assert [level for level, _ in outcome.logs] == ["error", "debug"]
    assert outcome.logs[0] == ("error", "on_custommsg failed:")


def test_a_failure_about_a_log_is_not_logged_or_it_would_come_back_for_ever() -> None:
    outcome = run(notification("log", {"log": {"do": "fail"}}))
    assert outcome.said == []
    assert "LookupError: not this time" in outcome.stderr


def test_nothing_that_is_printed_reaches_lightningd() -> None:
    outcome = run(told("print"), request("custommsg", {"do": "print"}))
    assert outcome.said == [{"jsonrpc": "2.0", "id": "cln:a#1", "result": {"result": "done"}}]
    lines = outcome.stderr.splitlines()
    assert sorted(lines) == sorted(["too early", *["printed", "written", "by a child"] * 2])


def test_nothing_that_reads_stdin_takes_from_what_lightningd_sends() -> None:
    assert run(told("read"), told("print"), told("read")).logs == [("info", "stdin has ''")] * 2


def test_a_hook_may_call_the_node(socket_path: Path) -> None:
    configuration = {"lightning-dir": str(socket_path.parent), "rpc-file": socket_path.name}
    with ScriptedNode(socket_path, echo):
        outcome = run(request("init", {"configuration": configuration}), request("custommsg", {"do": "call"}))
    assert outcome.results == [{}, {"result": "getinfo"}]


def test_after_shutdown_the_plugin_ends() -> None:
    outcome = run(notification("shutdown", {"shutdown": {"do": "end"}}), told("say"))
    assert outcome.logs == [("info", "good bye")]
    assert outcome.status == 0


def test_the_plugin_may_end_itself() -> None:
    assert run(told("leave")).status == 7


@pytest.mark.parametrize("sent", ["hello", '{"a":}', '{"a":1}\n\n]', "\x00"])
def test_what_is_no_json_ends_the_plugin_with_one_line(sent: str) -> None:
    outcome = run(sent)
    assert outcome.status == 1
    assert outcome.stderr.splitlines()[-1].startswith("lightningd sent invalid JSON-RPC: ")
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("sent", ["{}", '{"id":1,"result":{}}', '{"id":1,"method":5}'])
def test_what_is_no_request_is_logged(sent: str) -> None:
    outcome = run(sent, told("say"))
    assert [level for level, _ in outcome.logs] == ["error", "debug"]


def test_a_person_who_starts_it_is_told_what_it_is() -> None:
    leader, follower = pty.openpty()
    done = subprocess.run(COMMAND, cwd=ROOT, stdin=follower, capture_output=True, text=True, timeout=60, check=False)
    os.close(leader)
    os.close(follower)
    assert done.returncode == 1
    assert done.stderr == (
        "this is a plugin of lightningd: use lightningd --plugin=PATH, or lightning-cli plugin start PATH\n"
    )


def test_lines_logged_while_nobody_listens_go_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    Obedient().rpc_log("hello \udcff")
    assert capfd.readouterr() == ("", "hello \\udcff\n")


def test_plain_json_of_another_library_becomes_a_payload() -> None:
    assert decode_payload(TidingsNotification, {"do": "x", "log": "y", "new": 1}) == TidingsNotification(
        do="x", log_="y"
    )
    with pytest.raises(DecodeError, match="TidingsNotification"):
        decode_payload(TidingsNotification, ["do"])
