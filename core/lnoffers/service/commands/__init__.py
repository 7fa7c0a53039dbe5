"""The commands: the generated stubs of `clnrpc.Service`, filled in with BOLT 12 and the store, a module a family."""

from lnoffers.service.commands.base import Served
from lnoffers.service.commands.service import OffersService

__all__ = ["OffersService", "Served"]
