"""Runes are taken apart and explained as Core Lightning does."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.runes import Alternative, Rune, RuneError, describe, is_text
from tests.shared import shared_path

CODE = bytes(range(32))
NOW = 1_700_000_000


def rune(restrictions: bytes | str) -> str:
    text = restrictions.encode() if isinstance(restrictions, str) else restrictions
    return urlsafe_b64encode(CODE + text).decode()


def summaries(restrictions: str) -> list[str]:
    shown = describe(Rune.parse(rune(restrictions)), now=NOW)["restrictions"]
    assert isinstance(shown, list)
    return [item["summary"] for item in shown if isinstance(item, dict)]  # type: ignore[misc]


def test_a_rune_with_an_id_and_nothing_else_allows_all() -> None:
    assert describe(Rune.parse(rune("=7")), now=NOW) == {
        "type": "rune",
        "unique_id": "7",
        "string": f"{CODE.hex()}:=7",
        "restrictions": [],
        "valid": True,
    }


def test_id_and_version_are_told_apart_at_the_first_hyphen() -> None:
    shown = describe(Rune.parse(rune("=12-v-2&a=1")), now=NOW)
    assert list(shown) == ["type", "unique_id", "version", "string", "restrictions", "valid"]
    assert (shown["unique_id"], shown["version"]) == ("12", "v-2")
    assert "version" in describe(Rune.parse(rune("=12-")), now=NOW)


def test_a_rune_need_not_have_an_id_or_anything() -> None:
    shown = describe(Rune.parse(rune("")), now=NOW)
    assert (list(shown), shown["restrictions"]) == (["type", "string", "restrictions", "valid"], [])
    assert Rune.parse(rune("method=pay")).identity is None


def test_alternatives_are_shown_plain_and_summed_up() -> None:
    shown = describe(Rune.parse(rune("=1&method^list|method=a\\|b|x_y~\\&\\\\")), now=NOW)
    assert shown["restrictions"] == [
        {
            "alternatives": ["method^list", "method=a|b", "x_y~&\\"],
            "summary": "method (of command) starts with 'list' OR method (of command) equal to 'a|b' "
            "OR x_y (unknown condition?) contains '&\\'",
        }
    ]
    assert shown["string"] == f"{CODE.hex()}:=1&method^list|method=a\\|b|x_y~\\&\\\\"


@pytest.mark.parametrize(
    ("condition", "summary"),
    [
        ("id=02", "id (of commanding peer) equal to '02'"),
        ("id/02", "id (of commanding peer) unequal to '02'"),
        ("id!", "id (of commanding peer) is missing"),
        ("pnum=3", "pnum (number of command parameters) equal to 3"),
        ("pnum<3", "pnum (number of command parameters) less than 3"),
        ("rate=60", "rate (max per minute) equal to 60"),
        ("parr0$x", "parr0 (array parameter #0) ends with 'x'"),
        ("pnamelabel{x", "pnamelabel (object parameter 'label') sorts before 'x'"),
        ("pnamelabel}x", "pnamelabel (object parameter 'label') sorts after 'x'"),
        ("other>x", "other (unknown condition?) greater than x"),
        ("note#by {name}", "[comment: noteby {name}]"),
    ],
)
def test_each_condition_reads_as_a_sentence(condition: str, summary: str) -> None:
    assert summaries(condition) == [summary]


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (0, "0 seconds from now"),
        (59, "59 seconds from now"),
        (-60, "1 minutes 0 seconds ago"),
        (3599, "59 minutes 59 seconds from now"),
        (3600, "approximately 1 hours 0 minutes from now"),
        (48 * 3600 - 1, "approximately 47 hours 59 minutes from now"),
        (-48 * 3600, "approximately 2 days 0 hours ago"),
        (60 * 86400 - 1, "approximately 59 days 23 hours from now"),
        (60 * 86400, "approximately 2 months 0 days from now"),
        (730 * 86400 - 1, "approximately 24 months 9 days from now"),
        (730 * 86400, "approximately 24 months from now"),
    ],
)
def test_a_time_says_how_far_it_is(distance: int, words: str) -> None:
    time = NOW + distance
    assert summaries(f"time<{time}") == [f"time (in seconds since 1970) less than {time} ({words})"]


@pytest.mark.parametrize("value", ["0", "soon", "", "-"])
def test_what_is_no_time_says_no_distance(value: str) -> None:
    assert summaries(f"time={value}") == [f"time (in seconds since 1970) equal to {value}"]


@pytest.mark.parametrize("value", ["9" * 5000, "-1", " +5x"])
def test_strange_times_say_some_distance(value: str) -> None:
    [summary] = summaries(f"time>{value}")
    assert summary.endswith(("months from now)", "months ago)"))


def test_padding_may_be_missing_and_a_last_separator_is_dropped() -> None:
    padded = rune("=1&a=b")
    assert padded.endswith("=")
    assert Rune.parse(padded) == Rune.parse(padded.rstrip("=")) == Rune.parse(rune("=1&a=b&"))


@pytest.mark.parametrize(
    "text",
    [
        *("", "hello", "====", "A", "A" * 41, "A" * 42, "é" * 44, rune("=1") + "!", "A" * 40 + "=" + "A" * 12),
        *map(rune, ("a", "abc", "a=b|", "a=b&c", "&", "a=\\", "a*b", "a=b\0")),
        *map(rune, ("a=b&=1", "=1|a=b", "a=b|=1", "/1", "#1", "=1&=1")),
    ],
)
def test_rejects_what_is_no_rune(text: str) -> None:
    with pytest.raises(RuneError):
        Rune.parse(text)


def test_text_that_is_not_utf8_is_shown_in_hex_and_not_valid() -> None:
    strange = Rune.parse(rune(b"=1&method=\xff"))
    assert not is_text(strange)
    assert describe(strange, now=NOW) == {
        "type": "rune",
        "hex": f"{CODE.hex()}:=1&method=".encode().hex() + "ff",
        "warning_rune_invalid_utf8": "Rune contains invalid UTF-8 strings",
        "valid": False,
    }


NAMES = st.from_regex(r"[a-zA-Z0-9_ ]+", fullmatch=True).map(str.encode)
ALTERNATIVES = st.builds(
    Alternative, NAMES, st.sampled_from("!=/^$~<>{}#"), st.binary().filter(lambda value: b"\0" not in value)
)


@given(st.lists(st.lists(ALTERNATIVES, min_size=1).map(tuple)).map(tuple))
def test_what_a_rune_says_reads_back(restrictions: tuple[tuple[Alternative, ...], ...]) -> None:
    text = bytes(Rune(CODE, restrictions))
    read = Rune.parse(rune(text.removeprefix(CODE.hex().encode() + b":")))
    assert read == Rune(CODE, restrictions)
    assert describe(read, now=NOW)["valid"] is is_text(read)


@given(st.text() | st.binary().map(rune))
def test_any_text_is_a_rune_or_an_error_of_ours(text: str) -> None:
    try:
        read = Rune.parse(text)
    except RuneError:
        return
    describe(read, now=NOW)


def test_shows_what_the_documents_show() -> None:
    seen = 0
    for name in ("createrune", "decode"):
        document = json.loads(shared_path(f"corpus/master-2026-08/schemas/{name}.json").read_text())
        for example in document["examples"]:
            response = example["response"]
            if response.get("type") == "rune":
                [text] = example["request"]["params"]
                assert json.dumps(describe(Rune.parse(text), now=NOW)) == json.dumps(response)
                seen += 1
            elif "rune" in response:
                assert describe(Rune.parse(response["rune"]), now=NOW)["unique_id"] == response["unique_id"]
                seen += 1
    assert seen > 3
