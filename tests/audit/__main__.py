"""`python -m tests.audit`: prints the table; exits with 1 if a claim fails, with 2 if the audit cannot be made."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.audit import corrections, rows
from tests.audit.documents import AuditError
from tests.audit.examples import outcomes
from tests.audit.table import table
from tests.upstream import HOW, material

RELEASES: Final = ("master-2026-08", "v26.06", "v26.04", "v24.11")
"""Below the corpus; the first is the one that the claims about master are about."""


def main() -> int:
    """Make the audit."""
    corpus = {name: material(f"corpus/{name}/schemas") for name in RELEASES}
    missing = [name for name, folder in corpus.items() if not folder.is_dir()]
    if missing:
        raise AuditError(f"no documents of {', '.join(missing)}; {HOW}, or CLNRPC_SHARED to a folder with `corpus`")
    with TemporaryDirectory() as folder:
        work = Path(folder)
        _say("generating")
        releases = [rows.release(name, folder, work) for name, folder in corpus.items()]
        if len(releases[0].packages) != 1:
            raise AuditError(f"{RELEASES[0]} gives no package: {'; '.join(releases[0].failures)}")
        [master] = releases[0].packages
        found = []
        _say("mypy")
        found.append(rows.documents_generate(releases))
        _say("fields")
        found.append(rows.fields_are_found(releases))
        _say("corrections")
        found.append(rows.corrections_hold(corrections.read()))
        _say("examples")
        tried = outcomes(master)
        found += [rows.examples_decode(tried), rows.examples_return(tried)]
        _say("repeats")
        found.append(rows.runs_agree(master, work))
        found.append(rows.man_pages_are_clean(master))
        _say("pyln-client")
        found.append(rows.neighbours_work(work))
    print("\n".join(table(found)))
    return 1 if any(row.findings for row in found) else 0


def _say(what: str) -> None:
    """Show on a terminal what takes so long."""
    if sys.stderr.isatty():
        print(f"{what} ...", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AuditError as error:
        print(f"audit: {error}", file=sys.stderr)
        sys.exit(2)
