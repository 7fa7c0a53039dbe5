"""Where the templates lie.

An editable install leaves a copy of the templates in site-packages that grows stale, so the checkout's own folder wins
whenever this package runs from one.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates_dir() -> Path:
    """The folder of templates: the checkout's if this package lies in one, else that which was packaged with it."""
    checkout = _PACKAGE.parent.parent
    in_checkout = _PACKAGE.parent.name == "generator" and (checkout / "pyproject.toml").is_file()
    return (checkout if in_checkout else _PACKAGE) / "templates"
