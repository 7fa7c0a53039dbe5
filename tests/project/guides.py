"""The README and the how-tos as programs: the pieces of code that stand in them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.generator.commands import rpcschema
from tests.shared import ROOT

PAGES = {path.stem: path for path in (ROOT / "README.md", *sorted((ROOT / "docs" / "how-to").glob("*.md")))}


def pieces(page: str, language: str) -> list[str]:
    """Return the fenced blocks in a language, in their order; those in list items without their indentation."""
    found = re.finditer(rf"^( *)```{language}\n(.*?)^\1```$", PAGES[page].read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{match[1]}", "", match[2], flags=re.MULTILINE) for match in found]


def program(page: str) -> str:
    """Return the pieces of Python of a page, as one program.

    Without those that are files of their own, and without what needs pyln-client, which has no types, or OpenTelemetry,
    which tests do not install.
    """
    others = re.compile("pyln|opentelemetry")
    own = list(files(page).values())
    return "\n".join(piece for piece in pieces(page, "python") if not others.search(piece) and piece not in own)


def files(page: str) -> dict[str, str]:
    """Return the pieces that begin with the name of a file in a comment, by that name."""
    found = [piece for language in ("python", "js") for piece in pieces(page, language)]
    return {match[1]: piece for piece in found if (match := re.match(r"(?:#|//) (\S+\.\w+)\n", piece))}


def write_greeting(folder: Path) -> Path:
    """Generate the package of the guide to plugins, from the document in it; return the folder to import it from."""
    schemas = folder / "schemas"
    schemas.mkdir()
    [document] = pieces("write-a-plugin", "json")
    (schemas / "greet.json").write_text(document, encoding="utf-8")
    made = rpcschema("generate", "schemas", "--package", "greeting", "--runtime", "clnrpc", cwd=folder)
    assert (made.returncode, made.stderr) == (0, "")
    return folder / "generated"


def write_programs(folder: Path) -> list[Path]:
    """Write each page's program to a file, and the files that stand in it."""
    written = []
    for page in PAGES:
        programs = {f"{page.replace('-', '_')}.py": program(page)} if program(page) else {}
        for name, text in {**programs, **files(page)}.items():
            written.append(folder / name)
            written[-1].write_text(text, encoding="utf-8")
    return [file for file in written if file.suffix == ".py"]
