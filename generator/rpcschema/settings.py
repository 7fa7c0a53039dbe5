"""The settings that targets see, the table `[tool.rpcschema]` of pyproject.toml, and the folder of templates."""

from __future__ import annotations

import keyword
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from rpcschema.errorcodes import NO_CODES, ErrorTable
from rpcschema.problems import suggestion

_PACKAGE: Final = Path(__file__).resolve().parent
_FOLDERS: Final = frozenset({"docs", "jsonschema", "man", "model"})
"""Folders that other targets make in the output folder."""
_PROJECT: Final = "project/"
"""Where the templates of `plugin new` are, which belong to no target."""
_IMPORTED: Final = frozenset({"msgspec", "typing_extensions"})
"""What a generated package imports apart from the standard library."""

OWN: Final = "own"
RUNTIMES: Final = (OWN, "clnrpc")
"""Which runtime a generated package can use: a copy of its own, or that of the installed clnrpc."""

_is_release: Final = re.compile(r"v[0-9]+\.[0-9]+").fullmatch


def templates_dir() -> Path:
    """Return the folder of templates: the checkout's if this package is in one, else the packaged one.

    An editable install leaves a copy of the templates in site-packages that grows stale, so the checkout wins.
    """
    return _shipped("templates")


def schemas_dir() -> Path:
    """Return the folder of this project's documents and tables, in the checkout or the package as `templates_dir`."""
    return _shipped("schemas")


def _shipped(name: str) -> Path:
    checkout = _PACKAGE.parent.parent
    in_checkout = _PACKAGE.parent.name == "generator" and (checkout / "pyproject.toml").is_file()
    return (checkout if in_checkout else _PACKAGE) / name


def template_names() -> frozenset[str]:
    """Return the names of the templates of targets: their paths below the folder, e.g. "man/page.7.jinja"."""
    folder = templates_dir()
    names = (file.relative_to(folder).as_posix() for file in folder.rglob("*.jinja*"))
    return frozenset(name for name in names if not name.startswith(_PROJECT))


def template_file(name: str, own: Path | None) -> Path:
    """Return the file of the template `name`: that of the user's templates `own`, if they have it, else ours."""
    holder = own if own is not None and (own / name).is_file() else templates_dir()
    return holder / name


def own_templates(folder: Path) -> Path:
    """Return `folder`. Raises SettingsError if it holds anything but templates with the names of ours."""
    if not folder.is_dir():
        raise SettingsError(f"{folder}: the folder of templates does not exist")
    known = template_names()
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and name not in known:
            hint = suggestion(name, known) or f"; there are {', '.join(sorted(known))}"
            raise SettingsError(f"{file}: there is no template {name!r} to replace{hint}")
    return folder


class SettingsError(ValueError):
    """A setting cannot be used; the message says which one, where it is, and what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a target knows apart from the documents."""

    package: str
    """The generated package's import name, one identifier."""
    targets: tuple[str, ...]
    """All outputs that belong to the package, even if this run makes only some of them."""
    release: str | None = None
    """The release of Core Lightning that the documents describe, e.g. "v26.09"."""
    read_only: tuple[str, ...] = ()
    """The commands that change nothing."""
    errors: ErrorTable = NO_CODES
    """The names and meanings of the commands' error codes."""
    runtime: str = OWN
    """One of RUNTIMES."""
    templates: Path | None = None
    """The folder of the user's templates, which replace ours of the same names."""

    @property
    def home(self) -> str:
        """The package that has the runtime."""
        return self.package if self.runtime == OWN else self.runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectTable:
    """`[tool.rpcschema]`: defaults for the command line.

    Its paths are relative to the file that holds the table; here they are joined to that file's folder.
    """

    schemas: tuple[Path, ...] = ()
    out: Path | None = None
    package: str | None = None
    targets: tuple[str, ...] | None = None
    release: str | None = None
    facts: Path | None = None
    """The folder that `sync` updates."""
    corrections: Path | None = None
    """The table of corrections to `schemas`."""
    read_only: Path | None = None
    """The table of commands that change nothing."""
    errors: Path | None = None
    """The table of the error codes in `schemas`."""
    lint: Mapping[str, Any] = field(default_factory=dict)
    """The table `lint`: levels of rules, as they stand there."""
    runtime: str | None = None
    templates: Path | None = None
    """The folder of templates that replace those of the generator."""


def package_name(text: str) -> str:
    """Return `text`. Raises SettingsError if it cannot be the name of a package and its folder."""
    if not (text.isascii() and text.isidentifier()) or keyword.iskeyword(text):
        raise SettingsError(
            f"{text!r} cannot be the name of a package: use ASCII letters, digits and _, and no keyword of Python"
        )
    if text.lower() in _FOLDERS:
        raise SettingsError(f"{text!r} cannot be the name of a package: the folder of that name holds other output")
    if text in sys.stdlib_module_names:
        raise SettingsError(f"{text!r} cannot be the name of a package: it would hide Python's own module {text}")
    if text in _IMPORTED:
        raise SettingsError(f"{text!r} cannot be the name of a package: it would hide {text}, which it has to import")
    return text


def runtime_name(text: str, package: str) -> str:
    """Return `text`. Raises SettingsError if it is not the name of a runtime, or `package` cannot use that one."""
    if text not in RUNTIMES:
        raise SettingsError(f"there is no runtime {text!r}; there are {', '.join(RUNTIMES)}")
    if text == package:
        raise SettingsError(f"a package that uses the runtime of {text} needs another name than {package}")
    return text


def release_name(text: str) -> str:
    """Return `text`. Raises SettingsError if it is not a release of Core Lightning; a release has no third number."""
    if not _is_release(text):
        raise SettingsError(f"{text!r} does not name a release: expected a year and a month, such as v26.09")
    return text


def read_commands(file: Path) -> tuple[str, ...]:
    """Return the commands that change nothing, from a table of them. Raises SettingsError."""
    try:
        table = read_toml(file)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    if table.keys() != {"read_only", "others"}:
        raise SettingsError(f"{file}: expected the keys read_only and others: lists of commands")
    found = {key: _strings(table, key, str(file)) or () for key in table}
    if both := set(found["read_only"]).intersection(found["others"]):
        raise SettingsError(f"{file}: in both lists: {', '.join(sorted(both))}")
    return tuple(sorted(found["read_only"]))


def find_project(start: Path) -> ProjectTable:
    """Return the table of the nearest pyproject.toml in `start` or above that has one; an empty table if none has.

    Raises SettingsError if the table cannot be used, OSError if the file cannot be read.
    """
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            table = _read_table(file)
            if table is not None:
                return table
    return ProjectTable()


def _read_table(file: Path) -> ProjectTable | None:
    tool = read_toml(file).get("tool")
    table = tool.get("rpcschema") if isinstance(tool, dict) else None
    if table is None:
        return None
    where = f"{file}: [tool.rpcschema]"
    if not isinstance(table, dict):
        raise SettingsError(f"{where}: expected a table")
    known = {member.name for member in fields(ProjectTable)}
    if unknown := table.keys() - known:
        raise SettingsError(f"{where}: unknown {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    schemas = _strings(table, "schemas", where)
    return ProjectTable(
        schemas=tuple(file.parent / path for path in schemas or ()),
        out=_path(table, "out", file, where),
        package=_string(table, "package", where),
        targets=_strings(table, "targets", where),
        release=_string(table, "release", where),
        facts=_path(table, "facts", file, where),
        corrections=_path(table, "corrections", file, where),
        read_only=_path(table, "read_only", file, where),
        errors=_path(table, "errors", file, where),
        lint=_table(table, "lint", where),
        runtime=_string(table, "runtime", where),
        templates=_path(table, "templates", file, where),
    )


def read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # TOMLDecodeError or UnicodeDecodeError
        raise SettingsError(f"{file}: not readable as TOML: {error}") from error


def _path(table: dict[str, Any], key: str, file: Path, where: str) -> Path | None:
    value = _string(table, key, where)
    if value == "":
        raise SettingsError(f"{where}: {key}: expected a path")
    return None if value is None else file.parent / value


def _table(table: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise SettingsError(f"{where}: {key}: expected a table")
    return value


def _string(table: dict[str, Any], key: str, where: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise SettingsError(f"{where}: {key}: expected a string")
    return value


def _strings(table: dict[str, Any], key: str, where: str) -> tuple[str, ...] | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise SettingsError(f"{where}: {key}: expected a list of strings")
    return tuple(value)
