"""The fixed part of every generated package: connections, errors, conversions and the dispatch of calls.

It is the same in each package, imports only the standard library and msgspec, and knows no command. `values` turns
JSON into the generated dataclasses and back. The blocking client is built on `client.blocking`, the asyncio client on
`client.aio`, and `client.call` shows type checkers the signatures of both. A plugin is built on `plugin`, a server on
`jsontext.Framer` and `server.dispatch.Dispatcher`. Each is loaded only where it is imported, so that a client starts
fast.
"""

from __future__ import annotations

# No call does without it, and the first one should not be the one that waits for it.
import msgspec  # noqa: F401  # pyright: ignore[reportUnusedImport]
