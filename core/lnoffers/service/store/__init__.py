"""What outlives the process: every offer, invoice_request and invoice that was ever answered, and the state it is in.

SQLAlchemy Core throughout, so that another database can follow; all that is SQLite's own lies in `engine`.
Importing this package imports SQLAlchemy, which takes a quarter of a second: its users import it where they open it.
"""

from lnoffers.service.store.engine import BUSY_SECONDS
from lnoffers.service.store.migrations import Identity
from lnoffers.service.store.store import Store
from lnoffers.service.store.transactions import Group, LockedError, Transaction

__all__ = ["BUSY_SECONDS", "Group", "Identity", "LockedError", "Store", "Transaction"]
