"""Target `errors`: a module with a constant and a class for each error code, and a page that explains them.

Both follow from the documents, which list the codes of their commands, and from the table in `settings.errors`, which
names them. Without a table there is no page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rpcschema.errorcodes import OUTCOMES, ErrorCode, ErrorTable
from rpcschema.model.nodes import Document
from rpcschema.problems import Problem
from rpcschema.python import docs, names
from rpcschema.python.source import formatted, import_block, literal
from rpcschema.settings import Settings
from rpcschema.targets import Collected, DocumentSummary, Made, Target, has_error_page
from rpcschema.targets.render import environment
from rpcschema.targets.subject import Subject
from rpcschema.text import commonmark


@dataclass(frozen=True, slots=True)
class _CodeView:
    """A code, as source and as Markdown."""

    code: int
    name: str
    class_name: str
    doc: str
    """The docstring of its class, with its quotes."""
    title: str
    """The name, as a heading."""
    anchor: str
    """What a link to the heading ends with."""
    text: str
    """Its meaning, and advice."""
    commands: str
    """A sentence that names the commands that return it."""
    outcomes: tuple[tuple[str, str, str], ...]
    """Triples of a command, an outcome and its reason."""


def document(subject: Subject) -> Made:
    """Return the codes of a command, and the contradictions between its document and the table."""
    document, table = subject.document, subject.settings.errors
    if document.kind != "rpc":
        return Made()
    problems = tuple(
        Problem(document.file, "/errors", message, detail)
        for message, detail in table.faults(document.name, document.error_codes)
    )
    codes = table.codes_of(document.name, document.error_codes)
    return Made(summary={"codes": codes, "page": _page_of(document)}, problems=problems)


def _page_of(document: Document) -> str:
    """Return the page of a command beside the page of errors; "" for a document of facts, which has none."""
    return "" if document.is_facts else f"{document.name}.md"


def collection(summaries: Sequence[DocumentSummary], settings: Settings) -> Collected:
    """Render the module and the page."""
    table = settings.errors
    commands = {each.name: each.values for each in summaries if each.kind == "rpc"}
    message = "there is no document of this command"
    problems = tuple(Problem(table.name, "", message, name) for name in table.unmatched(commands))
    returned = {name: tuple(_codes(values)) for name, values in commands.items()}
    has_pages = "markdown" in settings.targets
    links = {name: _link(name, str(values["page"]) if has_pages else "") for name, values in commands.items()}
    views = [_view(each, table, returned, links) for each in table.codes]
    outcomes = [
        (literal((rule.command or "", rule.code)), f"Outcome.{rule.outcome.upper()}")
        for outcome in OUTCOMES
        for rule in table.outcomes
        if rule.outcome == outcome
    ]
    context = {
        "imports": import_block({f"{names.runtime(settings.home)}.errors": ["Outcome", "RpcError"]}, settings.package),
        "codes": views,
        "classes": [(view.name, view.class_name) for view in views],
        "commands": [(literal(name), literal(codes)) for name, codes in returned.items() if codes],
        "outcomes": outcomes,
    }
    templates, path = environment("errors", settings.templates), f"{settings.package}/errors.py"
    files = {path: formatted(templates.get_template("errors.py.jinja").render(context), path)}
    if has_error_page(settings):
        files["docs/errors.md"] = templates.get_template("page.md.jinja").render(context).encode()
    return Collected(files=files, problems=problems)


def _view(
    each: ErrorCode, table: ErrorTable, returned: Mapping[str, Sequence[int]], links: Mapping[str, str]
) -> _CodeView:
    """Return a code as templates need it; `returned` has the codes of each command."""
    text = " ".join(filter(None, (each.meaning, each.advice)))
    return _CodeView(
        code=each.code,
        name=each.name,
        class_name=each.class_name,
        doc=docs.docstring(f"Code {each.code}, {each.name}: {text}", indent=4),
        title=commonmark.title(each.name),
        anchor=each.name.lower(),
        text=commonmark.inline(text),
        commands=_returned_by(
            [links[name] for name, codes in returned.items() if each.code in codes], of_any=each.of_any_command
        ),
        outcomes=tuple(_outcomes(each, table, links)),
    )


def _outcomes(each: ErrorCode, table: ErrorTable, links: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for rule in table.outcomes:
        if rule.code == each.code:
            command = "any command" if rule.command is None else links.get(rule.command, rule.command)
            yield command, rule.outcome, commonmark.inline(rule.reason)


def _returned_by(links: Sequence[str], *, of_any: bool) -> str:
    if of_any:
        return "Any command can return it."
    return f"Returned by {', '.join(links)}." if links else "No command of these documents returns it."


def _codes(values: Mapping[str, object]) -> Sequence[int]:
    codes = values["codes"]
    return codes if isinstance(codes, list | tuple) else ()


def _link(name: str, page: str) -> str:
    shown = commonmark.text(name)
    return f"[{shown}]({page})" if page else shown


TARGET: Final = Target(name="errors", document=document, collection=collection)
