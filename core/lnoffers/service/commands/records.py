"""The members that all responses about a stored offer or invoice_request share."""

from __future__ import annotations

from typing import Protocol, TypedDict

from lnoffers.service.status import Status


class Stored(Protocol):
    """An offer or invoice_request of the store."""

    @property
    def bolt12(self) -> str:
        """The string."""

    @property
    def label(self) -> str | None:
        """The label, if it has one."""

    @property
    def status(self) -> Status:
        """The state."""


class Shown(TypedDict):
    """The members that their responses share."""

    active: bool
    single_use: bool
    bolt12: str
    used: bool
    label: str | None


def shown(stored: Stored) -> Shown:
    """Return the members that responses about it share."""
    return Shown(
        active=Status.ACTIVE in stored.status,
        single_use=Status.SINGLE_USE in stored.status,
        bolt12=stored.bolt12,
        used=Status.USED in stored.status,
        label=stored.label,
    )
