"""Core Lightning's error codes for payments over channels (common/jsonrpc_errors.h)."""

from __future__ import annotations

from typing import Final

PAY_RHASH_ALREADY_USED: Final = 201
PAY_DESTINATION_PERM_FAIL: Final = 203
PAY_ROUTE_NOT_FOUND: Final = 205
PAY_NO_SUCH_PAYMENT: Final = 208
