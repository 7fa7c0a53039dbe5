"""Compare the node's release with the release of the client's types.

Core Lightning names a release after its year and month ("v26.06"). Point releases ("v26.06.1") and candidates
("v26.06rc1") have the commands and fields of their release. A development build is named after the previous release,
with the number of commits since: "v26.06-258-g090f4b0" lies between v26.06 and the next release. The types of either
release suit it, because the name does not say how much of the next release it has. The version comes from getinfo.
"""

from __future__ import annotations

import re
import warnings
from typing import Final

import msgspec

from ..errors import VersionWarning

GETINFO: Final = "getinfo"
_MONTHS_TO_THE_NEXT: Final = 4
"""The most months between the names of two releases: v25.12 was followed by v26.04."""
_match: Final = re.compile(r"v?([0-9]+)\.([0-9]+)(?:\.[0-9]+)?(rc[0-9]+)?(-[0-9]+-g[0-9a-f]+)?").match


def is_compatible(release: str, version: str) -> bool:
    """Return whether types of `release` ("v26.09") suit a node of `version`; they do if the name says nothing."""
    types, node = _match(release), _match(version)
    if types is None or node is None:
        return True
    later = _months(types) - _months(node)
    is_between_releases = node[4] is not None and node[3] is None
    return 0 <= later <= (_MONTHS_TO_THE_NEXT if is_between_releases else 0)


def _months(version: re.Match[str]) -> int:
    return 12 * int(version[1]) + int(version[2])


class NodeVersion:
    """The version of a client's node, as far as it is known.

    `release` is the release of the types in `package` ("v26.09"); with None there is nothing to compare.
    """

    def __init__(self, package: str, release: str | None) -> None:
        self._package = package
        self._release = release
        self.text: str | None = None
        """The version that the node returned last, e.g. "v26.06.1", or None."""
        self.is_settled = release is None
        """Whether there is no need to ask the node."""

    def learn(self, response: bytes | None, *, stacklevel: int) -> None:
        """Take the node's response to getinfo (JSON text); None stands for an error.

        The first response gives a VersionWarning if it names another release. `stacklevel` works as in `warnings.warn`,
        where 1 is the caller of this method.
        """
        is_first, self.is_settled = not self.is_settled, True
        try:
            self.text = None if response is None else _decode(response).version
        except (msgspec.DecodeError, RecursionError):
            return
        if is_first and self._release and self.text is not None and not is_compatible(self._release, self.text):
            warnings.warn(
                f"the node runs {self.text}, and {self._package} has the types of {self._release}:"
                " commands, parameters and fields may differ",
                VersionWarning,
                stacklevel=stacklevel + 1,
            )


class _Getinfo(msgspec.Struct):
    version: str | None = None


_decode: Final = msgspec.json.Decoder(_Getinfo).decode
