"""Scripts in files, for the program: `lnstandin mock --script FILE`.

A function that is named as a command answers it: it gets the parameters by name, returns the answer, and may raise
RpcError. A `-` in a command's name is written `_`. No other call is answered until it returns, so one that waits should
be asynchronous (`async def`). The function `script`, if there is one, is called first with the mock, to add rules to
it. Other functions and variables should begin with `_`.

    from lnstandin.mock import ANY, RpcError

    _balance = 100_000

    def script(mock):
        mock.on("xpay", invstring=ANY).delay(0.5)

    def listfunds(params):
        return {"outputs": [], "channels": []}
"""

from __future__ import annotations

import importlib.util
import traceback
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Final

from lnstandin.mock.core import Standin
from lnstandin.mock.rules import ScriptError

SETUP: Final = "script"


def run_script(mock: Standin, file: Path) -> None:
    """Run the script in a file, and let its functions answer.

    Raises:
        ScriptError: if it cannot be run, or a function is not named as a command.
    """
    module = _loaded(file)
    functions = {name: each for name, each in vars(module).items() if _is_own(each, module)}
    setup = functions.pop(SETUP, None)
    for name, function in functions.items():
        mock.on(_command(mock, file, name)).answer(function)
    if setup is not None:
        try:
            setup(mock)
        except Exception as error:
            raise ScriptError(f"{file}: {SETUP} failed: {_cause(error)}") from error


def _loaded(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("lnstandin_script", file)
    if spec is None or spec.loader is None:
        raise ScriptError(f"{file}: not a script: its name should end in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ScriptError(f"{file}: {_cause(error)}") from error
    return module


def _is_own(found: object, module: ModuleType) -> bool:
    return isfunction(found) and found.__module__ == module.__name__ and not found.__name__.startswith("_")


def _command(mock: Standin, file: Path, name: str) -> str:
    """Return the command that a function is named after."""
    for command in (*mock.documents.commands, *mock.undocumented):
        if command.replace("-", "_") == name:
            return command
    raise ScriptError(f"{file}: there is no command for the function {name}; begin the names of other functions with _")


def _cause(error: Exception) -> str:
    """Return what went wrong and in which line, for the author of the script."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} (line {last.lineno} of {last.filename})"
