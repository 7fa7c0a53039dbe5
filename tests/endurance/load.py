"""Clients that make invoice_requests as fast as they are answered, and remember what they were told."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.service.program import Wire, request

CLIENTS: Final = 8


@dataclass(slots=True)
class Told:
    """What the clients have been answered so far."""

    made: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    made_after_errors: int = 0
    """By calls that were sent when there had been errors already."""


def load(path: Path, told: Told, calls: int) -> None:
    """Have each of the clients make so many calls, fewer if the server goes away; adds to `told` as answers come."""

    def use(client: int) -> None:
        with suppress(ConnectionError, FileNotFoundError), Wire(path) as wire:
            for number in range(calls):
                after_errors = bool(told.errors)
                wire.send(request("invoicerequest", {"amount": 1000 + number, "description": f"client {client}"}))
                answer = wire.answer()
                if not answer.endswith(b"\n\n"):
                    return  # it was killed while it wrote
                _note(json.loads(answer), told, after_errors)

    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(use, client) for client in range(CLIENTS)]:
            done.result()


def _note(answer: dict[str, Any], told: Told, after_errors: bool) -> None:
    if "error" in answer:
        told.errors.append(answer["error"])
    else:
        told.made.append(answer["result"])
        told.made_after_errors += after_errors
