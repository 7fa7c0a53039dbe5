"""The queue in which sources take turns."""

from __future__ import annotations

from lnoffers.service.peers.scheduling import FairQueue


def popped(queue: FairQueue[int]) -> list[int]:
    """Return all items in the order in which they leave the queue."""
    found = list[int]()
    while queue:
        found.append(queue.pop())
    return found


def test_sources_take_turns_and_items_of_one_keep_their_order() -> None:
    queue = FairQueue[int](3, 3)
    for source, item in (("one", 1), ("one", 2), ("one", 3), ("two", 4), ("three", 5), ("two", 6)):
        assert queue.add(source, item)
    assert popped(queue) == [1, 4, 5, 2, 6, 3]


def test_a_source_that_comes_later_waits_for_one_item_of_each_other() -> None:
    queue = FairQueue[int](2, 3)
    for item in (1, 2, 3):
        queue.add("one", item)
    assert queue.pop() == 1
    queue.add("two", 4)
    queue.add("one", 5)
    assert popped(queue) == [2, 4, 3, 5]


def test_a_source_has_so_many_places_and_gets_them_back() -> None:
    queue = FairQueue[int](2, 2)
    assert [queue.add("one", item) for item in (1, 2, 3)] == [True, True, False]
    assert queue.add("two", 4)
    assert queue.pop() == 1
    assert queue.add("one", 5)
    assert popped(queue) == [4, 2, 5]


def test_there_is_room_for_so_many_sources() -> None:
    queue = FairQueue[int](2, 2)
    assert [queue.add(source, 1) for source in ("one", "two", "three", "one")] == [True, True, False, True]
    assert popped(queue) == [1, 1, 1]
    assert queue.add("three", 1)
