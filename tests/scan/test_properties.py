"""What holds of every source: a scan ends, misses no direct call, and takes time in proportion to the size."""

from __future__ import annotations

import ast
import sys
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rpcschema.findings import Finding
from rpcschema.scan.files import Source
from rpcschema.scan.report import findings
from rpcschema.scan.uses import uses
from tests.scan.scanning import RELEASE, TABLE

NAMES = st.sampled_from(["rpc", "plugin", "answer", "pay", "x", "self", "f"])
KEYS = st.sampled_from(["routes", "path", "delay", "txid", "method", "params", "pay", "/v1/pay", "lightning-cli"])


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return larger expressions of smaller ones."""
    return st.one_of(
        st.builds("{}.{}".format, inner, NAMES),
        st.builds("{}[{!r}]".format, inner, KEYS),
        st.builds("{}[0]".format, inner),
        st.builds("{}({})".format, inner, inner),
        st.builds("{}.get({!r}, {})".format, inner, KEYS, inner),
        st.builds("[{} for x in {}]".format, inner, inner),
        st.builds("(lambda x: {})".format, inner),
        st.builds("{{{!r}: {}, 'id': 1}}".format, KEYS, inner),
        st.builds("[{}, *{}]".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("f'{{{}}}/v1/{{{}}}'".format, NAMES, NAMES),
    )


EXPRESSIONS = st.recursive(st.one_of(NAMES, KEYS.map(repr)), nested, max_leaves=8)
SIMPLE = st.one_of(
    st.builds("{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("{}, *{} = {}".format, NAMES, NAMES, EXPRESSIONS),
    st.builds("self.{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("{}[{!r}] = {}".format, NAMES, KEYS, EXPRESSIONS),
    st.builds("x += {}".format, EXPRESSIONS),
    EXPRESSIONS,
)
HEADS = ["if {}:", "while {}:", "for x in {}:", "with {} as f:", "def f(self, x={}):", "class x:  # {}"]


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


BLOCKS = st.recursive(
    st.lists(SIMPLE, min_size=1, max_size=4),
    lambda inner: st.builds(
        lambda head, expression, body, after: [head.format(expression), *indented(body), *after],
        st.sampled_from(HEADS),
        NAMES,
        inner,
        inner,
    ),
    max_leaves=5,
)


def scanned(source: str) -> list[Finding]:
    used = uses(Source("a.py", ast.parse(source)))
    return [*findings(used, TABLE, RELEASE, used.constants)]


@settings(max_examples=300, deadline=None)
@given(BLOCKS, BLOCKS)
def test_every_source_is_scanned_and_a_direct_call_is_found_in_it(before: list[str], after: list[str]) -> None:
    call = ["def direct(node: 'LightningRpc'):", "    node.renepay(invoice)"]
    found = scanned("\n".join([*before, *call, *after]))
    assert len(before) + 2 in [finding.line for finding in found if finding.more["name"] == "renepay"]


@settings(max_examples=100, deadline=None)
@given(BLOCKS)
def test_a_source_that_names_no_command_has_no_findings(block: list[str]) -> None:
    source = "\n".join(block).replace("pay", "buy").replace("lightning", "thunder")
    harmless = {"close", "getroutes", "newaddr"}
    assert [finding for finding in scanned(source) if finding.more["name"] not in harmless] == []


def steps(source: str) -> int:
    """Return how many functions a scan of the source calls."""
    count = 0

    def note(*_: Any) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        scanned(source)
    finally:
        sys.setprofile(None)
    return count


REPEATED = {
    "a name that is assigned again and again": ("r = rpc.close('a')\nprint(r['txid'])\n", ""),
    "a chain of assignments": ("a = a.b\n", "a = rpc\n"),
    "calls of a wrapper": ("send('pay', {})\n", "def send(m, p): post({'method': m, 'params': p, 'id': 1})\n"),
    "functions that call each other": ("def f(x): return f(x) or g(x)\ndef g(x): return f(x[0])\n", ""),
    "branches": ("if c:\n    r = rpc.close('a')\nelse:\n    r = {}\nprint(r['txid'])\n", ""),
    "texts that are put together": ("u = u + '/v1/'\npost(u + 'pay')\n", "u = ''\n"),
    "a dictionary that grows": ("d['msatoshi'] = 1\n", "d = {}\nrpc.call('invoice', d)\n"),
}


def test_the_work_grows_with_the_size_of_the_source() -> None:
    for name, (line, start) in REPEATED.items():
        once, twice = (steps(f"rpc = LightningRpc()\n{start}{line * number}") for number in (400, 800))
        assert twice < 2.3 * once, name
