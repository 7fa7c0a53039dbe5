"""The same documents give the same bytes, whatever may differ from one run to the next."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tests.audit.documents import Package, generate


def repeats(package: Package, work: Path) -> Iterator[tuple[str, list[str]]]:
    """Generate a package again under other conditions; yield their name and the files that differ."""
    documents = list(package.documents)
    shuffled = random.Random(0).sample(documents, len(documents))
    for name, order, jobs, seed in (
        ("1 job, hash seed 1", documents, 1, "1"),
        ("shuffled files, 2 jobs, hash seed 2", shuffled, 2, "2"),
    ):
        folder = work / f"repeat-{seed}"
        generate(order, package.name, folder, jobs=jobs, environment={"PYTHONHASHSEED": seed})
        yield name, _changed(_tree(package.folder), _tree(folder))


def _tree(folder: Path) -> dict[str, bytes]:
    # Importing a package leaves bytecode in it.
    files = (file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc")
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def _changed(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
