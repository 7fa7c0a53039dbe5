"""The answers that this node awaits, each by the secret path id in the reply path of its question."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeAlias

from lnoffers.net.onion_messages import ReceivedMessage

AwaitedAnswer: TypeAlias = asyncio.Future[ReceivedMessage]


class Pending:
    """The awaited answers. Several questions can share one: the first answer to any of them is its result."""

    def __init__(self) -> None:
        self._answers: dict[bytes, AwaitedAnswer] = {}

    def expect(self, path_id: bytes, answer: AwaitedAnswer) -> None:
        """Make the message that comes along the reply path with this id, 32 bytes, the result of `answer`."""
        self._answers[path_id] = answer

    def forget(self, path_ids: Iterable[bytes]) -> None:
        """Expect no more answers along these reply paths."""
        for path_id in path_ids:
            self._answers.pop(path_id, None)

    def take(self, received: ReceivedMessage) -> bool:
        """Return whether a message is an answer that was expected; only the first one of each question counts."""
        answer = self._answers.pop(received.path_id or b"", None)
        if answer is None:
            return False
        if not answer.done():
            answer.set_result(received)
        return True
