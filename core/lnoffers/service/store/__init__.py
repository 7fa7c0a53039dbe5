"""Everything that outlives the process: the stored offers, invoice_requests and invoices, and the state of each.

`store` opens a store and `transactions` says how calls use it. `offers`, `invoicerequests` and `invoices` hold the SQL,
in a form that SQLite and PostgreSQL both read. `database` lists what they need of a database, and `sqlite` provides it.
"""

from lnoffers.service.store.database import BUSY_SECONDS, Connection
from lnoffers.service.store.migrations import Identity
from lnoffers.service.store.store import Store
from lnoffers.service.store.transactions import Group, LockedError, Transaction

__all__ = ["BUSY_SECONDS", "Connection", "Group", "Identity", "LockedError", "Store", "Transaction"]
