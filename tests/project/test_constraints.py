"""The committed versions: exact, without addresses, and of everything that the project asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.shared import ROOT

FILES = sorted((ROOT / "constraints").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def versions(file: Path) -> dict[str, set[str]]:
    """Return the versions of each package in a file: several, if they depend on the Python."""
    found: dict[str, set[str]] = {}
    for line in lines(file):
        requirement = Requirement(line)
        found.setdefault(canonical(requirement.name), set()).add(str(requirement.specifier).removeprefix("=="))
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def users() -> list[Requirement]:
    """Return the dependencies of the package and its extras."""
    project = PROJECT["project"]
    texts = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    return [Requirement(text) for text in texts if not text.startswith("clnrpc[")]


def sessions() -> list[Requirement]:
    """Return what else the sessions that share `sessions.txt` install, and the tools that build the package."""
    alone = {file.stem for file in FILES}
    groups = [group for name, group in PROJECT["dependency-groups"].items() if name not in alone]
    texts = [text for group in groups for text in group if isinstance(text, str)]
    return [Requirement(text) for text in (*PROJECT["build-system"]["requires"], *texts)]


@each_file
def test_holds_names_and_exact_versions_only(file: Path) -> None:
    wrong = [line for line in lines(file) if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [^/@]+)?", line)]
    assert wrong == []


@each_file
def test_pins_the_tools_that_build_the_package(file: Path) -> None:
    assert {"hatchling", "editables"} <= versions(file).keys()


@pytest.mark.parametrize("requirement", [*users(), *sessions()], ids=str)
def test_session_versions_lie_in_the_declared_ranges(requirement: Requirement) -> None:
    locked = versions(ROOT / "constraints" / "sessions.txt")[canonical(requirement.name)]
    assert all(requirement.specifier.contains(version) for version in locked), "python3 noxfile.py lock"


@pytest.mark.parametrize("requirement", users(), ids=str)
def test_lowest_versions_are_the_lower_bounds(requirement: Requirement) -> None:
    locked = versions(ROOT / "constraints" / "lowest.txt")[canonical(requirement.name)]
    bounds = {Version(each.version) for each in requirement.specifier if each.operator in {">=", "=="}}
    assert {Version(version) for version in locked} == bounds, "python3 noxfile.py lock"
