"""What the log says of tokens that answers hide."""

from __future__ import annotations

import logging

from clnrpc.runtime.jsontext import json_type
from clnrpc.runtime.server.bind import BadParameter
from lnoffers.service.escaping import escape

logger = logging.getLogger(__name__)


def log_hidden(method: str, error: BadParameter) -> None:
    """Say where the token is that an answer hides: of the token itself, which may be a secret, only kind and length."""
    token = error.bad.token
    logger.info(
        "Refused %s: invalid token at %s (%s); to have errors show such tokens, start with --developer",
        method,
        escape(error.parameter + error.bad.place),
        f"{json_type(token)}, {len(token)} bytes" if token else "all parameters together",
    )
