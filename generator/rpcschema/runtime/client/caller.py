"""The common base of both generated clients."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypedDict, Unpack

from ..command import Command
from ..errors import ParameterError
from ..values.encode import encode
from .checks import check_parameters
from .version import NodeVersion

if TYPE_CHECKING:
    from .hooks import CallHooks


class Settings(NamedTuple):
    """How a client makes its calls."""

    timeout: float | None
    """Seconds for each call; None for no limit."""
    filter: bytes | None = None
    """The JSON text of the fields to ask for; None for all."""
    retries: int = 0
    """How often a command that only reads is repeated after its connection failed."""
    on_call: tuple[CallHooks, ...] = ()


class Changes(TypedDict, total=False):
    """The arguments of `rpc_with`."""

    timeout: float | None
    """Seconds for each call, with its retries; None for no limit."""
    retries: int
    """How often a command that only reads is repeated after its connection failed."""


class Caller:
    """A client without its connection: its commands and types, and the version of its node."""

    rpc_commands: ClassVar[Mapping[str, Command]] = MappingProxyType({})
    """The commands that have a method, by wire name."""
    rpc_package: ClassVar[str]
    """The package whose classes its calls return."""
    rpc_release: ClassVar[str | None] = None
    """The release of the types, e.g. "v26.09"; None if it is not known."""

    def __init__(self, settings: Settings, *, has_filters: bool) -> None:
        self._rpc_version = NodeVersion(self.rpc_package, self.rpc_release)
        self._rpc_settings = settings
        self._rpc_has_filters = has_filters

    @property
    def rpc_node_version(self) -> str | None:
        """The version that the node returned last, e.g. "v26.06.1"; None if it has not returned one."""
        return self._rpc_version.text

    def rpc_filtered(self, fields: Mapping[str, Any]) -> Self:
        """Return this client, on the same connections, for responses that contain only the given fields.

        `fields` mirrors the response: `client.rpc_filtered({"offers": [{"offer_id": True}]}).listoffers()`. Reading any
        other field raises MissingFieldError. Core Lightning's own commands support filters; a plugin's may return
        everything. Raises ParameterError for a REST interface, which has no filters.
        """
        if not self._rpc_has_filters:
            raise ParameterError("rpc_filtered: a node's REST interface has no filters; connect to its socket")
        return self._rpc_changed(filter=encode(fields))

    def rpc_with(self, **changes: Unpack[Changes]) -> Self:
        """Return this client, on the same connections, with other settings: `client.rpc_with(timeout=5).getinfo()`.

        `timeout` limits each call, in seconds; None for no limit. `retries` is how often a command that only reads is
        repeated after its connection failed.
        """
        return self._rpc_changed(**changes)

    def _rpc_changed(self, **changes: Any) -> Self:
        changed = copy.copy(self)
        changed._rpc_settings = self._rpc_settings._replace(**changes)
        return changed

    def _rpc_pause(self, method: str, attempts: int, seconds_left: float | None) -> float | None:
        """Return the seconds to wait before a failed call is made again; None if it must not be."""
        if not self._rpc_settings.retries:
            return None
        from .retries import pause_before_retry

        return pause_before_retry(self.rpc_commands.get(method), attempts, self._rpc_settings.retries, seconds_left)

    def _rpc_prepare(self, name: str, values: Sequence[Any]) -> tuple[Command, bytes]:
        """Return the command `name` and the JSON text of its parameters; `values` are in their order.

        None means not given; extensions are left out. Deprecation warnings point three callers up, at the line that
        called the command's method. Raises ParameterError and EncodeError.
        """
        command = self.rpc_commands[name]
        offered = (parameter.name for parameter in command.parameters if not parameter.extension)
        params = {each: value for each, value in zip(offered, values, strict=True) if value is not None}
        check_parameters(command, params, stacklevel=4)
        return command, encode(params)

    if TYPE_CHECKING:

        def rpc_send(self, name: str, /, *values: Any) -> Any:
            """Call the command `name` with the values of its parameters, in order.

            None means not given; extensions are left out.
            """
