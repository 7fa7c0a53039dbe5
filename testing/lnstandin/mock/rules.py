"""Rules of a script: the calls that they apply to, and the answers, one step after the other.

    mock.on("xpay", invstring=ANY).fail(205, "No route").then.answer(amount_msat=1000)
    mock.on("pay").when(lambda params: params["bolt11"] == known).times(2).delay(0.5).drop()

A rule without an outcome, or one that only replaces fields, leaves the answer to earlier rules, the examples or the
generator.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from math import inf
from typing import Any, TypeAlias

from clnrpc.runtime.errors import EncodeError, RpcError
from clnrpc.runtime.values.encode import encode
from lnoffers.service.errors import ServiceError
from lnstandin.mock.calls import has_params

Params: TypeAlias = Mapping[str, Any]
Handler: TypeAlias = Callable[[Params], "Mapping[str, Any] | Awaitable[Mapping[str, Any]]"]
"""Returns the answer to parameters by name, or raises RpcError.

It runs in the event loop of the mock, so no other call is answered until it returns. One that waits for something
should be asynchronous: other calls go on while it awaits.
"""


class ScriptError(ServiceError):
    """A script asks for something that the documents, or the rules of scripts, do not allow."""


class Manner(Enum):
    """How an answer is sent."""

    WHOLE = "answered"
    HALF = "half"
    """Its first half, and then the connection ends."""
    DROP = "dropped"
    """Not at all: the connection ends."""
    RESTART = "restarted"
    """Not at all: all connections end, and the node starts again."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a rule does with a call."""

    handler: Handler | None = None
    """None: an earlier rule, the examples or the generator answer."""
    fields: Params = field(default_factory=dict)
    """These replace fields of the answer."""
    error: RpcError | None = None
    is_checked: bool = True
    """Whether the answer must be valid by the document."""
    manner: Manner = Manner.WHOLE
    delay: float = 0.0
    """Seconds."""
    notices: tuple[tuple[str, Params], ...] = ()
    """Notifications to the caller before the answer: their methods and parameters."""

    @property
    def ends_connection(self) -> bool:
        """Whether the connection ends instead of an answer."""
        return self.manner in (Manner.DROP, Manner.RESTART)

    def over(self, earlier: Step) -> Step:
        """Return how an answer is sent that this step has left to a step of an earlier rule; delays add up."""
        return replace(
            earlier,
            manner=earlier.manner if self.manner is Manner.WHOLE else self.manner,
            delay=self.delay + earlier.delay,
            notices=(*self.notices, *earlier.notices),
        )


class Rule:
    """A rule, which `Mock.on` makes. Each method returns the rule, so that they can be chained."""

    def __init__(self, method: str, params: Params, check: Callable[[Any], None]) -> None:
        self.method = method
        self._params = params
        self._check = check
        self._conditions: list[Callable[[Params], bool]] = []
        self._steps: list[Step] = [Step()]
        self._is_complete = False
        """Whether the last step has its outcome."""
        self._most: int | None = None
        self.count = 0
        """The number of calls that the rule was applied to."""

    def when(self, condition: Callable[[Params], bool]) -> Rule:
        """Apply the rule only to calls for whose parameters `condition` is true."""
        self._conditions.append(condition)
        return self

    def times(self, most: int) -> Rule:
        """Apply the rule to `most` calls, all of its steps together. After that, earlier rules answer."""
        self._most = most
        return self

    def answer(
        self, answer: Mapping[str, Any] | Handler | None = None, /, *, check: bool = True, **fields: Any
    ) -> Rule:
        """Answer with an object, with what a function returns for the parameters, or with some fields.

        Fields that are given by name replace those of the answer; without an answer, they replace those of what an
        earlier rule, the example or the generator answers. The result must be valid by the command's document, unless
        `check` is false. No other call is answered until the function returns; one that waits should be asynchronous.

        Raises:
            ScriptError: if an object contradicts the document.
        """
        if answer is None or callable(answer):
            return self._outcome(handler=answer, fields=fields, is_checked=check)
        made = {**answer, **fields}
        if check:
            self._check(made)
        return self._outcome(handler=lambda _: made, is_checked=False)

    def fail(self, code: int, message: str, data: Any = None) -> Rule:
        """Answer with an error."""
        return self._outcome(error=RpcError(code, message, data))

    def drop(self) -> Rule:
        """Close the connection instead of answering."""
        return self._outcome(manner=Manner.DROP)

    def half(self) -> Rule:
        """Send the first half of the answer, whatever it is, then close the connection."""
        return self._changed(manner=Manner.HALF)

    def restart(self) -> Rule:
        """Close all connections instead of answering, and start the node again."""
        return self._outcome(manner=Manner.RESTART)

    def delay(self, seconds: float) -> Rule:
        """Wait before answering. Other calls go on. Raises ScriptError if that is no time."""
        if not isinstance(seconds, int | float) or not 0 <= seconds < inf:
            raise ScriptError(f"{self.method}: a delay is a number of seconds, not {seconds!r}")
        return self._changed(delay=seconds)

    def message(self, text: str, level: str = "info") -> Rule:
        """Send a message to the caller first, if its connection has enabled notifications.

        Raises:
            ScriptError: if JSON cannot represent the text or the level.
        """
        return self._notice("message", {"level": level, "message": text})

    def progress(self, number: int, total: int) -> Rule:
        """Send progress to the caller first, if its connection has enabled notifications; `number` counts from 0.

        Raises:
            ScriptError: if JSON cannot represent the numbers.
        """
        return self._notice("progress", {"num": number, "total": total})

    @property
    def then(self) -> Rule:
        """The same rule; what follows is for the next call. The last step is for all further calls."""
        self._steps.append(Step())
        self._is_complete = False
        return self

    def applies(self, method: str, params: Params) -> bool:
        """Return whether the rule applies to a call."""
        is_left = self._most is None or self.count < self._most
        is_meant = is_left and self.method in ("*", method) and has_params(params, self._params)
        return is_meant and all(condition(params) for condition in self._conditions)

    def next_step(self) -> Step:
        """Return the step for the next call, and count it."""
        step = self._steps[min(self.count, len(self._steps) - 1)]
        self.count += 1
        return step

    def _outcome(self, **changes: Any) -> Rule:
        if self._is_complete:
            raise ScriptError(f"{self.method}: this step has an outcome already; write .then before the next one")
        self._is_complete = True
        return self._changed(**changes)

    def _changed(self, **changes: Any) -> Rule:
        self._steps[-1] = replace(self._steps[-1], **changes)
        return self

    def _notice(self, method: str, params: Params) -> Rule:
        try:
            encode(params)
        except EncodeError as error:
            raise ScriptError(f"{self.method}: this cannot be sent as a notification: {error}") from error
        return self._changed(notices=(*self._steps[-1].notices, (method, params)))
