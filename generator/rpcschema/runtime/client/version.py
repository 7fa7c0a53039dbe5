"""Whether a node is of the release whose types its client has.

Core Lightning names a release after its year and month ("v26.06"). Point releases ("v26.06.1") and candidates
("v26.06rc1") have the commands and fields of their release. A development build is named after the release before it,
with the commits since then: "v26.06-258-g090f4b0" is on the way from v26.06 to the next release, and has a part of what
that one brings. Types of either release suit it, because nobody can tell from the name how far it has come. The version
comes with the answer to getinfo.
"""

from __future__ import annotations

import re
import warnings
from typing import Final

import msgspec

from ..errors import VersionWarning

GETINFO: Final = "getinfo"
_MONTHS_TO_THE_NEXT: Final = 4
"""How far apart releases are at most, by their names: v25.12 was followed by v26.04."""
_match: Final = re.compile(r"v?([0-9]+)\.([0-9]+)(?:\.[0-9]+)?(rc[0-9]+)?(-[0-9]+-g[0-9a-f]+)?").match


def suits(release: str, version: str) -> bool:
    """Return whether types of `release` ("v26.09") suit a node of `version`; if its name tells nothing, they do."""
    types, node = _match(release), _match(version)
    if types is None or node is None:
        return True
    later = _months(types) - _months(node)
    is_between_releases = node[4] is not None and node[3] is None
    return 0 <= later <= (_MONTHS_TO_THE_NEXT if is_between_releases else 0)


def _months(version: re.Match[str]) -> int:
    return 12 * int(version[1]) + int(version[2])


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
        """Take the node's answer to getinfo (JSON text), None if that is an error.

        The first answer brings a VersionWarning if it names another release. `stacklevel` is that of `warnings.warn`:
        with 1 it points at the caller of this method.
        """
        is_first, self.is_settled = not self.is_settled, True
        try:
            self.text = None if answer is None else _decode(answer).version
        except (msgspec.DecodeError, RecursionError):
            return
        if is_first and self._release and self.text is not None and not suits(self._release, self.text):
            warnings.warn(
                f"the node runs {self.text}, and {self._package} has the types of {self._release}:"
                " commands, parameters and fields may differ",
                VersionWarning,
                stacklevel=stacklevel + 1,
            )


class _Getinfo(msgspec.Struct):
    version: str | None = None


_decode: Final = msgspec.json.Decoder(_Getinfo).decode
