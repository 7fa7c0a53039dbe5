"""The plugin in the documentation, run as lightningd runs it, against a node's socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from clnrpc import CannotConnectError, Client
from rpcschema.runtime.jsontext import Framer
from tests.generator.commands import rpcschema
from tests.interop.nodes import until
from tests.project.guides import files, pieces, write_greeting
from tests.runtime.node import Connection, ScriptedNode
from tests.runtime.talking import talking
from tests.shared import ROOT

NODE_ID = "02" * 33


def half(**types: str) -> dict[str, Any]:
    return {"required": list(types), "properties": {name: {"type": kind} for name, kind in types.items()}}


DOCUMENTS = (
    {"rpc": "getinfo", "request": half(), "response": half(id="pubkey", version="string")},
    {
        "notification": "channel_opened",
        "request": half(),
        "response": half(id="pubkey", funding_msat="msat", funding_txid="txid", channel_ready="boolean"),
    },
    {
        "hook": "openchannel",
        "request": {
            "required": ["openchannel"],
            "properties": {"openchannel": {"type": "object", **half(id="pubkey", funding_msat="msat")}},
        },
        "response": half(result="string")
        | {"properties": {"result": {"type": "string"}, "error_message": {"type": "string"}}},
    },
)


def serve(connection: Connection) -> None:
    connection.answer(connection.read(), {"id": NODE_ID, "version": "v26.09"})


def test_the_plugin_of_the_how_to_does_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    for number, document in enumerate(DOCUMENTS):
        text = json.dumps({"type": "object", "title": "T", "description": ["D."]} | document)
        (tmp_path / "schemas" / f"{number}.json").write_text(text)
    targets = [part for name in ("python", "client", "plugin") for part in ("--target", name)]
    made = rpcschema("generate", "schemas", "--package", "clnrpc", *targets, cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")

    with tempfile.TemporaryDirectory(prefix="clnrpc-") as folder:
        init = {"options": {}, "configuration": {"lightning-dir": folder, "rpc-file": "lightning-rpc"}}
        opened = {"id": NODE_ID, "funding_msat": 5, "funding_txid": "00" * 32, "channel_ready": True}
        sent = [
            {"id": 1, "method": "getmanifest", "params": {}},
            {"id": 2, "method": "init", "params": init},
            {"method": "channel_opened", "params": {"channel_opened": opened}},
            {"id": 3, "method": "openchannel", "params": {"openchannel": {"id": NODE_ID, "funding_msat": 99_999_999}}},
            {"id": 4, "method": "openchannel", "params": {"openchannel": {"id": NODE_ID, "funding_msat": 100_000_000}}},
        ]
        path = os.pathsep.join([str(tmp_path / "generated"), os.environ.get("PYTHONPATH", "")])
        with ScriptedNode(Path(folder) / "lightning-rpc", serve):
            done = subprocess.run(
                [sys.executable, str(ROOT / "docs/examples/bouncer.py")],
                env=os.environ | {"PYTHONPATH": path},
                input="".join(json.dumps({"jsonrpc": "2.0"} | message) + "\n\n" for message in sent).encode(),
                capture_output=True,
                timeout=60,
                check=False,
            )
    assert (done.returncode, done.stderr.decode()) == (0, "")
    framer = Framer()
    framer.feed(done.stdout)
    manifest, guarding, configured, told, refused, admitted = map(json.loads, framer)
    assert manifest["result"]["subscriptions"] == ["channel_opened"]
    assert manifest["result"]["hooks"] == [{"name": "openchannel"}]
    assert guarding["params"]["message"] == f"guarding {NODE_ID}"
    assert configured["result"] == {}
    assert told["params"]["message"] == f"{NODE_ID} opened a channel of 5 msat"
    assert refused["result"] == {"result": "reject", "error_message": "at least 100000000 msat, please"}
    assert admitted["result"] == {"result": "continue"}


def test_the_greeter_of_the_how_to_has_a_command_and_options(tmp_path: Path) -> None:
    path = os.pathsep.join([str(write_greeting(tmp_path)), os.environ.get("PYTHONPATH", "")])
    program = tmp_path / "greeter.py"
    program.write_text(files("write-a-plugin")["greeter.py"], encoding="utf-8")
    with talking([str(program)], PYTHONPATH=path) as talk:
        manifest = talk.call("getmanifest", {})
        assert manifest["rpcmethods"] == [
            {
                "name": "greet",
                "usage": "name [times]",
                "description": "Greet somebody.",
                "long_description": "The **greet** command says hello as often as you like.",
            }
        ]
        assert [each["name"] for each in manifest["options"]] == ["greeter-word", "greeter-most"]
        talk.init(**{"greeter-word": "hey", "greeter-most": 2})
        assert talk.call("greet", ["Alice"]) == {"greeting": "hey Alice"}
        talk.call("setconfig", {"config": "greeter-word", "val": "hi"})
        assert talk.call("greet", {"name": "Alice", "times": 2}) == {"greeting": "hi hi Alice"}
        assert talk.refused("greet", ["Alice", 3])["message"] == "times: at most 2"


def shell(script: str, folder: Path, **environment: str) -> str:
    """Run a script in a folder, in a shell that stops at the first error; return what it prints."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    settings = os.environ | {"PATH": path} | environment
    done = subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=settings, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_new_plugin_of_the_how_to_is_tested(tmp_path: Path) -> None:
    [script] = pieces("write-a-plugin", "sh")
    assert "4 passed" in shell(script, tmp_path)


def test_the_package_of_the_how_to_is_on_clnrpc(tmp_path: Path) -> None:
    [project], [document] = pieces("build-on-clnrpc", "toml"), pieces("write-a-plugin", "json")
    (tmp_path / "pyproject.toml").write_text(project, encoding="utf-8")
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/greet.json").write_text(document, encoding="utf-8")
    shell("rpcschema generate", tmp_path)
    assert not (tmp_path / "generated/greeting/runtime").exists()
    code = "import clnrpc, greeting; print(greeting.RpcError is clnrpc.RpcError, greeting.Plugin.__mro__[1])"
    printed = shell(f'python3 -c "{code}"', tmp_path, PYTHONPATH=str(tmp_path / "generated"))
    assert printed == "True <class 'clnrpc.plugin.Plugin'>\n"


def test_the_greeter_of_the_how_to_answers_at_a_socket(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="greet") as folder:
        path = os.pathsep.join([str(write_greeting(tmp_path)), os.environ.get("PYTHONPATH", "")])
        written = files("write-a-plugin")
        for name in ("greeter.py", "serve_greeter.py"):
            Path(folder, name).write_text(written[name], encoding="utf-8")
        command = [sys.executable, "serve_greeter.py"]
        with subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": path}) as process:
            try:
                with Client(Path(folder, "greeter-rpc"), timeout=60) as client:
                    until(lambda: answered(client, process), "the service answers")
                    assert client.rpc_call("greet", ["Alice"]) == {"greeting": "hello Alice"}
            finally:
                process.terminate()


def answered(client: Client, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None
    try:
        return client.rpc_call("greet", ["you"]) is not None
    except CannotConnectError:
        return False
