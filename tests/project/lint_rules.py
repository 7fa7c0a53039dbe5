"""The page of the rules of `rpcschema lint`, made of their table: `python -m tests.project.lint_rules` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from rpcschema.lint import rules
from tests.shared import ROOT

PAGE = ROOT / "docs" / "reference" / "lint.md"
_HEAD = """
`rpcschema lint` looks for mistakes in documents that the generator can work with all the same. Each finding names one
of these rules, the file, the line and a JSON pointer. The names are an interface: they do not change from one release
to the next.

The level of a rule depends on whose documents they are. **own**: yours. **upstream**: Core Lightning's, which name its
meta-schema in `$schema`, and documents of facts (`rpcschema sync`). Whoever has only copies cannot mend those, so most
levels are lower. `--profile` says whose they are if `$schema` does not.

`rpcschema lint` exits with 1 if a finding has the level *error*; `--fail-on warning`, `note` or `never` changes that.

Set other levels in pyproject.toml: *off*, *note*, *warning* or *error*, for documents of both kinds. Two keys are no
rules, `fail_on` and `profile`, the defaults of the options.

```toml
[tool.rpcschema.lint]
fail_on = "warning"
missing-example = "off"
missing-description = "error"
```

Two rules compare with an earlier release, and need `--since`: a release that is shipped (`--since v26.04`), or anything
else that `rpcschema diff` takes as OLD. Others use the tables of corrections and error codes that pyproject.toml names.

`python -m tests.project.lint_rules` generates this page from `generator/rpcschema/lint/rules.py`.
"""


def page() -> str:
    """Return the page as it must be."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# What `rpcschema lint` looks for"
    for paragraph in _HEAD.strip().split("\n\n"):
        yield ""
        if paragraph.startswith("```"):
            yield paragraph
        else:
            yield from wrap(paragraph.replace("\n", " "), 100, break_on_hyphens=False)
    yield ""
    yield "| rule | what is wrong | own | upstream |"
    yield "|---|---|---|---|"
    for rule in rules.RULES.values():
        yield f"| `{rule.name}` | {rule.about} | {rule.own} | {rule.upstream} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
