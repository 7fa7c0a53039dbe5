"""Core Lightning's error codes for offers, requests and invoices (common/jsonrpc_errors.h)."""

from __future__ import annotations

from typing import Final

NO_RATE: Final = -32700
"""The code of all errors of the plugin that converts currencies."""
LIGHTNINGD_SHUTDOWN: Final = -5
PAY_IN_PROGRESS: Final = 200
PAY_INVOICE_EXPIRED: Final = 207
PAY_UNSPECIFIED_ERROR: Final = 209
PAY_STOPPED_RETRYING: Final = 210
PAY_INVOICE_REQUEST_INVALID: Final = 212
PAY_ALREADY_PAID: Final = 219
CONNECT_NO_KNOWN_ADDRESS: Final = 400
CONNECT_ALL_ADDRESSES_FAILED: Final = 401
INVOICE_LABEL_ALREADY_EXISTS: Final = 900
INVOICE_PREIMAGE_ALREADY_EXISTS: Final = 901
INVOICE_EXPIRED_DURING_WAIT: Final = 903
INVOICE_WAIT_TIMED_OUT: Final = 904
INVOICE_NOT_FOUND: Final = 905
INVOICE_STATUS_UNEXPECTED: Final = 906
INVOICE_OFFER_INACTIVE: Final = 907
INVOICE_NO_DESCRIPTION: Final = 908
OFFER_ALREADY_EXISTS: Final = 1000
"""The existing offer is not active."""
OFFER_ALREADY_DISABLED: Final = 1001
"""Used for invoice_requests too."""
OFFER_EXPIRED: Final = 1002
OFFER_ROUTE_NOT_FOUND: Final = 1003
OFFER_BAD_INVREQ_REPLY: Final = 1004
OFFER_TIMEOUT: Final = 1005
OFFER_ALREADY_ENABLED: Final = 1006
OFFER_USED_SINGLE_USE: Final = 1007
CREATEPROOF_NO_PAYMENT: Final = 1700
