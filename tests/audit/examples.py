"""The examples of documents, put through the classes, the binding of parameters and the client of a package.

A request is bound by name and by position, and both must give the same; then the client sends it to a node, which must
receive what the example has. An answer is decoded, and encoded again must be what the node sent.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.audit import dialect
from tests.audit.documents import Document, Package
from tests.audit.node import Node, running
from tests.audit.values import contradictions


@dataclass(frozen=True, slots=True)
class Example:
    """One half of an example."""

    document: Document
    number: int
    half: str
    """ "request" or "response"."""
    value: Any
    """The parameters by name, without those that are null by position; or the answer."""

    def __str__(self) -> str:
        return f"{self.document} example {self.number} {self.half}"

    def contradictions(self) -> list[str]:
        """Return how it contradicts its own document."""
        schema = {"type": "object", **self.document.raw[self.half]}
        return list(contradictions(schema, self.value, sent=self.half == "request"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a half of an example; what is empty does not apply."""

    example: Example
    failure: str = ""
    """Why it did not decode."""
    losses: tuple[str, ...] = ()
    """What was another after it was decoded and encoded."""
    excuse: str = ""
    """What is wrong with the example itself."""


def examples(document: Document) -> Iterator[Example]:
    """Yield both halves of each example of a document."""
    order = _order(document)
    for number, raw in enumerate(document.raw.get("examples", ()), 1):
        params = raw["request"]["params"]
        if isinstance(params, list):
            params = {name: value for name, value in zip(order, params, strict=False) if value is not None}
        yield Example(document, number, "request", params)
        yield Example(document, number, "response", raw["response"])


def outcomes(package: Package) -> list[Outcome]:
    """Decode, encode and send every example with a package."""
    with TemporaryDirectory() as folder, running(Path(folder, "rpc")) as node, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # examples may well use what is deprecated
        with package.module("client").Client(Path(folder, "rpc"), timeout=60) as client:
            trial = _Trial(package, client, node)
            return [trial.outcome(example) for document in package.documents for example in examples(document)]


@dataclass(frozen=True, slots=True)
class _Trial:
    package: Package
    client: Any
    node: Node

    def outcome(self, example: Example) -> Outcome:
        excuse = "; ".join(example.contradictions())
        errors = self.package.module("runtime.errors")
        try:
            if example.half == "request" and example.document.kind == "rpc":
                losses = self.try_parameters(example)
            else:
                losses = self.try_value(example)
        except (errors.RpcError, errors.ClientError, TypeError) as error:
            return Outcome(example, failure=f"{type(error).__name__}: {error}", excuse=excuse)
        return Outcome(example, losses=tuple(losses), excuse=excuse)

    def try_value(self, example: Example) -> Iterator[str]:
        """Decode and encode a value; return what got lost."""
        names = {half: name for half, _, name in example.document.halves()}
        kind = getattr(self.package.module("types"), names[example.half])
        decoded = self.package.module("runtime.values.decode").decode(kind, json.dumps(example.value).encode())
        encoded = self.package.module("runtime.values.encode").encode(decoded)
        return _changes(example.value, json.loads(encoded))

    def try_parameters(self, example: Example) -> Iterator[str]:
        """Bind parameters in both ways and send them; return what the node did not receive."""
        command = self.package.module("commands").COMMANDS[example.document.name]
        by_name = self.bound(command, example.value)
        by_position = self.bound(command, _positional(example))
        if by_name != by_position:
            raise TypeError(f"by position it is {by_position}, by name {by_name}")
        self.send(command, example)
        return _changes(example.value, self.node.params)

    def bound(self, command: Any, params: Any) -> Any:
        """Return the request that a service gets."""
        values = self.package.module("runtime.server.bind").Binder(command).bind(json.dumps(params).encode())
        request = getattr(self.package.module("types"), command.request)
        return self.package.module("runtime.values.decode").build_request(request, values)

    def send(self, command: Any, example: Example) -> None:
        """Call the node by the client's method, or by name if no method has these parameters."""
        attributes = {each.name: each.attribute for each in command.parameters if not each.extension}
        self.node.answer = {}
        try:
            if example.value.keys() <= attributes.keys() and not example.document.raw.get("extension"):
                getattr(self.client, command.method)(
                    **{attributes[name]: value for name, value in example.value.items()}
                )
            else:
                self.client.rpc_call(command.name, example.value)
        except self.package.module("runtime.errors").DecodeError:
            pass  # {} is no answer to most commands, but here only the question counts


def _order(document: Document) -> list[str]:
    """Return the names of a command's parameters by position."""
    declared = dialect.fields(document.raw["request"])
    properties = document.raw["request"].get("properties", {})
    return [name for name, raw in properties.items() if (name,) in declared and not raw.get("extension")]


def _positional(example: Example) -> list[Any]:
    """Return the parameters by position, with null for those in between that are not given."""
    values = [example.value.get(name) for name in _order(example.document)]
    while values and values[-1] is None:
        values.pop()
    return values


def _changes(before: Any, after: Any, place: str = "") -> Iterator[str]:
    """Yield where two JSON values differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            inside = f"{place}.{name}" if place else name
            if name not in after or name not in before:
                yield f"{inside} is {'lost' if name in before else 'new'}"
            else:
                yield from _changes(before[name], after[name], inside)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _changes(one, other, f"{place}[{at}]")
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield f"{place or 'the whole'} is another"
