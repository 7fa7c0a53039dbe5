"""By whom output is made: what was made by another generator, or with other settings, is made anew."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Final

from rpcschema.settings import Settings, templates_dir

_PINNED: Final = ("black", "datamodel-code-generator")
"""The tools whose releases decide the bytes of generated code."""


def maker(settings: Settings) -> str:
    """A SHA-256 sum, in hexadecimal, over this package, its templates, the pinned tools and `settings`.

    It is the same on each machine, and for a wheel and a checkout.
    """
    package = Path(__file__).resolve().parent.parent
    templates = templates_dir()
    sources = [(file.relative_to(package), file) for pattern in ("*.py", "*.json") for file in package.rglob(pattern)]
    sources += [(file.relative_to(templates.parent), file) for file in templates.rglob("*.jinja*")]
    made_by = hashlib.sha256()
    for name, file in sorted(sources):
        content = file.read_bytes()
        made_by.update(f"{name.as_posix()} {len(content)}\n".encode())
        made_by.update(content)
    made_by.update(repr([*((tool, version(tool)) for tool in _PINNED), asdict(settings)]).encode())
    return made_by.hexdigest()
