"""Which connections may begin a handshake, and what strangers may have logged."""

from __future__ import annotations

import asyncio
import logging

import pytest

from lnoffers.service.peers.address_paces import MAX_ADDRESSES
from lnoffers.service.peers.admission import ADDRESS_BURST, MAX_HANDSHAKES, MAX_OF_ADDRESS, Admission
from lnoffers.service.peers.bounded_log import LINE_BURST, LINES_A_SECOND, BoundedLog


def refusals(*hosts: str) -> list[str]:
    """Return the answer for each of these connections, none of which completes its handshake."""

    async def run() -> list[str]:
        admission = Admission()
        return [admission.enter(host) for host in hosts]

    return asyncio.run(run())


def test_each_address_has_its_own_places() -> None:
    found = refusals(*["192.0.2.1"] * (MAX_OF_ADDRESS + 1), "192.0.2.2")
    assert found[:MAX_OF_ADDRESS] == [""] * MAX_OF_ADDRESS
    assert found[MAX_OF_ADDRESS].endswith("with its address are under way")
    assert found[-1] == ""


@pytest.mark.parametrize(
    ("host", "same", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", "2001:db8:1:3::1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("fe80::1%lo", "fe80::2%lo", "2001:db8::1"),
    ],
)
def test_an_address_is_an_ipv4_address_or_an_ipv6_network(host: str, same: str, other: str) -> None:
    *_, of_same, of_other = refusals(*[host] * MAX_OF_ADDRESS, same, other)
    assert of_same
    assert not of_other


def test_all_addresses_together_have_a_limit() -> None:
    *admitted, refused = refusals(*(f"192.0.2.{number}" for number in range(MAX_HANDSHAKES + 1)))
    assert admitted == [""] * MAX_HANDSHAKES
    assert refused == f"{MAX_HANDSHAKES} handshakes are under way"


def test_a_handshake_that_is_over_leaves_its_place() -> None:
    async def run() -> list[str]:
        admission, found = Admission(), []
        for _ in range(ADDRESS_BURST):
            found.append(admission.enter("192.0.2.1"))
            admission.leave("192.0.2.1")
        return found

    assert asyncio.run(run()) == [""] * ADDRESS_BURST


def test_only_the_latest_addresses_are_remembered() -> None:
    async def run() -> int:
        admission = Admission()
        for number in range(2 * MAX_ADDRESSES):
            host = f"10.0.{number >> 8}.{number & 255}"
            if not admission.enter(host):
                admission.leave(host)
        return len(admission._paces)

    assert asyncio.run(run()) == MAX_ADDRESSES


def test_lines_beyond_the_pace_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    many = 10 * LINE_BURST

    async def run() -> None:
        log = BoundedLog(logging.getLogger("peers"))
        for number in range(many):
            log.debug("line %d", number)
        await asyncio.sleep(2 / LINES_A_SECOND)
        log.debug("line %s", "last")

    with caplog.at_level(logging.DEBUG, "peers"):
        asyncio.run(run())
    lines = [record.getMessage() for record in caplog.records]
    counts = [int(line.split()[-1]) for line in lines if line.startswith("Lines about peers that were left out: ")]
    assert lines[-1] == "line last"
    assert LINE_BURST < len(lines) < many
    assert len(lines) - len(counts) + sum(counts) == many + 1
