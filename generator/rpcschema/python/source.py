"""The last step of all Python that is made: black formats it once, and it must compile."""

from __future__ import annotations

from typing import Final

from rpcschema.problems import RenderError

LINE_LENGTH: Final = 120


def finished(source: str, path: str) -> bytes:
    """The bytes of the file `path`. Raises RenderError if the source is not Python."""
    from black import format_str  # noqa: PLC0415 # slow to import
    from black.mode import Mode, TargetVersion  # noqa: PLC0415
    from black.parsing import InvalidInput  # noqa: PLC0415

    mode = Mode(line_length=LINE_LENGTH, target_versions={TargetVersion.PY311})
    try:
        text = format_str(source, mode=mode)
        compile(text, path, "exec", dont_inherit=True)  # sees what a parser does not: a parameter that comes twice
    except (InvalidInput, SyntaxError, ValueError, RecursionError) as error:
        raise RenderError(f"{path} would not be Python: {error}") from error
    return text.encode()
