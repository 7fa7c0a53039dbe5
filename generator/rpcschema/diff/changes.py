"""Compare the documents of two releases.

A field is compared with all its conditionals resolved, so a conditional that is only written in another way is no
change. Of what was added or removed with everything in it, only the outermost is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TypeAlias

from rpcschema.diff.fields import Field, Limits, flattened, parent
from rpcschema.diff.rules import RULES, Rule, Verdict
from rpcschema.diff.types import all_within
from rpcschema.model.conditions import Conjunction
from rpcschema.model.nodes import KIND_NAMES, Deprecated, Document, DocumentKind
from rpcschema.model.releases import newest, order
from rpcschema.text.prose import unescaped
from rpcschema.text.words import conjunction_words, release_words, rule_words

_Key: TypeAlias = tuple[DocumentKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between two releases."""

    rule: Rule
    kind: DocumentKind
    document: str
    """The name of the command, notification or hook."""
    file: str
    """The document's file, relative to its folder: the new one, or the old one if there is no new one."""
    path: str = ""
    """The path of the field (`fields`); empty for the whole document."""
    before: str = ""
    after: str = ""
    notice: str = ""
    """For what was removed: whether its removal was announced, and whether the promised releases still had it."""
    hidden: bool = False
    """Whether pages omit it, as what only developers use. Nobody is promised it, so every change is safe."""

    @property
    def callers(self) -> Verdict:
        """What it means for callers."""
        return Verdict.SAFE if self.hidden else self.rule.callers

    @property
    def implementers(self) -> Verdict:
        """What it means for implementers."""
        return Verdict.SAFE if self.hidden else self.rule.implementers


def changes(old: Iterable[Document], new: Iterable[Document]) -> tuple[Change, ...]:
    """Return all changes, document by document in the order of their kinds and names."""
    before, after = _by_key(old), _by_key(new)
    release = newest(after.values())
    return tuple(
        change for key in sorted({*before, *after}) for change in _of_document(before.get(key), after.get(key), release)
    )


def _by_key(documents: Iterable[Document]) -> Mapping[_Key, Document]:
    return {(document.kind, document.name): document for document in documents}


def _of_document(old: Document | None, new: Document | None, release: str | None) -> Iterator[Change]:
    document = new or old
    assert document is not None
    make = _Maker(document)
    word = KIND_NAMES[document.kind]
    if old is None:
        yield make(f"{word}-added")
    elif new is None:
        yield make(f"{word}-removed", notice=_notice(old.deprecated, release))
    else:
        yield from _deprecations(make, word, "", old.deprecated, new.deprecated)
        yield from _errors(make, old, new)
        yield from _rules(make, old, new)
        yield from _fields(make, old, new, release)


class _Maker:
    """Makes the changes of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def __call__(  # noqa: PLR0913 - one parameter per attribute
        self, rule: str, path: str = "", before: str = "", after: str = "", *, notice: str = "", hidden: bool = False
    ) -> Change:
        return Change(
            rule=RULES[rule],
            kind=self._document.kind,
            document=self._document.name,
            file=self._document.file,
            path=path,
            before=before,
            after=after,
            notice=notice,
            hidden=hidden,
        )

    def noun(self, path: str) -> str:
        """Return whether programs send ("parameter") or receive ("field") what is at a path."""
        half = "response" if self._document.kind == "hook" else "request"
        return "parameter" if path.partition(".")[0].removesuffix("[]") == half else "field"


def _fields(make: _Maker, old: Document, new: Document, release: str | None) -> Iterator[Change]:
    before, after = flattened(old), flattened(new)
    has_prose = not (old.is_facts or new.is_facts)
    for path in dict.fromkeys((*before, *after)):
        was, now, outer = before.get(path), after.get(path), parent(path)
        noun = make.noun(path)
        if was is not None and now is not None:
            yield from _of_field(make, noun, was, now, has_prose=has_prose)
        elif was is None and now is not None:
            if outer in before or outer not in after:
                yield make(f"{'required-' * now.required}{noun}-added", path, "", _types(now), hidden=now.hidden)
        elif was is not None and (outer in after or outer not in before):
            notice = _notice(_announced(before, path) or old.deprecated, release)
            rule = f"{'required-' * was.required}{noun}-removed"
            yield make(rule, path, _types(was), notice=notice, hidden=was.hidden)
    if old.kind == "rpc":
        yield from _order(make, old, new)


def _announced(fields: Mapping[str, Field], path: str) -> Deprecated | None:
    """Return the deprecation of a field, or of one that holds it."""
    while path in fields:
        if (deprecated := fields[path].deprecated) is not None:
            return deprecated
        path = parent(path)
    return None


def _of_field(make: _Maker, noun: str, was: Field, now: Field, *, has_prose: bool) -> Iterator[Change]:
    """Yield what changed of a field. Without prose, no default means nothing: it can be one that only prose gives."""
    path, hidden = was.path, was.hidden and now.hidden

    def change(what: str, before: str, after: str) -> Change:
        return make(f"{noun}-{what}", path, before, after, hidden=hidden)

    if was.required != now.required:
        yield change(f"became-{_presence(now)}", _presence(was), _presence(now))
    else:
        yield from (change(*each) for each in _case_changes("cases", was.conditions, now.conditions, "in any case"))
        yield from (change(*each) for each in _case_changes("demands", was.demands, now.demands, "never"))
    wider, narrower = all_within(was.types, now.types), all_within(now.types, was.types)
    if not (wider and narrower):
        how = "widened" if wider else "narrowed" if narrower else "changed"
        yield change(f"type-{how}", _types(was), _types(now))
    yield from (change(*each) for each in _value_changes(was, now))
    yield from (change(*each) for each in _limit_changes(was.limits, now.limits))
    before, after = was.default or was.default_prose, now.default or now.default_prose
    if before != after and (has_prose or (was.default and now.default)):
        yield change("default-changed", before or "none", after or "none")
    yield from _deprecations(make, noun, path, was.deprecated, now.deprecated, hidden=hidden)


def _case_changes(
    what: str, was: frozenset[Conjunction], now: frozenset[Conjunction], none: str
) -> Iterator[tuple[str, str, str]]:
    """Yield the cases in which a field can be present, or must be, that were added and removed.

    `none` is what it means if there are no conditions.
    """
    if was == now:
        return
    added, removed = _cases(now - was), _cases(was - now)
    grows = (not now) if what == "cases" else (not was)
    shrinks = (not was) if what == "cases" else (not now)
    if grows or shrinks:
        yield f"{what}-{'added' if grows else 'removed'}", _cases(was) or none, _cases(now) or none
        return
    if added:
        yield f"{what}-added", "", added
    if removed:
        yield f"{what}-removed", removed, ""


def _value_changes(was: Field, now: Field) -> Iterator[tuple[str, str, str]]:
    if was.values == now.values:
        return
    if was.values is None:
        yield "values-removed", "any value", _values(now.values)
    elif now.values is None:
        yield "values-added", _values(was.values), "any value"
    else:
        if added := now.values - was.values:
            yield "values-added", "", _values(added)
        if removed := was.values - now.values:
            yield "values-removed", _values(removed), ""


def _values(values: frozenset[str] | None) -> str:
    return ", ".join(sorted(values or ()))


def _limit_changes(was: Limits, now: Limits) -> Iterator[tuple[str, str, str]]:
    for field in fields(Limits):
        before, after = getattr(was, field.name), getattr(now, field.name)
        if before == after:
            continue
        is_lowered = before is not None and after is not None and after < before
        is_loosened = after is None or (before is not None and is_lowered == field.name.startswith("min"))
        name = field.name.replace("_", " ")
        yield f"limits-{'loosened' if is_loosened else 'tightened'}", _limit(name, before), _limit(name, after)


def _limit(name: str, value: int | None) -> str:
    return f"no {name}" if value is None else f"{name} {value}"


def _order(make: _Maker, old: Document, new: Document) -> Iterator[Change]:
    """Yield a change if a value that is given by position goes to another parameter, apart from those removed."""
    before, after = old.request.positional, new.request.positional
    kept = tuple(name for name in before if name in after)
    if after[: len(kept)] != kept:
        yield make("parameters-reordered", "request", " ".join(before), " ".join(after))


def _rules(make: _Maker, old: Document, new: Document) -> Iterator[Change]:
    before, after = (dict.fromkeys(rule_words(each.request)) for each in (old, new))
    yield from (make("parameter-rule-removed", "request", before=text) for text in before if text not in after)
    yield from (make("parameter-rule-added", "request", after=text) for text in after if text not in before)


def _errors(make: _Maker, old: Document, new: Document) -> Iterator[Change]:
    """Yield the error codes that differ. A document without a list of them says nothing about them."""
    before, after = old.error_codes, new.error_codes
    if before and after:
        yield from (make("error-removed", before=str(code)) for code in before if code not in after)
        yield from (make("error-added", after=str(code)) for code in after if code not in before)


def _deprecations(  # noqa: PLR0913 - two deprecations, and where they are
    make: _Maker, noun: str, path: str, was: Deprecated | None, now: Deprecated | None, *, hidden: bool = False
) -> Iterator[Change]:
    before, after = _deprecation(was), _deprecation(now)
    if before != after:
        what = "deprecated" if not before else "deprecation-changed"
        yield make(f"{noun}-{what}", path, before or "not deprecated", after or "not deprecated", hidden=hidden)


def _deprecation(deprecated: Deprecated | None) -> str:
    return unescaped(", ".join(release_words(None, deprecated)))


def _notice(deprecated: Deprecated | None, release: str | None) -> str:
    """Return whether a removal was announced, and whether `release`, the one without it, came after the last promised.

    A window is kept if the release that removes comes after the last one that was to support it.
    """
    if deprecated is None or deprecated is False:
        return "removed without notice"
    told = _deprecation(deprecated)
    if not isinstance(deprecated, tuple) or len(deprecated) < 2 or release is None:
        return f"{told}; no last release was named"
    kept = order(release) > order(deprecated[1])
    return f"{told}; window {'kept' if kept else f'not kept: {release} is without it'}"


def _presence(field: Field) -> str:
    return "required" if field.required else "optional"


def _types(field: Field) -> str:
    return " or ".join(sorted(field.types))


def _cases(conditions: frozenset[Conjunction]) -> str:
    return unescaped(", or ".join(sorted(map(conjunction_words, conditions))))
