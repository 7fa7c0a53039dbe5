"""Tokens become values by the node's rules: what it takes is taken, everything else is refused with its text."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.command import Array, Object
from rpcschema.runtime.server.convert import CONVERTERS, BadToken, converter_of, raw_text
from rpcschema.runtime.values import scalars

NODE_ID = "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"
HASH = "0123456789abcdef" * 4
DIGITS_OF_U64_MAX = str(2**64 - 1)

MSAT = "should be a millisatoshi amount"
SAT = "should be a satoshi amount"
BYTES_32 = "should be a 32 byte hex value"


def convert(kind: str, token: str) -> Any:
    return CONVERTERS[kind](token.encode())


@pytest.mark.parametrize(
    ("kind", "token", "value"),
    [
        ("msat", "0", 0),
        ("msat", "1000", 1000),
        ("msat", '"1000"', 1000),
        ("msat", '"0001"', 1),
        ("msat", '"1000msat"', 1000),
        ("msat", '"10sat"', 10_000),
        ("msat", '"1.000sat"', 1000),
        ("msat", '"0.001sat"', 1),
        ("msat", '"1btc"', 10**11),
        ("msat", '"0.1btc"', 10**10),
        ("msat", '"1.00000000000btc"', 10**11),
        ("msat", '"0.00000000001btc"', 1),
        ("msat", DIGITS_OF_U64_MAX, 2**64 - 1),
        ("msat", f'"{DIGITS_OF_U64_MAX}msat"', 2**64 - 1),
        ("msat_or_any", '"any"', "any"),
        ("msat_or_any", '"1sat"', 1000),
        ("msat_or_all", '"all"', "all"),
        ("sat", "1", 1),
        ("sat", '"1sat"', 1),
        ("sat", '"1000msat"', 1),
        ("sat", '"0msat"', 0),
        ("sat", '"0.00000001btc"', 1),
        ("sat", '"1btc"', 10**8),
        ("sat", DIGITS_OF_U64_MAX, 2**64 - 1),
        ("sat", f'"{DIGITS_OF_U64_MAX}000msat"', 2**64 - 1),
        ("sat_or_all", '"all"', "all"),
        ("sat_or_all", "5", 5),
        ("u64", '"4102444801"', 4102444801),
        ("u64", DIGITS_OF_U64_MAX, 2**64 - 1),
        ("u32", str(2**32 - 1), 2**32 - 1),
        ("u16", "65535", 65535),
        ("u8", "255", 255),
        ("integer", "-5", -5),
        ("integer", '"-9223372036854775808"', -(2**63)),
        ("number", "0.5", 0.5),
        ("number", '"10"', 10.0),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("null", "null", None),
        ("string", '""', ""),
        ("string", r'"a\n\t\r\b\f\/\\\"b"', 'a\n\t\r\b\f/\\"b'),
        ("string", r'"\\u0041"', r"\u0041"),
        ("string", '"₿ 日本語 🎉"', "₿ 日本語 🎉"),
        ("hex", '"00FFab"', "00ffab"),
        ("hex", "1234", "1234"),
        ("hexstr", '"00"', "00"),
        ("hash", f'"{HASH.upper()}"', HASH),
        ("secret", f'"{HASH}"', HASH),
        ("txid", f'"{HASH}"', HASH),
        ("pubkey", f'"{NODE_ID}"', NODE_ID),
        ("signature", '"3006"', "3006"),
        ("bip340sig", f'"{HASH * 2}"', HASH * 2),
        ("short_channel_id", '"539268x845x1"', "539268x845x1"),
        ("short_channel_id", '"16777215x16777215x65535"', "16777215x16777215x65535"),
        ("short_channel_id_dir", '"1x2x3/1"', "1x2x3/1"),
        ("outpoint", f'"{HASH}:4294967295"', f"{HASH}:4294967295"),
        ("feerate", "253", 253),
        ("feerate", '"253"', 253),
        ("feerate", '"253perkw"', "253perkw"),
        ("feerate", '"6blocks"', "6blocks"),
        ("feerate", '"urgent"', "urgent"),
        ("currency", '"10.05USD"', "10.05USD"),
        ("array", '[1,"a",{"b":[]}]', [1, "a", {"b": []}]),
        ("object", '{"a":1}', {"a": 1}),
        ("outputdesc", '{"bcrt1q":"all"}', {"bcrt1q": "all"}),
        ("string_map", '{"a":"b"}', {"a": "b"}),
        ("json_object_or_array", "[1]", [1]),
        ("json_object_or_array", "{}", {}),
        ("json_scalar", '"\\u0041"', "A"),
        ("json_scalar", "null", None),
        ("", "1.5", 1.5),
        ("", '["x"]', ["x"]),
    ],
)
def test_takes(kind: str, token: str, value: object) -> None:
    converted = convert(kind, token)
    assert converted == value
    assert type(converted) is type(value)


REFUSED = {
    "msat": (
        *(MSAT, '""', '"-1"', "-1", '"+1"', "1.5", '"1.5"', "1e3", '"1e3"', '"0x10"', '"\uff11\uff10"', '"1 "', '" 1"'),
        *("true", "null", "[1000]", '{"msat":1}', '"any"', '"all"', '"sat"', '"10USD"', '"1SAT"', '"1sats"', '"1_0"'),
        *('"1.0001sat"', '"1.00sat"', '"1.sat"', '".001sat"', '"1.000msat"', '"1.btc"', '".1btc"', '"\\u0031"'),
        *('"0.000000000001btc"', f'"{2**64}"', str(2**64), '"18446744073709552sat"', '"184467441btc"', "9" * 30),
    ),
    "sat": (SAT, '"1001msat"', '"1msat"', '"1.000sat"', '"0.000000001btc"', str(2**64), '"all"', "-1", "[]"),
    "u64": (
        *("should be an unsigned 64 bit integer", str(2**64), "-5", '"-5"', '"abc"', '""', "1.0", "1e3", "true"),
        *("null", "[1]", '"0x1"', "9" * 30),
    ),
    "u32": ("should be an unsigned 32 bit integer", str(2**32), "-1"),
    "u16": ("should be an unsigned 16 bit integer", "65536"),
    "u8": ("should be an unsigned 8 bit integer", "256"),
    "integer": ("should be an integer", str(2**63), str(-(2**63) - 1), "1.0", "1e3", '"+1"', '""', "--1", "9" * 30),
    "number": ("should be a non-negative floating-point number", "-1", "1e3", '"."', '""', '"NaN"', '"inf"', "[]"),
    "boolean": ("should be 'true' or 'false'", '"true"', '"false"', "1", "0", "null", '"yes"'),
    "null": ("should be null", "0", '"null"'),
    "string": (
        *("should be a string (without \\u)", '"\\u0041"', '"a\\u0001b"', '"\\\\\\u0041"', "5", "null", '["x"]'),
    ),
    "hex": ("should be a hex value", '""', '"0"', '"0g"', '"zz"', "null", '"0x00"', '"00 "'),
    "hash": (BYTES_32, '""', '"00"', f'"{HASH}00"', f'"{HASH[:-1]}z"', "null", f'["{HASH}"]'),
    "secret": (BYTES_32, '"00"'),
    "txid": ("should be a txid", '"00"'),
    "signature": ("should be a hex value", f'"{"00" * 73}"', '"0"'),
    "bip340sig": ("should be a 64 byte hex value", f'"{HASH}"'),
    "pubkey": (
        *("should be a node id", f'"04{NODE_ID[2:]}"', f'"02{"00" * 32}"', f'"02{"ff" * 32}"', f'"{NODE_ID}00"'),
        *('""', "null", '"02"'),
    ),
    "short_channel_id": (
        *("should be a short_channel_id of form NxNxN", '"1x2"', '"16777216x0x0"', '"0x16777216x0"', '"0x0x65536"'),
        *('"1x2x3x4"', '"1x2x-3"', '""', '"1:2:3"', "1"),
    ),
    "short_channel_id_dir": (
        *("should be a short_channel_id_dir of form NxNxN/N", '"1x2x3"', '"1x2x3/2"', '"1x2/0"', '"/0"', '""'),
        '"1x2x3/01"',
    ),
    "outpoint": ("should be a txid:outnum", f'"{HASH}"', f'"{HASH}:"', f'"{HASH}:{2**32}"', '"00:1"', f'"{HASH}:-1"'),
    "feerate": (
        *("should be an integer with optional perkw/perkb", "-1", '"1perk"', '"fast"', "null", str(2**32), "1.5"),
    ),
    "currency": ("should be an amount in a currency", '"USD"', '"10usd"', "10", '"10.USD"'),
    "array": ("should be an array", "{}", '"a"', "null"),
    "object": ("should be an object", "[]", '"a"', "null"),
    "outputdesc": ("should be an object", "[]"),
    "string_map": ("should be an object of strings", '{"a":1}'),
    "json_object_or_array": ("should be an object or an array", "1", "null"),
    "json_scalar": ("should be a string, number, boolean or null", "[]", "{}"),
}
"""Type -> (why, tokens that it does not take)."""


@pytest.mark.parametrize(
    ("kind", "token"), [(kind, token) for kind, (_, *tokens) in REFUSED.items() for token in tokens]
)
def test_refuses_with_the_nodes_text(kind: str, token: str) -> None:
    with pytest.raises(BadToken) as bad:
        convert(kind, token)
    assert bad.value.why == REFUSED[kind][0]


@pytest.mark.parametrize("token", [r'"\ud800"', "[" * 100_000 + "]" * 100_000])
def test_json_that_cannot_be_decoded_is_refused(token: str) -> None:
    with pytest.raises(BadToken, match="cannot be decoded"):
        convert("", token)


@given(st.integers(0, 2**64 - 1))
def test_amounts_of_all_sizes_are_exact_in_each_unit(amount: int) -> None:
    sats, rest = divmod(amount, 1000)
    coins, parts = divmod(amount, 10**11)
    for text in (f"{amount}", f"{amount}msat", f"{sats}.{rest:03}sat", f"{coins}.{parts:011}btc"):
        assert convert("msat", f'"{text}"') == amount


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_strings_come_out_as_they_were_meant(text: str) -> None:
    assert convert("string", json.dumps(text, ensure_ascii=False)) == text


@given(
    st.sampled_from(sorted(CONVERTERS)),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists),
)
def test_any_token_is_converted_or_refused_by_every_type(kind: str, value: object) -> None:
    with suppress(BadToken):
        convert(kind, json.dumps(value, ensure_ascii=False))


def test_a_number_may_have_any_count_of_digits() -> None:
    assert convert("u64", f'"{"0" * 1_000_000}7"') == 7
    for kind in ("u64", "msat", "sat", "integer"):
        with pytest.raises(BadToken):
            convert(kind, "9" * 1_000_000)


def test_elements_are_converted_by_their_own_type() -> None:
    convert_hashes = converter_of(Array("hash"))
    assert convert_hashes(f'["{HASH}" , "{HASH.upper()}"]'.encode()) == [HASH, HASH]
    for token, why in (('["00"]', "should be a 32 byte hex value"), (f'"{HASH}"', "should be an array")):
        with pytest.raises(BadToken, match=why):
            convert_hashes(token.encode())


def test_members_are_converted_by_their_own_type() -> None:
    convert_pair = converter_of(Object((("a-b", "msat"), ("c", Array("u8")))))
    assert convert_pair(b'{ "c" : ["7", 8] , "a-b" : "1sat" }') == {"c": [7, 8], "a-b": 1000}
    assert convert_pair(b"{}") == {}
    with pytest.raises(BadToken, match="should be an object"):
        convert_pair(b"[]")


def test_of_duplicate_members_the_first_counts_and_unknown_ones_are_passed_over() -> None:
    convert_object = converter_of(Object((("a", "u8"),)))
    assert convert_object(rb'{"x":1e999,"a":1,"\u0061":2,"a":"bad"}') == {"a": 1}


def test_a_bad_part_tells_its_place_and_its_token() -> None:
    convert_rows = converter_of(Array(Array(Object((("a", "u8"), ("b", Object((("c", "msat"),))))))))
    for raw, place, token in (
        (b'[[],[{"a":1},{"b":{"c": "x" }}]]', "[1][1].b.c", b'"x"'),
        (b'[[{"a":256}]]', "[0][0].a", b"256"),
        (b'[[{"b":[1]}]]', "[0][0].b", b"[1]"),
        (b"[[],{}]", "[1]", b"{}"),
        (b"{}", "", b""),
    ):
        with pytest.raises(BadToken) as bad:
            convert_rows(raw)
        assert (bad.value.place, bad.value.token) == (place, token)


def test_raw_text_is_any_token_as_written() -> None:
    assert raw_text(rb'"\u0041\n"') == r"\u0041\n"
    assert raw_text(b'[1, "x"]') == '[1, "x"]'


def test_each_alias_of_a_scalar_is_a_plain_type() -> None:
    aliases = {name: alias for name, alias in vars(scalars).items() if name[0].isupper() and name != "TypeAlias"}
    assert len(aliases) == 21
    for alias in aliases.values():
        assert all(part in (int, str) for part in get_args(alias) or (alias,))
