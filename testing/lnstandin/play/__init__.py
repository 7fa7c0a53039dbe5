"""Play money: a payment backend that moves numbers between servers of this project, on regtest only.

`lnoffers serve --backend play` finds it by its entry point. The servers exchange messages of two types of their own, as
`messages` has them, over the same connections as all others. No channel, no chain and no other program is needed.

backend   what the server calls
sender    the payments of this node to others
receiver  the payments of others to this node
ledger    what was sent and received: a file of its own beside the store
channels  the balances in the ledger, where payments need channels
target    what is paid: an invoice of BOLT 12 or BOLT 11
turns     the transactions of the ledger
messages  what the servers say to each other
wire      sends these messages, or loses, repeats and delays them
faults    which of that happens, and how often
"""

from lnstandin.play.backend import Play, make

__all__ = ["Play", "make"]
