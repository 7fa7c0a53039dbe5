"""What a program of pyln-client has to write for clnrpc instead."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

import clnrpc
from rpcschema.cli.scanning import target
from rpcschema.findings import Severity
from rpcschema.scan.moving import read_signatures
from rpcschema.scan.run import run
from rpcschema.scan.table import python_name
from rpcschema.settings import SettingsError, schemas_dir
from tests.scan.scanning import TABLE

TARGET = target()
SIGNATURES = read_signatures(schemas_dir() / "pyln-client.toml")


def written(folder: Path, source: str) -> Mapping[int, str]:
    """Return the new text of each line that changes."""
    (folder / "program.py").write_text(dedent(source))
    result = run([folder], TABLE, None, TARGET)
    assert all(finding.severity is Severity.NOTE for finding in result.findings)
    return {finding.line: str(finding.more["write"]) for finding in result.findings}


def one(folder: Path, expression: str) -> str:
    """Return what a single expression becomes, whose parts are `rpc` and `peers`, an answer."""
    source = f"def f(rpc, a, b, c):\n    peers = rpc.listpeers()\n    return {expression}\n"
    return written(folder, source).get(3, "").removeprefix("return ")


def test_imports_and_the_client(tmp_path: Path) -> None:
    source = """
        from pyln.client import LightningRpc, Millisatoshi, RpcError
        rpc = LightningRpc("/path")
        def f(node: LightningRpc) -> None: ...
    """
    assert written(tmp_path, source) == {
        2: "from clnrpc import Client, RpcError",
        3: "rpc = Client('/path')",
        4: "def f(node: Client) -> None:",
    }


CALLS = {
    "rpc.listpeers(a)": "rpc.listpeers(id=a)",
    "rpc.listpeers(peerid=a)": "rpc.listpeers(id=a)",
    "rpc.connect(a, 'host', 1)": "rpc.connect(a, host='host', port=1)",
    "rpc.connect(host=b, peer_id=a)": "rpc.connect(a, host=b)",
    "rpc.invoice(1, 'label', 'text', 60)": "rpc.invoice(1, 'label', 'text', expiry=60)",
    "rpc.listinvoices('label', None, a)": "rpc.listinvoices(label='label', payment_hash=None, invstring=a)",
    "rpc.plugin_stop(a)": "rpc.plugin('stop', plugin=a)",
    "rpc.openchannel_init(a, 1, b, feerate=c)": "rpc.openchannel_init(a, 1, b, commitment_feerate=c)",
    "rpc.askrene_create_layer('x')": "rpc.askrene_create_layer('x')",
    "rpc.call('askrene-create-layer', {'layer': 'x'})": "rpc.askrene_create_layer('x')",
    "rpc.call('invoice', [1, 'a', 'b'])": "rpc.invoice(1, 'a', 'b')",
    "rpc.call('getinfo')": "rpc.getinfo()",
    "rpc.newaddr(**a)": "rpc.newaddr(**a)",
}


@pytest.mark.parametrize(("old", "new"), CALLS.items())
def test_calls(old: str, new: str, tmp_path: Path) -> None:
    assert one(tmp_path, old) == new


FIELDS = {
    "peers['peers'][0]['id']": "peers.peers[0].id",
    "peers.get('peers')": "peers.peers",
    "peers.get('peers', [])": "[] if peers.peers is None else peers.peers",
    "[p['id'] for p in peers['peers'] if 'netaddr' in p]": "[p.id for p in peers.peers if p.netaddr is not None]",
    "'log' not in peers['peers'][0]": "peers.peers[0].log is None",
    "rpc.listconfigs()['configs']['lightning-dir']['value_str']": "rpc.listconfigs().configs.lightning_dir.value_str",
    "rpc.getinfo()['id'][:6]": "rpc.getinfo().id[:6]",
}


@pytest.mark.parametrize(("old", "new"), FIELDS.items())
def test_fields(old: str, new: str, tmp_path: Path) -> None:
    assert one(tmp_path, old) == new


@pytest.mark.parametrize("same", ["a['peers']", "peers[a]", "{'id': 1}['id']", "a.listpeers()", "peers['unknown']"])
def test_what_is_no_call_or_documented_field_stays(same: str, tmp_path: Path) -> None:
    assert one(tmp_path, same) == ""


def test_the_client_of_a_plugin_has_another_name(tmp_path: Path) -> None:
    source = """
        from pyln.client import Plugin
        plugin = Plugin()
        @plugin.method("hello")
        def hello(plugin):
            return plugin.rpc.getinfo()["id"]
    """
    (tmp_path / "program.py").write_text(dedent(source))
    findings = run([tmp_path], TABLE, None, TARGET).findings
    assert [(each.line, each.rule) for each in findings] == [(2, "new-import"), (3, "new-class"), (6, "new-call")]
    assert findings[-1].more["write"] == "return plugin.rpc_client.getinfo().id"
    assert "write-a-plugin.md" in findings[1].message


def test_only_the_first_line_of_a_statement_with_others_is_written(tmp_path: Path) -> None:
    source = """
        def f(rpc):
            for peer in rpc.listpeers()["peers"]:
                if peer["connected"]:
                    print(peer["id"])
    """
    assert written(tmp_path, source) == {
        3: "for peer in rpc.listpeers().peers:",
        4: "if peer.connected:",
        5: "print(peer.id)",
    }


@pytest.mark.parametrize("new", [*CALLS.values()])
def test_the_new_calls_fit_the_methods_of_the_client(new: str) -> None:
    call = ast.parse(new, mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Attribute)
    method = inspect.signature(getattr(clnrpc.Client, call.func.attr))
    keywords = {each.arg: None for each in call.keywords if each.arg is not None}
    method.bind(None, *call.args, **keywords)


@pytest.mark.parametrize("method", SIGNATURES)
def test_the_table_of_methods_names_commands_and_their_parameters(method: str) -> None:
    signature = SIGNATURES[method]
    document = TARGET.documents[python_name(signature.command)]
    # pyln-client still has parameters that nodes no longer take.
    gone = {"feerates": {"urgent", "normal", "slow"}}.get(method, set())
    assert {*signature.order, *signature.fixed, *signature.names.values()} - gone <= {*document.request.positional}


def test_the_table_of_methods_is_that_of_pyln_client() -> None:
    pyln = pytest.importorskip("pyln.client", reason="pyln-client is not installed")
    for method, signature in SIGNATURES.items():
        own = [*inspect.signature(getattr(pyln.LightningRpc, method)).parameters][1:]
        named = [signature.names.get(name, name) for name in own if name not in {"kwargs", "args"}]
        assert named == [*signature.order]


def test_refuses_a_table_of_methods_of_another_form(tmp_path: Path) -> None:
    (tmp_path / "table.toml").write_text("[connect]\nnames = {}\n")
    with pytest.raises(SettingsError, match="connect: expected a table with order"):
        read_signatures(tmp_path / "table.toml")
