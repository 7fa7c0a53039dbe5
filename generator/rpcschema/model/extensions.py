"""What a document has beyond Core Lightning: parameters, fields and whole documents that are marked `extension`."""

from __future__ import annotations

from dataclasses import replace

from rpcschema.model.nodes import Request


def without_extensions(request: Request) -> Request:
    """The parameters of `request` that Core Lightning has, and the rules that bind these."""
    ours = {field.name for field in request.fields or () if field.node.extension}
    if not ours:
        return request
    dependent = ((name, _others(names, ours)) for name, names in request.dependent_upon or () if name not in ours)
    return replace(
        request,
        fields=tuple(field for field in request.fields or () if field.name not in ours),
        one_of_many=tuple(group for names in request.one_of_many or () if len(group := _others(names, ours)) > 1),
        paired_with=tuple(group for names in request.paired_with or () if len(group := _others(names, ours)) > 1),
        dependent_upon=tuple((name, names) for name, names in dependent if names),
    )


def _others(names: tuple[str, ...], ours: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in ours)
