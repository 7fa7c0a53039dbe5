"""Core Lightning's error codes for offers, requests and invoices (common/jsonrpc_errors.h)."""

from __future__ import annotations

from typing import Final

NO_RATE: Final = -32700
"""What the plugin that converts currencies answers for whatever it cannot do."""
LIGHTNINGD_SHUTDOWN: Final = -5
INVOICE_LABEL_ALREADY_EXISTS: Final = 900
INVOICE_NOT_FOUND: Final = 905
INVOICE_OFFER_INACTIVE: Final = 907
OFFER_ALREADY_EXISTS: Final = 1000
"""And is not active."""
OFFER_ALREADY_DISABLED: Final = 1001
"""For requests too."""
OFFER_ALREADY_ENABLED: Final = 1006
OFFER_USED_SINGLE_USE: Final = 1007
