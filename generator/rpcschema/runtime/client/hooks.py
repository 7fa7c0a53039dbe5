"""Observe calls: hooks that run before and after each, such as for logs, metrics and traces."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from types import TracebackType


class CallRecord:
    """One call, as hooks see it: without its parameters and its result, which may be secret.

    The same object goes to `before` and to `after` or `failed`, so a hook can use it as a key.
    """

    __slots__ = ("attempts", "error", "method", "request_bytes", "response_bytes", "seconds")

    def __init__(self, method: str, request_bytes: int) -> None:
        self.method = method
        """The command."""
        self.request_bytes = request_bytes
        """The size of the parameters as JSON."""
        self.response_bytes = 0
        """The size of the result as JSON; 0 until it has arrived."""
        self.seconds = 0.0
        """The duration, with retries and the wait for a connection; 0 before the end."""
        self.attempts = 1
        """How often the call was made."""
        self.error: BaseException | None = None
        """Why it failed: an RpcError, a ClientError, or, for a cancelled call, CancelledError."""


class CallHooks:
    """Methods to override, for the argument `on_call` of a client.

    An error in `before` goes to the caller, and nothing is sent. Errors in the others are logged, because the caller
    needs the response: the command was carried out. In an asyncio client, hooks run in the event loop. The client's own
    question for the node's version has no hooks.
    """

    def before(self, call: CallRecord) -> None:
        """Note that a call begins."""

    def after(self, call: CallRecord) -> None:
        """Note that the result has arrived."""

    def failed(self, call: CallRecord) -> None:
        """Note that a call failed; `call.error` is the reason."""


class Observed:
    """A context in which a call is made; it runs the hooks."""

    def __init__(self, hooks: Sequence[CallHooks], method: str, params: bytes) -> None:
        self._hooks = hooks
        self.record = CallRecord(method, len(params))

    def __enter__(self) -> CallRecord:
        for hook in self._hooks:
            hook.before(self.record)
        self._begin = monotonic()
        return self.record

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.record.seconds = monotonic() - self._begin
        self.record.error = error
        for hook in reversed(self._hooks):
            try:
                (hook.after if error is None else hook.failed)(self.record)
            except Exception:
                import logging

                logging.getLogger(__name__).exception("a hook failed after a call of %s", self.record.method)
