"""What the tests of the generator share."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rpcschema.settings import Settings
from tests.generator.packages import documents, forget, imported, write

NUMBERS = count()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Have programs that are started get SIGINT, even if it is ignored here, as it is in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Generate a package in `tmp_path/out`, with another name for each test, and import it."""
    made: list[str] = []

    def generate(*raws: dict[str, Any]) -> ModuleType:
        name = f"generated_for_test_{next(NUMBERS)}"
        made.append(name)
        sources = tmp_path / f"sources-{name}"
        sources.mkdir()
        settings = Settings(package=name, targets=("python", "client", "service", "plugin"), release="v26.09")
        write(documents(sources, *raws), settings, tmp_path / "out")
        return imported(name)

    (tmp_path / "out").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "out"))
    yield generate
    forget(made)
