"""A rune permits over REST exactly what it permits at the socket, and there is no way around it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rest.serving import Served
from tests.service.invoicing import NOW

NOT_PERMITTED = 1502


def restricted(server: Served, *texts: str) -> str:
    """Make a rune with one restriction for each text, whose alternatives `|` separates."""
    return server.rune(*[text.split("|") for text in texts])


def test_a_call_has_the_same_result_as_at_the_socket(server: Served) -> None:
    answer = server.site.post("getinfo", rune=server.rune())
    assert answer.status == 201
    assert answer.json == server.call("getinfo")


def test_list_methods_needs_a_rune_for_help(server: Served) -> None:
    path = "/v1/list-methods"
    assert server.site.request("GET", path).status == 403
    assert server.site.request("GET", path, headers={"Rune": restricted(server, "method=getinfo")}).status == 401
    answer = server.site.request("GET", path, headers={"Rune": restricted(server, "method=help")})
    assert (answer.status, answer.json) == (200, server.call("help"))


@pytest.mark.parametrize(
    "rune",
    [
        "x",
        "",
        "AAAA",
        "=" * 16,
        "é",
        "A" * 16_000,
        "tU-RLjMiDpY2U0o3W1oFowar36RFGpWloPbW9-RuZdo9MyZpZD0wJm1ldGhvZD1nZXRpbmZv",
    ],
)
def test_a_rune_that_is_not_ours_opens_nothing(server: Served, rune: str) -> None:
    answer = server.site.post("getinfo", rune=rune)
    assert answer.status == (401 if rune else 403)
    assert "id" not in answer.json


@pytest.mark.parametrize(
    ("restriction", "method", "params", "permitted"),
    [
        ("method=getinfo", "getinfo", {}, True),
        ("method=getinfo", "help", {}, False),
        ("method=getinfo", "createrune", {}, False),
        ("method^list|method=getinfo", "listoffers", {}, True),
        ("pnum=0", "decode", {"string": "x"}, False),
        ("pnum=0", "getinfo", {"x": None}, True),
        ("pnamestring=lno1", "decode", {"string": "lno1"}, True),
        ("pnamestring=lno1", "decode", {"string": "lno2"}, False),
        ("pnamestring/lno2", "decode", {"string": "lno2"}, False),
        ("pnamestring=lno1", "decode", {}, False),
        ("parr0=lno1", "decode", {"string": "lno1"}, False),
        (f"time<{NOW}", "getinfo", {}, False),
        (f"time<{NOW + 10}", "getinfo", {}, True),
        ("id=02aa", "getinfo", {}, False),
    ],
)
def test_every_restriction_holds(
    server: Served, restriction: str, method: str, params: dict[str, Any], permitted: bool
) -> None:
    answer = server.site.post(method, params, restricted(server, restriction))
    if permitted:
        assert answer.status != 401
    else:
        assert (answer.status, answer.json["code"]) == (401, NOT_PERMITTED)
        assert answer.json["message"].startswith("Not permitted: ")


BYPASSES = {
    "escapes in the value": rb'{"string":"\u006cno2"}',
    "escapes in the name": rb'{"\u0073tring":"lno2"}',
    "the name twice": b'{"string":"lno1","string":"lno2"}',
    "the name twice, once with an escape": rb'{"string":"lno1","\u0073tring":"lno2"}',
    "the name twice, once null": b'{"string":null,"string":"lno2"}',
    "by position": b'["lno2"]',
    "in an array": b'[{"string":"lno2"}]',
    "spaces": b' {\t"string"\n:\r "lno2" } ',
    "a second object": b'{"string":"lno1"}{"string":"lno2"}',
    "a byte order mark": b'\xef\xbb\xbf{"string":"lno2"}',
    "a comment": b'{"string":"lno1"/*","string":"lno2*/}',
}


@pytest.mark.parametrize("body", BYPASSES.values(), ids=BYPASSES)
@pytest.mark.parametrize("restriction", ["pnamestring=lno1", "pnamestring/lno2", "pnamestring!"])
def test_no_spelling_of_the_parameters_evades_a_restriction(server: Served, restriction: str, body: bytes) -> None:
    answer = server.site.request("POST", "/v1/decode", body, {"Rune": restricted(server, restriction, "method=decode")})
    assert answer.status in (400, 401, 406)


@pytest.mark.parametrize("field", ["string=lno2", "%73tring=lno2", "string=%6cno2", "string=lno1&string=lno2"])
@pytest.mark.parametrize("restriction", ["pnamestring=lno1", "pnamestring/lno2"])
def test_no_spelling_of_a_form_evades_a_restriction(server: Served, restriction: str, field: str) -> None:
    headers = {"Rune": restricted(server, restriction), "Content-Type": "application/x-www-form-urlencoded"}
    assert server.site.request("POST", "/v1/decode", field.encode(), headers).status in (401, 406)


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/help", "/v1/hel%70", "/v1//help", "//v1/help", "/v1/HELP", "/v1/help%0a", "/v1/help?method=getinfo"),
        *("/v1/getinfo/../help", "/v1/getinfo%2F..%2Fhelp", "/v1/getinfo%00help", "/v1/list-methods"),
        "/v1/getinfo%22,%22method%22:%22help",
    ],
)
def test_no_spelling_of_the_method_evades_a_restriction(server: Served, path: str) -> None:
    answer = server.site.request("POST", path, b"", {"Rune": restricted(server, "method=getinfo")})
    assert answer.status in (401, 404)
    assert set(answer.json) == {"code", "message", "data"}


def test_a_rate_counts_each_call_once(server: Served) -> None:
    rune = restricted(server, "rate=60")
    assert server.site.post("getinfo", rune=rune).status == 201
    again = server.site.post("getinfo", rune=rune)
    assert (again.status, again.json) == (
        401,
        {"code": NOT_PERMITTED, "message": "Not permitted: too soon", "data": None},
    )


def test_a_call_that_is_not_permitted_is_no_use(server: Served) -> None:
    rune = restricted(server, "rate=60", "method=getinfo")
    for _ in range(3):
        assert "too soon" not in server.site.post("help", rune=rune).json["message"]
    assert server.site.post("getinfo", rune=rune).status == 201


def test_a_blacklisted_rune_opens_nothing(server: Served) -> None:
    rune = server.rune()
    assert server.site.post("getinfo", rune=rune).status == 201
    server.blacklist_last()
    answer = server.site.post("getinfo", rune=rune)
    assert (answer.status, answer.json["message"]) == (401, "Not authorized: Blacklisted rune")


def test_a_rune_that_was_restricted_further_stays_restricted(server: Served) -> None:
    rune = restricted(server, "method=createrune|method=getinfo")
    narrowed = server.site.post("createrune", {"rune": rune, "restrictions": [["method=getinfo"]]}, rune).json["rune"]
    assert server.site.post("getinfo", rune=narrowed).status == 201
    assert server.site.post("createrune", rune=narrowed).status == 401
