"""Python names for the names of documents.

The names of documents are wire names: `lightning-dir`, `target/subcommand`, `return`, or anything that a hostile
document contains. Every name in generated code comes from one of these functions, which return only identifiers.
"""

from __future__ import annotations

import keyword
import re
from typing import Final

from rpcschema.model.nodes import Document
from rpcschema.python.types import SCALARS

_BAD: Final = re.compile(r"[^0-9A-Za-z_]")
_BUILTIN: Final = frozenset({"bool", "dict", "float", "int", "list", "str"})
_IMPORTED: Final = frozenset({"Any", "Literal", "Mapping", "Reply", "Sequence", "call", "stub"})
_TAKEN: Final = frozenset({"self", *_BUILTIN, *_IMPORTED, *SCALARS.values()})
"""Names that generated classes use, and that a member or method with the same name would hide."""
NOT_FOR_ITEMS: Final = _TAKEN | {
    *("AsyncClient", "BasePlugin", "Caller", "Calls", "Client"),
    *("Plugin", "PluginEvent", "Received", "Service", "TypeAlias"),
}
"""Names that generated modules define or import, so that no nested class may have them."""
_IRREGULAR: Final = {"aliases": "alias", "biases": "bias", "indices": "index", "statuses": "status"}
_NO_PLURAL: Final = ("is", "ss", "us")
"""Endings that look like a plural but are not."""


def attribute(wire_name: str) -> str:
    """Return the Python attribute or parameter for a wire name.

    An invalid character becomes `_`, and a name that Python or the generated code needs gets one trailing `_`.
    """
    name = _BAD.sub("_", wire_name) or "_"
    if name[0].isdigit():
        name = "_" + name
    if name.startswith("__"):  # Python mangles or reserves these inside a class
        name = "_" + name.lstrip("_")
    if keyword.iskeyword(name) or name in _TAKEN:
        name += "_"
    return name


def member(document: Document, wire_name: str) -> str:
    """Return the attribute for a wire name in the document's classes; `_` follows a name that could hide one of these
    classes.
    """
    name = attribute(wire_name)
    return f"{name}_" if name.startswith(pascal(document.name)) and not name.endswith("_") else name


def pascal(wire_name: str) -> str:
    """Return the wire name in PascalCase, split at everything but letters and digits; `N` precedes a leading digit."""
    parts = re.split(r"[^0-9A-Za-z]+", wire_name)
    name = "".join(part[:1].upper() + part[1:] for part in parts)
    return f"N{name}" if name[:1].isdigit() else name


def singular(wire_name: str) -> str:
    """Return the name of one element of the array `wire_name`: `channel_updates` gives `channel_update`."""
    before, word = wire_name[: wire_name.rfind("_") + 1], wire_name[wire_name.rfind("_") + 1 :]
    if word in _IRREGULAR:
        word = _IRREGULAR[word]
    elif word.endswith("ies"):
        word = f"{word[:-3]}y"
    elif word.endswith(("ches", "shes", "sses", "xes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(_NO_PLURAL):
        word = word[:-1]
    return before + word


def item_class(owner: str, wire_name: str) -> str:
    """Return the name of a class nested in the class `owner`: `ListoffersOffer` in `ListoffersResponse`."""
    return re.sub("(?:Request|Response)$", "", owner) + pascal(wire_name)


def runtime(home: str) -> str:
    """Return the name of the runtime in the package `home`."""
    return f"{home}.runtime"


def scalars(home: str) -> str:
    """Return the name of the module with the scalar aliases, in the runtime of `home`."""
    return f"{runtime(home)}.values.scalars"


def request_class(document: Document) -> str | None:
    """Return the class of a command's parameters or a hook's payload; None for a notification."""
    return {"rpc": f"{pascal(document.name)}Request", "hook": f"{pascal(document.name)}HookRequest"}.get(document.kind)


def response_class(document: Document) -> str:
    """Return the class of a command's result, a notification's payload, or a hook's response."""
    suffix = {"rpc": "Response", "notification": "Notification", "hook": "HookResponse"}[document.kind]
    return pascal(document.name) + suffix


def case_class(document: Document, value: str) -> str:
    """Return the class of a response whose discriminator has this value: `DecodeBolt12OfferResponse`."""
    stem = pascal(document.name)
    return stem + pascal(value) + response_class(document).removeprefix(stem)


def module(document: Document) -> str:
    """Return the module of a document's classes under `<package>.types`."""
    stem = attribute(document.name)
    return stem if document.kind == "rpc" else f"{stem}_{document.kind}"


def method(document: Document) -> str:
    """Return the method of a command on clients and services."""
    return attribute(document.name)


def event_method(document: Document) -> str:
    """Return the method of a notification or hook on plugins; the prefix keeps equal names apart."""
    return attribute(f"{'hook' if document.kind == 'hook' else 'on'}_{document.name}")
