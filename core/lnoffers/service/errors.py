"""The base class of this package's errors, and the errors that stop the service.

Their messages are written for the person who started the program: what is wrong, where, and what to do. Other errors
concern one call. They are defined beside what raises them, and the command turns them into an error answer
(`clnrpc.RpcError`).
"""

from __future__ import annotations

from typing import Final


class ServiceError(Exception):
    """The base class of all errors of this package."""


class OptionsError(ServiceError):
    """Options that contradict each other or name something that does not exist."""


HOW_TO_MAKE: Final = "lnoffers init makes a node; --lightning-dir and --network say where"


class NoNodeError(ServiceError):
    """There is no node in the directory, and the command must not make one."""


class SecretError(ServiceError):
    """The hsm_secret file cannot be read, created or parsed. The message never quotes its content."""


class StoreError(ServiceError):
    """The store cannot be opened, belongs to another node or network, or failed to run or commit a transaction."""


class ListenError(ServiceError):
    """The socket cannot be opened: it is in use, its path is too long, or another server owns the directory."""


class PeerUnavailableError(ServiceError):
    """A peer cannot be reached, is gone, or does not answer."""


class UnknownHostError(PeerUnavailableError):
    """A host name cannot be resolved."""
