"""The fixed part of every generated package: connections, errors, conversions, and the dispatch of calls.

It is the same in each package, imports only the standard library and msgspec, and contains no command. `values`
converts JSON to the generated dataclasses and back. The blocking client is built on `client.blocking`, the asyncio
client on `client.aio`; `client.call` gives type checkers the signatures of both. A plugin is built on `plugin`, a
server on `jsontext.Framer` and `server.dispatch.Dispatcher`. Each module loads only where it is imported, so that a
client starts fast.
"""

from __future__ import annotations

from typing import Final

# Every call needs it, and the first call should not have to wait for its import.
import msgspec  # noqa: F401  # pyright: ignore[reportUnusedImport]

FORMAT: Final[int] = 1
"""The version of what generated code uses of the runtime.

A package that uses the runtime of another one needs the format that it was generated for.
"""
