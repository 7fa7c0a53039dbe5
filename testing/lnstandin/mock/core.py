"""The mock without its socket: documents, rules, and how a call is answered.

A call is answered by the newest rule that applies and has an outcome, else by what the mock itself can do (`builtin`),
else by the closest example of the document, else by the generator.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from clnrpc.runtime.command import Command
from clnrpc.runtime.errors import GENERIC, RpcError, unknown_command
from clnrpc.runtime.values.encode import encode
from lnstandin.mock import builtin
from lnstandin.mock.calls import Call, Calls
from lnstandin.mock.documents import Documents
from lnstandin.mock.draws import Draw
from lnstandin.mock.examples import Exchange, closest, exchanges
from lnstandin.mock.generation import Generator
from lnstandin.mock.paging import page, without_paging
from lnstandin.mock.plugins.host import RPC_COMMAND, PluginHost, ReturnedByHookError
from lnstandin.mock.requests import Reader, plain
from lnstandin.mock.rules import Manner, Params, Rule, ScriptError, Step
from lnstandin.mock.scalars import pubkey
from rpcschema.model.validation import first_faults
from rpcschema.problems import suggestion

if TYPE_CHECKING:
    from lnstandin.mock.runes import Runes

logger = logging.getLogger(__name__)
Carrier: TypeAlias = "Callable[[bytes, Caller], Awaitable[Any]]"
"""Carries out a command: its parameters (JSON text) and the caller -> the result. Raises RpcError."""
NETWORK: Final = "regtest"


@dataclass(frozen=True, slots=True)
class Caller:
    """The connection of a call; by default one without notifications."""

    notify: Callable[[str, Params], None] = lambda _, __: None
    """Sends a notification about this call, if the connection has enabled them: its method and parameters."""
    enable: Callable[[bool], None] = lambda _: None
    """Enables or disables notifications of the connection."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a call."""

    answer: bytes = b""
    """The result, JSON text."""
    error: RpcError | None = None
    step: Step = field(default_factory=Step)


@dataclass(frozen=True, slots=True)
class _Known:
    """The reader and the examples of a command."""

    reader: Reader
    examples: tuple[Exchange, ...]


class Standin:
    """Answers calls as a script, examples and documents say."""

    def __init__(
        self,
        schemas: Path | str | None = None,
        *,
        seed: int | str = 0,
        release: str | None = None,
        examples: bool = True,
    ) -> None:
        """Create a stand-in that nothing can reach yet; `ServedMock` explains the arguments. Raises DocumentsError."""
        self.seed = str(seed)
        self.calls = Calls()
        """The calls and their answers."""
        self._documents = Documents.of(None if schemas is None else Path(schemas), release)
        self._uses_examples = examples
        self._rules: list[Rule] = []
        self._known: dict[str, _Known] = {}
        self._undocumented: dict[str, str] = {}
        self._carriers: dict[str, Carrier] = {}
        self._runes: Runes | None = None
        self.folder = Path("/nowhere/regtest")
        """The folder of the node's network, as `getinfo` names it."""
        self.plugins: PluginHost | None = None
        """The plugins, if the stand-in has a socket for them."""
        self.on_stop: Callable[[], None] = lambda: None
        """Called after `stop` was answered; by default the mock goes on."""

    @property
    def documents(self) -> Documents:
        """The documents, as the present release follows them."""
        return self._documents

    @property
    def release(self) -> str:
        """The release that the mock behaves like; assign another one at any time."""
        return self._documents.release

    @release.setter
    def release(self, release: str | None) -> None:
        self._documents = self._documents.at(release)
        self._known = {}

    @property
    def node_id(self) -> str:
        """The node's public key, which depends on the seed alone."""
        return pubkey(Draw.of(self.seed, "node_id"))

    @property
    def runes(self) -> Runes:
        """The runes of the node."""
        if self._runes is None:
            from lnstandin.mock.runes import Runes  # noqa: PLC0415 # 0085: slow

            self._runes = Runes(self.seed)
        return self._runes

    def close(self) -> None:
        """Remove the runes; only a stand-in that carried out commands about runes has any."""
        if self._runes is not None:
            self._runes.close()
            self._runes = None

    def on(self, method: str, /, **params: Any) -> Rule:
        """Add a rule for calls of `method` with these parameters; it has precedence over earlier ones.

        Args:
            method: the command; "*" stands for all.
            params: the parameters that calls must have, as the node reads them; ANY stands for any value.

        Raises:
            ScriptError: if there is no such command or parameter.
        """
        self._check_names(method, params)
        rule = Rule(method, params, lambda answer: self._check_answer(method, answer))
        self._rules.append(rule)
        return rule

    def add_command(self, name: str, usage: str = "") -> None:
        """Add a command that has no document, such as one of a plugin. Rules must answer it."""
        self._undocumented[name] = usage

    def add_carrier(self, name: str, usage: str, carrier: Carrier) -> None:
        """Add a command that `carrier` carries out unless a rule answers it; it has precedence over a document."""
        self._undocumented[name] = usage
        self._carriers[name] = carrier

    def remove_carrier(self, name: str) -> None:
        """Remove a command that was added."""
        del self._undocumented[name], self._carriers[name]

    @property
    def undocumented(self) -> Mapping[str, str]:
        """The usage of the commands that have no document, by name."""
        return self._undocumented

    def reset(self) -> None:
        """Forget all rules and calls."""
        self._rules.clear()
        self.calls.clear()

    async def dispatch(self, method: str, params: bytes, *, is_own: bool = False) -> bytes:
        """Return the answer to a call (`is_own` as in `outcome`); parameters and answer are JSON text.

        Raises:
            RpcError: if the answer is an error.
            ConnectionError: if the script does not let the answer arrive.
        """
        outcome = await self.outcome(method, params, Caller(), is_own=is_own)
        await asyncio.sleep(outcome.step.delay)
        if outcome.error is not None:
            raise outcome.error
        if outcome.step.manner is not Manner.WHOLE:
            raise ConnectionError("the script ends the connection here")
        return outcome.answer

    async def outcome(self, method: str, params: bytes, caller: Caller, *, is_own: bool = False) -> Outcome:
        """Return the outcome of a call, and record it.

        A call of the stand-in's own, such as a check of a rune, is not recorded, and rules for "*" do not apply to it.
        """
        step, given = Step(), {}
        answer: Any = None
        error: RpcError | None = None
        text = b""
        try:
            try:
                if self.plugins is not None and self.plugins.has_hook(RPC_COMMAND):
                    method, params = await self.plugins.redirected(method, params)
                given = self.read(method, params)
                rules = [each for each in reversed(self._rules) if not is_own or each.method == method]
                answer, step = await self._answered(method, given, params, caller, iter(rules))
            except RpcError as failed:
                error, given = failed, given or _as_given(params)
            except ReturnedByHookError as returned:
                given, answer, error = _as_given(params), returned.answer, returned.error
            except _ScriptedError as scripted:
                error, step = scripted.error, scripted.step
            text = b"" if answer is None else encode(answer)
            encode(None if error is None else [error.code, error.message, error.data])
        except (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as failed:  # a script may raise anything; pytest.fail raises no Exception
            logger.warning("%s: the script failed", method, exc_info=failed)
            answer = None
            error = RpcError(GENERIC, f"lnstandin: {method}: the script raised {type(failed).__name__}: {failed}")
        if not is_own:
            note = "" if step.manner is Manner.WHOLE else step.manner.value
            self.calls.add(Call(method, given, answer, error, note))
        return Outcome(text, error, step)

    def read(self, method: str, params: bytes) -> dict[str, Any]:
        """Return the parameters of a call by name. Raises RpcError."""
        if method in self.undocumented:
            return plain(params)
        return self._command(method).reader.read(params)

    def command(self, method: str) -> Command:
        """Return the table entry of a command. Raises RpcError (-32601)."""
        return self._command(method).reader.command

    def default(self, method: str, given: Params) -> dict[str, Any]:
        """Return the answer without a script: that of the closest example, else a generated one. Raises RpcError.

        With `index`, it is a page of what the same call answers without it.
        """
        if given.get("index"):
            return page(self.default(method, without_paging(given)), given)
        example = closest(self._command(method).examples, given) if self._uses_examples else None
        return dict(example) if example is not None else self.generated(method, given)

    def generated(self, method: str, given: Params) -> dict[str, Any]:
        """Return an answer that is valid by the document, and the same for the same seed, method and parameters."""
        document = self._documents.command(method)
        if document is None:
            raise unknown_command(method)
        key = json.dumps(given, sort_keys=True, ensure_ascii=True)
        return Generator(given).object([document.response], Draw.of(self.seed, method, key))

    async def _answered(
        self, method: str, given: Params, params: bytes, caller: Caller, rules: Iterator[Rule]
    ) -> tuple[dict[str, Any], Step]:
        """Answer as the first of the rules that applies says; it may leave the answer to those that follow."""
        rule = next((each for each in rules if each.applies(method, given)), None)
        if rule is None:
            return await self._unscripted(method, given, params, caller), Step()
        step = rule.next_step()
        if step.error is not None:
            raise _ScriptedError(step.error, step)
        if step.handler is not None:
            made = step.handler(given)
            answer = dict(await made if inspect.isawaitable(made) else made)
        elif step.ends_connection:
            answer = await self._unscripted(method, given, params, caller)
        else:
            try:
                answer, earlier = await self._answered(method, given, params, caller, rules)
            except _ScriptedError as scripted:
                raise _ScriptedError(scripted.error, step.over(scripted.step)) from None
            return self._changed(method, answer, step), step.over(earlier)
        return self._changed(method, answer, step), step

    def _changed(self, method: str, answer: dict[str, Any], step: Step) -> dict[str, Any]:
        """Return an answer with the fields of a step, checked if the step wants that. Raises RpcError."""
        changed = {**answer, **step.fields}
        if step.is_checked and (step.handler or step.fields):
            try:
                self._check_answer(method, changed)
            except ScriptError as error:
                raise RpcError(GENERIC, str(error)) from None
        return changed

    async def _unscripted(self, method: str, given: Params, params: bytes, caller: Caller) -> dict[str, Any]:
        if method in self._carriers:
            carried: dict[str, Any] = await self._carriers[method](params, caller)
            return carried
        if method in builtin.ANSWERS:
            made = builtin.ANSWERS[method](self, given, params, caller)
            return await made if inspect.isawaitable(made) else made
        if method in self.undocumented:
            raise RpcError(GENERIC, f"{method} has no document, so a rule must answer it: mock.on({method!r})")
        return self.default(method, given)

    def _command(self, method: str) -> _Known:
        if method not in self._known:
            document = self._documents.command(method)
            if document is None:
                raise unknown_command(method)
            reader = Reader(document)
            self._known[method] = _Known(reader, exchanges(document, reader))
        return self._known[method]

    def _check_names(self, method: str, params: Mapping[str, Any]) -> None:
        if method == "*" or method in self.undocumented:
            return
        document = self._documents.command(method)
        if document is None:
            raise ScriptError(f"there is no command {method!r}{suggestion(method, self._documents.commands)}")
        command = self.command(method)
        known = [each.name for each in command.parameters]
        for name in params:
            if name not in known and not command.extras:
                raise ScriptError(f"{method} has no parameter {name!r}{suggestion(name, known)}")

    def _check_answer(self, method: str, answer: Any) -> None:
        document = self._documents.command(method)
        if document is None:
            return
        if found := first_faults(document.response, answer):
            raise ScriptError(
                f"{method}: the script's answer contradicts the document ({found}); check=False allows it"
            )


class _ScriptedError(Exception):
    """A step answers with an error."""

    def __init__(self, error: RpcError, step: Step) -> None:
        super().__init__(error)
        self.error = RpcError(error.code, error.message, error.data)
        self.step = step


def _as_given(params: bytes) -> dict[str, Any]:
    try:
        return plain(params)
    except (RpcError, ValueError):
        return {}
