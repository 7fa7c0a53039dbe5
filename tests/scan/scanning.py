"""Scan sources that a test writes."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Final

from rpcschema.findings import Finding
from rpcschema.scan.run import Scan, run
from rpcschema.scan.table import read_table
from rpcschema.settings import schemas_dir

TABLE: Final = read_table(schemas_dir() / "deprecations.toml")
RELEASE: Final = "v27.03"


def scan(folder: Path, *sources: str, release: str = RELEASE) -> Scan:
    """Return the outcome for modules with these sources, called 0.py, 1.py and so on."""
    for number, source in enumerate(sources):
        (folder / f"{number}.py").write_text(dedent(source))
    return run([folder], TABLE, release, None)


def found(folder: Path, *sources: str, release: str = RELEASE) -> list[str]:
    """Return the findings in short: "3 pay", "5 msatoshi" or "7 path[].delay", by file and line."""
    return [in_short(finding) for finding in scan(folder, *sources, release=release).findings]


def in_short(finding: Finding) -> str:
    """Return the line, and what is deprecated: the field, parameter or command."""
    named = finding.more.get("field") or finding.more.get("parameter") or finding.more["name"]
    return f"{finding.line} {named}"
