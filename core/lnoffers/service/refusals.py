"""What the log says about tokens that answers hide."""

from __future__ import annotations

import logging

from clnrpc.runtime.jsontext import json_type
from clnrpc.runtime.server.bind import BadParameter
from lnoffers.service.escaping import escape

logger = logging.getLogger(__name__)


def log_hidden(method: str, error: BadParameter) -> None:
    """Log where the hidden token is. The token may be a secret, so only its kind and length are logged."""
    token = error.token
    logger.info(
        "Refused %s: invalid token at %s (%s); to have errors show such tokens, start with --developer",
        method,
        escape(error.place),
        f"{json_type(token)}, {len(token)} bytes" if token else "all parameters together",
    )
