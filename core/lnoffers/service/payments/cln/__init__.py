"""The backend `cln:SOCKET`: a running Core Lightning node pays for this node, and is paid for it.

`client` connects to the node and checks it, `outcomes` says what its errors mean, `sending` pays, `witness` counts
payments there, `destinations` makes the paths that end at it, and `receiving` is paid through it.
"""

from __future__ import annotations

from lnoffers.service.payments.cln.backend import make

__all__ = ["make"]
