"""Whether a node is of the release whose types its client has.

Core Lightning names a release after its year and month; point releases ("v26.06.1"), candidates ("v26.06rc1") and
builds between two releases ("v26.06-120-g0123abc") begin with the release that they belong to. The version comes with
the answer to getinfo.
"""

from __future__ import annotations

import re
import warnings
from typing import Final

import msgspec

from ..errors import VersionWarning

GETINFO: Final = "getinfo"
_match_release: Final = re.compile(r"v?([0-9]+\.[0-9]+)").match


def release_of(version: str) -> str | None:
    """The release that a node's version belongs to, e.g. "v26.06" for "v26.06.1"; None if it names none."""
    found = _match_release(version)
    return None if found is None else f"v{found[1]}"


class NodeVersion:
    """What a client has learnt of its node's version.

    `release` is the one whose types `package` has ("v26.09"); with None there is nothing to compare.
    """

    def __init__(self, package: str, release: str | None) -> None:
        self._package = package
        self._release = release
        self.text: str | None = None
        """As the node said it last, e.g. "v26.06.1"; None if it did not."""
        self.is_settled = release is None
        """Whether there is no need to ask the node."""

    def learn(self, answer: bytes | None, *, stacklevel: int) -> None:
        """Takes the node's answer to getinfo (JSON text), None if that is an error; it settles the matter.

        The first answer brings a VersionWarning if it names another release. `stacklevel` is that of `warnings.warn`:
        with 1 it points at the caller of this method.
        """
        is_first, self.is_settled = not self.is_settled, True
        try:
            self.text = None if answer is None else _decode(answer).version
        except (msgspec.DecodeError, RecursionError):
            return
        found = None if self.text is None else release_of(self.text)
        if is_first and found not in {None, self._release}:
            warnings.warn(
                f"the node runs {self.text}, and {self._package} has the types of {self._release}:"
                " commands, parameters and fields may differ",
                VersionWarning,
                stacklevel=stacklevel + 1,
            )


class _Getinfo(msgspec.Struct):
    version: str | None = None


_decode: Final = msgspec.json.Decoder(_Getinfo).decode
