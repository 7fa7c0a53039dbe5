"""Load the node's keys from the file hsm_secret, in the forms that Core Lightning writes, or create a new file."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Final

from lnoffers.bolt12.keys import HsmSecretError, NodeKeys, new_hsm_secret, seed_from_hsm_secret
from lnoffers.service.entropy import Entropy, EntropyError
from lnoffers.service.errors import SecretError
from lnoffers.service.files import create_private_file, open_regular

MAX_BYTES: Final = 4096
"""More than the file has in any form. A longer file is something else."""
_OTHERS: Final = 0o066
"""The bits of a mode that let others read and write."""

logger = logging.getLogger(__name__)


def load_keys(path: Path, entropy: Entropy | None) -> NodeKeys:
    """Return the keys from the hsm_secret at `path`. If it is missing, make one from 16 bytes of `entropy`, if given.

    Raises:
        SecretError: if it is missing, or cannot be read, created or parsed.
    """
    try:
        content = _read(path)
        if content is None:
            if entropy is None:
                raise SecretError(f"{path} is missing, but there is a store that was made with it: restore the file")
            _create(path, entropy)
            content = _read(path) or b""
        return NodeKeys.from_seed(seed_from_hsm_secret(content))
    except (HsmSecretError, EntropyError) as error:
        raise SecretError(f"{path}: {error}") from error
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror}") from error


def _read(path: Path) -> bytes | None:
    """Return the content of the file, or None if it does not exist. It may be a symbolic link."""
    try:
        descriptor = open_regular(path, os.O_RDONLY, follow_link=True)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & _OTHERS:
            raise SecretError(f"{path}: others may read or write it (mode {mode:04o}). Do: chmod 600 {path}")
        return file.read(MAX_BYTES)


def _create(path: Path, entropy: Entropy) -> None:
    # If another process creates one at the same moment, its secret stays: it is as good as ours.
    if create_private_file(path, new_hsm_secret(entropy.draw(16))):
        logger.warning("Made a new secret: %s. Keep a copy: whoever loses it loses the node's keys.", path)
