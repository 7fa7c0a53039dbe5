"""Man pages made for a test, and how to read them."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from rpcschema.model.build import build
from rpcschema.model.nodes import Document
from rpcschema.targets.man import TARGET
from rpcschema.targets.subject import Subject
from tests.generator.pages import (
    SETTINGS,
)

needs_mandoc = pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
TITLES = {
    "rpc": ("PARAMETERS", "RETURN VALUE"),
    "notification": ("PARAMETERS", "PAYLOAD"),
    "hook": ("PAYLOAD", "RETURN VALUE"),
}


def render(document: Document) -> tuple[str, bytes]:
    """Return the path and the roff of a document's page."""
    ((path, content),) = TARGET.document(Subject(document, SETTINGS)).files.items()
    return path, content


def lint(*pages: bytes) -> str:
    """Return what mandoc says about pages, except for styles."""
    return "".join(
        subprocess.run(
            ["mandoc", "-Tlint", "-W", "warning"], input=page, capture_output=True, check=False
        ).stdout.decode()
        for page in pages
    )


def shown(page: bytes) -> str:
    """Return the page as a terminal shows it, without overstrikes."""
    output = subprocess.run(["mandoc", "-Tutf8"], input=page, capture_output=True, check=True).stdout.decode()
    return re.sub(".\b", "", output)


def sections(page: bytes) -> dict[str, list[str]]:
    """Return the lines of a shown page by section."""
    found: dict[str, list[str]] = {}
    for line in shown(page).splitlines()[1:-1]:
        if line and not line.startswith(" "):
            found[line] = []
        elif found:
            found[list(found)[-1]].append(line)
    return found


def page_of(**members: object) -> dict[str, list[str]]:
    """Return the sections of the page of a small command with `members`."""
    raw = {"rpc": "fill", "title": "Fill a tank", "description": ["Fills."], "request": {}, "response": {}, **members}
    return sections(render(build(raw, "fill.json"))[1])


def text_of(lines: list[str]) -> str:
    """Return lines as one paragraph."""
    return " ".join(" ".join(lines).split())
