"""The commands about facts: `sync` and `pack`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rpcschema.cli.common import FAILED, FINDING, FINE, AllWarnings, complain, printable, project_table, report, tidy
from rpcschema.problems import has_errors
from rpcschema.read.corrections import NONE, read_corrections
from rpcschema.read.packed import SUFFIX
from rpcschema.settings import SettingsError
from rpcschema.write import output


def bring_facts(
    upstream: Annotated[Path, Parameter(help="A checkout of Core Lightning, or a folder of its documents.")],
    *,
    facts: Annotated[str | None, Parameter(help="The folder of facts. [default: what pyproject.toml says]")] = None,
    corrections: Annotated[
        str | None, Parameter(help="Table of where nodes contradict the facts. [default: what pyproject.toml says]")
    ] = None,
    check: Annotated[
        bool, Parameter(help="Write nothing, and exit with 1 if anything has changed.", negative=(), show_default=False)
    ] = False,
    all_warnings: AllWarnings = False,
) -> int:
    """Bring a folder of facts to the state of a checkout of Core Lightning, keep its words, and print what changed.

    That includes corrections that are no longer needed, or that the documents no longer fit.
    """
    from rpcschema.facts.sync import sync  # noqa: PLC0415 # 0085: slow

    project = project_table(is_needed=facts is None)
    folder = Path(facts) if facts else project.facts
    table = Path(corrections) if corrections else None if facts else project.corrections
    if folder is None or facts == "":
        raise SettingsError("--facts is needed: the name of a folder; no [tool.rpcschema] of a pyproject.toml gives it")
    if not check:
        tidy(folder)
    synced = sync(upstream, folder, NONE if table is None else read_corrections(table))
    report(synced.problems, every=all_warnings)
    if has_errors(synced.problems):
        complain("nothing was written")
        return FAILED
    if not check:
        output.write(folder, synced.changes, last="")
    for line in synced.report:
        print(printable(line))
    removed = sum(change.new is None for change in synced.changes)
    counts = f"{len(synced.changes) - removed} {'to write' if check else 'written'}, {removed} "
    counts += "to remove" if check else "removed"
    print(printable(f"{folder}: {counts if synced.changes else 'nothing changed'}"))
    return FINDING if check and synced.changes else FINE


def pack(
    place: Annotated[str, Parameter(name="PLACE")],
    file: Annotated[Path, Parameter(name="FILE")],
) -> int:
    """Write the facts of a release to FILE, which ends in `.json.gz` and which `diff` reads.

    PLACE is a folder of documents, a checkout of Core Lightning, or REPO@REVISION, which git reads.
    """
    from rpcschema.diff.sources import release_at  # noqa: PLC0415 # 0085: slow
    from rpcschema.facts.pack import packed  # noqa: PLC0415 # 0085: slow

    if not file.name.endswith(SUFFIX) or file.name == SUFFIX:
        raise SettingsError(f"{file}: the name of a packed release ends in {SUFFIX}")
    release = release_at(place)
    report(release.errors)
    if release.errors:
        complain("nothing was written: mend the documents first")
        return FAILED
    output.write(file.parent, [output.Change(file.name, None, packed(release.documents))], last="")
    print(f"{len(release.documents)} documents")
    return FINE
