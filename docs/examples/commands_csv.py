"""A target for rpcschema: a table of all commands, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from rpcschema.model.nodes import Document
from rpcschema.settings import Settings


def commands(documents: Sequence[Document], _: Settings) -> dict[str, bytes]:
    """Return the files of the target, by path in the output folder."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["command", "title", "parameters", "deprecated"])
    for document in documents:
        if document.kind == "rpc":
            deprecated = document.deprecated if isinstance(document.deprecated, tuple) else ()
            row = [document.name, document.title, " ".join(document.request.positional), " ".join(deprecated)]
            table.writerow(row)
    return {"commands.csv": text.getvalue().encode()}
