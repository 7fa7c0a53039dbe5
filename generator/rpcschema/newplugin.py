"""Write the project of a new plugin: a document, the methods, tests, a program, and the package of its command.

The files come from `templates/project`. They are written beside the place of the project, and renamed into it when
they are complete.
"""

from __future__ import annotations

import keyword
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rpcschema.generate import Run, generate
from rpcschema.python import names
from rpcschema.python.source import formatted, import_block
from rpcschema.settings import Settings, SettingsError
from rpcschema.targets.render import environment
from rpcschema.write import manifest, output
from rpcschema.write.output import OutputError

_TARGETS: Final = ("python", "client", "service")
_RUNTIME: Final = "clnrpc"
_NO_CHANNEL: Final = 1
"""The code of the command's error."""
_FOLDERS: Final = frozenset({"schemas", "src", "tests"})
"""The folders of a project, beside its program."""
_IMPORTED: Final = frozenset({"clnrpc", "lnoffers", "lnstandin", "msgspec", "pytest", "rpcschema"})
"""What the plugin, its tests and what these use import, besides the standard library."""

_is_name: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*").fullmatch


@dataclass(frozen=True, slots=True)
class _Project:
    """The names in a project."""

    plugin: str
    """The plugin's name, and that of its folder and its program."""

    @property
    def module(self) -> str:
        """The module of the plugin's class."""
        return self.plugin.replace("-", "_")

    @property
    def package(self) -> str:
        """The generated package."""
        return f"{self.module}_rpc"

    @property
    def command(self) -> str:
        """The command of the document."""
        return f"{self.plugin}-capacity"

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the files, by path relative to the project, without the generated ones."""
        stem = names.pascal(self.command)
        method = names.attribute(self.command)
        context: dict[str, Any] = {
            "plugin": self.plugin,
            "module": self.module,
            "package": self.package,
            "command": self.command,
            "option": f"{self.plugin}-log",
            "owner": names.pascal(self.plugin),
            "stem": stem,
            "method": method,
            "no_channel": _NO_CHANNEL,
            "runtime": _RUNTIME,
            "targets": _TARGETS,
        }
        of_plugin = {self.package: ["Service"], f"{self.package}.types": [f"{stem}Request", f"{stem}Response"]}
        of_tests = {self.package: ["Client"]}
        for path, template, imported in (
            (".gitignore", "gitignore.jinja", {}),
            ("README.md", "README.md.jinja", {}),
            ("pyproject.toml", "pyproject.toml.jinja", {}),
            (self.plugin, "program.sh.jinja", {}),
            (f"schemas/{self.command}.json", "document.json.jinja", {}),
            (f"src/{self.module}.py", "plugin.py.jinja", of_plugin),
            (f"tests/test_{self.module}.py", "test_plugin.py.jinja", of_tests),
        ):
            source = environment("project", None).get_template(template)
            text = source.render(context, imports=import_block(imported, ""))
            yield path, formatted(text, path) if path.endswith(".py") else text.encode()
        yield ".python", os.fsencode(f"{sys.executable}\n")


def create(plugin: str, parent: Path) -> Path:
    """Write the project of a plugin to a new folder of its name in `parent`, and return the folder.

    Raises:
        SettingsError: if the name cannot be used.
        OutputError: if the folder exists, or `parent` does not.
        OSError: if the files cannot be written; then there is no folder.
    """
    project, folder = _Project(_plugin_name(plugin)), parent / plugin
    if not parent.is_dir():
        raise OutputError(f"{parent} is not a folder")
    if os.path.lexists(folder):
        raise OutputError(f"{folder} exists already: choose another name, or another --out")
    with TemporaryDirectory(prefix=f".{plugin}-", dir=parent) as temporary:
        staged = Path(temporary, plugin)
        for path, content in project.files():
            file = staged / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        program = staged / plugin
        readable = program.stat().st_mode & 0o444
        program.chmod(program.stat().st_mode | readable >> 2)  # executable for those who may read it
        _generate(project, staged)
        staged.rename(folder)
    return folder


def _plugin_name(text: str) -> str:
    """Return `text`. Raises SettingsError if it cannot be the name of a plugin, of its program and of its module."""
    module = text.replace("-", "_")
    if not _is_name(text):
        why = "use lower-case ASCII letters, digits and single hyphens between them, and begin with a letter"
    elif keyword.iskeyword(module):
        why = "its module would have the name of a keyword of Python"
    elif module in sys.stdlib_module_names or module in _IMPORTED:
        why = f"its module would hide another one, {module}, which has to be imported"
    elif text in _FOLDERS:
        why = "its project has a folder of this name"
    elif f"{module}_".startswith("rpc_"):
        why = "names of methods that begin with rpc_ belong to clnrpc"
    else:
        return text
    raise SettingsError(f"{text!r} cannot be the name of a plugin: {why}")


def _generate(project: _Project, staged: Path) -> None:
    """Write the generated package, as `rpcschema generate` would in the project."""
    settings = Settings(package=project.package, targets=_TARGETS, runtime=_RUNTIME)
    out = staged / "src"
    made = generate(Run(roots=[staged / "schemas"], out=out, settings=settings, targets=_TARGETS))
    if made.changes is None:
        raise OutputError("; ".join(map(str, made.problems)))
    output.write(out, made.changes, last=manifest.NAME)
