"""The command `plugin new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from rpcschema.cli.common import FINE, printable
from rpcschema.settings import SettingsError

plugin: Final = App(name="plugin", help="Write plugins of Core Lightning.")


@plugin.command
def new(
    name: Annotated[str, Parameter(help="The plugin's name, such as tip-jar.")],
    /,
    *,
    out: Annotated[str | None, Parameter(help="The folder of the new folder NAME. [default: .]")] = None,
) -> int:
    """Write the project of a plugin NAME: the document of a command, its methods, tests, and a program for lightningd.

    The project works as it is; run pytest in it.
    """
    from rpcschema.newplugin import create  # noqa: PLC0415 # 0085: slow

    if out == "":
        raise SettingsError("--out: expected the name of a folder")
    folder = create(name, Path("." if out is None else out))
    print(printable(f"{folder}: run pytest in it, or lightning-cli plugin start {(folder / name).absolute()}"))
    return FINE
