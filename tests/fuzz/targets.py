"""What can be fuzzed: for each target what must hold of its inputs, and what to start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tests.fuzz.onions import check_packet, check_wire
from tests.fuzz.properties import check
from tests.fuzz.seeds import own_onions, own_seeds, upstream_seeds


@dataclass(frozen=True)
class Target:
    """A kind of input: `check` raises what breaks a property, and `upstream` matches the names of others' inputs."""

    check: Callable[[bytes], None]
    own: Callable[[], Iterator[bytes]]
    upstream: str

    def seeds(self) -> Iterator[bytes]:
        """Return inputs to start from, those of others where they are there."""
        yield from self.own()
        yield from upstream_seeds(self.upstream)


TARGETS: Final[Mapping[str, Target]] = {
    "bolt12": Target(check, own_seeds, "bolt12-*"),
    "onion": Target(check_packet, own_onions, "handle_onion_message"),
    "wire": Target(check_wire, own_onions, "wire-onion_message"),
}
