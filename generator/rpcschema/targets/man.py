"""Target `man`: a page of section 7 for each document, in roff, from `templates/man/`.

A command's page is called lightning-<name>, as `lightning-cli help <name>` expects. Pages of notifications and hooks,
which can have the name of a command, are called lightning-notification-<name> and lightning-hook-<name>.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from rpcschema.model.nodes import Document
from rpcschema.model.walk import nodes
from rpcschema.targets import Made, Target
from rpcschema.targets.render import environment
from rpcschema.targets.subject import Subject
from rpcschema.text import roff
from rpcschema.text.page import print_page

_PREFIXES: Final = {"rpc": "lightning-", "notification": "lightning-notification-", "hook": "lightning-hook-"}
_VOLUMES: Final = {"rpc": "RPC commands", "notification": "RPC notifications", "hook": "Plugin hooks"}
_RELEASE: Final = re.compile(r"v(\d\d)\.(0[1-9]|1[0-2])\b")
_UNDATED: Final = "2022-11-01"
"""For pages that name no release: the month of v22.11, the first release named after its month. mandoc warns about a
page without a date, and about any other text in its place."""


def _document(subject: Subject) -> Made:
    document = subject.document
    name = _PREFIXES[document.kind] + document.name
    page = (
        environment("man", subject.settings.templates)
        .get_template("page.7.jinja")
        .render(
            page=roff.title(name),
            date=_date(document),
            volume=roff.text(_VOLUMES[document.kind]),
            name=roff.text(name),
            title=roff.text(document.title),
            sections=print_page(subject.outline, roff),
        )
    )
    return Made(files={f"man/{name}.7": page.encode("ascii")})


def _date(document: Document) -> str:
    """Return the month of the newest release in which the document added something.

    A page must have a date; this one changes only with the content of the page.
    """
    months = (_RELEASE.match(added) for added in _added(document))
    return max((f"20{month[1]}-{month[2]}-01" for month in months if month), default=_UNDATED)


def _added(document: Document) -> Iterator[str]:
    everything = chain(nodes(document.request), nodes(document.response))
    yield from filter(None, (document.added, *(node.added for node in everything)))


TARGET: Final = Target(name="man", document=_document)
