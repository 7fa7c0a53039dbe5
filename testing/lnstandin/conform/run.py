"""Compare all documents with a node: ask, compare, collect. The only module that asks a node without side effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from clnrpc.runtime.errors import METHOD_NOT_FOUND
from lnstandin.conform.answers import differences
from lnstandin.conform.errors import compare_error
from lnstandin.conform.findings import Finding, Kind
from lnstandin.conform.node import Node, NodeError, Reply
from lnstandin.conform.parameters import Comparison, compare_parameters, compare_rules
from lnstandin.conform.safe import TABLE, Known
from lnstandin.conform.usage import Usage, is_for_developers, read_help
from rpcschema.model.nodes import Document, SchemaNode


@dataclass(slots=True)
class Results:
    """What was compared so far.

    Attributes:
        findings: each finding and note once, in no order.
        checked: the commands whose parameters were compared.
        answered: the commands, notifications and hooks of which at least one answer or payload was compared.
        failed: by command, the error of a call that was meant to succeed.
    """

    findings: dict[Finding, None] = field(default_factory=dict)
    checked: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, findings: Iterable[Finding]) -> None:
        """Add findings."""
        self.findings.update(dict.fromkeys(findings))

    def compare(self, subject: str, schema: SchemaNode, value: Any, where: str) -> None:
        """Compare a value that the node sent with its schema."""
        self.answered.add(subject)
        found = differences([schema], value, where)
        self.add(Finding(each.kind, subject, each.where, each.document, each.node) for each in found)


class Conformance:
    """Documents compared with one node."""

    def __init__(self, documents: Sequence[Document], node: Node) -> None:
        self.documents: Mapping[tuple[str, str], Document] = {(each.kind, each.name): each for each in documents}
        self.node = node
        self.known = Known()
        self.results = Results()

    def command(self, name: str) -> Document | None:
        """Return the document of a command."""
        return self.documents.get(("rpc", name))

    def compare_commands(self, progress: Callable[[str], None]) -> None:
        """Compare all commands with `help` and `check`, then call those that are free of side effects.

        Raises:
            NodeError: if the node does not answer.
        """
        usages = self.usages()
        self.results.add(self._compare_existence(set(usages)))
        for (kind, name), document in self.documents.items():
            if kind == "rpc" and name in usages:
                progress(f"check {name}")
                comparison = compare_parameters(document, usages[name])
                self.results.add(drive(comparison, partial(self.node.check, name)))
                self.results.checked.add(name)
        self._compare_unknown_command()
        self.call_safe(set(usages), progress)

    def call_safe(self, commands: set[str], progress: Callable[[str], None]) -> None:
        """Call the commands that are free of side effects, and compare their answers and their rules."""
        for name, safe in TABLE.items():
            document = self.command(name)
            if document is None or name not in commands:
                continue
            progress(f"call {name}")
            given: Mapping[str, Any] | None = None
            for params in safe.calls(self.known):
                given = params if given is None else given
                self.call(name, params)
            if given is not None:
                self.results.add(drive(compare_rules(document, given), partial(self.ask, name)))

    def call(self, name: str, params: Mapping[str, Any]) -> Reply:
        """Call a command and compare its answer or its error."""
        reply, document = self.ask(name, params), self.command(name)
        if reply.failed:
            self.results.failed.setdefault(name, f"{reply.code}: {reply.message}")
        else:
            self.results.failed.pop(name, None)
            self.known.add(name, reply.result)
            if document is not None:
                self.results.compare(name, document.response, reply.result, "response")
        return reply

    def ask(self, name: str, params: Mapping[str, Any]) -> Reply:
        """Call a command and compare only its error."""
        reply, document = self.node.ask(name, params), self.command(name)
        if document is not None:
            self.results.add(compare_error(document, reply))
        return reply

    def usages(self) -> Mapping[str, Usage]:
        """Return the usage of each of the node's commands, by name. Raises NodeError."""
        reply = self.node.ask("help")
        if reply.failed:
            raise NodeError(f"the node does not answer help: error {reply.code}: {reply.message}")
        try:
            return read_help(reply.result)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise NodeError("the node's answer to help is not a list of commands with their usage") from error

    def _compare_existence(self, commands: set[str]) -> Iterator[Finding]:
        documented = {name: document for (kind, name), document in self.documents.items() if kind == "rpc"}
        for name in documented.keys() - commands:
            if not is_for_developers(name) and not documented[name].deprecated:
                yield Finding(Kind.COMMAND_MISSING, name, "", "describes it", "does not have it")
        for name in commands - documented.keys():
            if not is_for_developers(name):
                yield Finding(Kind.COMMAND_UNDOCUMENTED, name, "", "", "has it")

    def _compare_unknown_command(self) -> None:
        reply = self.node.ask("lnstandin-no-such-command")
        if reply.code != METHOD_NOT_FOUND:
            what = f"error {reply.code}: {reply.message}" if reply.failed else "answers"
            says = f"an unknown command is error {METHOD_NOT_FOUND}"
            self.results.add([Finding(Kind.ERROR_CODE, "(unknown command)", "", says, what)])


def drive(comparison: Comparison, ask: Callable[[Mapping[str, Any]], Reply]) -> list[Finding]:
    """Carry out a comparison: make the calls that it yields, and return its findings."""
    try:
        params = next(comparison)
        while True:
            params = comparison.send(ask(params))
    except StopIteration as finished:
        findings: list[Finding] = finished.value
        return findings
