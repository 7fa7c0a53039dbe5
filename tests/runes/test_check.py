"""Restrictions permit a call, or say why not in Core Lightning's words. `tests/interop` compares with a real node."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.runes import Call, Rune, refusal
from lnoffers.runes.check import MAX_INVOICE
from lnoffers.runes.rune import read_restrictions
from tests.bolt12 import samples

NOW = 1_700_000_000
CALL = Call(
    method=b"pay",
    parameters={b"pnamea": b"7", b"pnameb": b'"text"', b"pnamec": b"[1]", b"parr0": b"-5", b"pnamed": b"1.5"},
    count=4,
    node_id=b"02ab",
    time_ns=NOW * 10**9,
)
BOLT11 = (
    "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5"
    "rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegex"
    "t0eh0ymjpf39tuven09sam30g4vgpfna3rh"
)
"""The specification's example: one cup of coffee."""


def check(restrictions: str | bytes, call: Call = CALL) -> str | None:
    text = restrictions.encode() if isinstance(restrictions, str) else restrictions
    return refusal(Rune(bytes(32), read_restrictions(b"=0&" + text)), call)


@pytest.mark.parametrize(
    "restrictions",
    [
        *("method=pay", "method/xpay", "method^p", "method$y", "method~a", "method{paz", "method}pax", "method#x"),
        *("method{pay2", "method}pa", "pnum=4", "pnum<5", "pnum>3", "pnum>-1", "pnum> 3", "pnum<+5", "pnum}3"),
        *("pnamea=7", "pnamea<8", "pnamea^7", "pnameb=text", "pnamec=[1]", "parr0=-5", "parr0<0", "pnamex!", "x!"),
        *("id=02ab", "id^02", f"time={NOW}", f"time<{NOW + 1}", "x#y", "rate=1", "per=1day", "pnamed=1.5"),
        *("method=x|method=pay", "method=pay&pnum=4", "method=x|pnum=9|id^02&rate=60"),
    ],
)
def test_permits(restrictions: str) -> None:
    assert check(restrictions) is None


@pytest.mark.parametrize(
    ("restrictions", "reason"),
    [
        ("method=x", "method is not equal to x"),
        ("method/pay", "method is equal to pay"),
        ("method^x", "method does not start with x"),
        ("method$x", "method does not end with x"),
        ("method~x", "method does not contain x"),
        ("method{pay", "method is equal to or ordered after pay"),
        ("method}pay", "method is equal to or ordered before pay"),
        ("method!", "method is present"),
        ("method<1", "method is not an integer field"),
        ("pnum<4", "pnum is greater or equal to 4"),
        ("pnum>4", "pnum is less or equal to 4"),
        ("pnum<x", "x is not a valid integer"),
        ("pnum<", " is not a valid integer"),
        ("pnum<9223372036854775808", "9223372036854775808 is not a valid integer"),
        ("pnamed<2", "pnamed is not an integer field"),
        ("pnameb>1", "pnameb is not an integer field"),
        *((f"pnamex{condition}", "pnamex not present") for condition in "=/^$~<>{}"),
        ("rate=0", "malformed rate"),
        ("rate=x", "malformed rate"),
        ("rate=1x", "malformed rate"),
        ("rate=-1", "malformed rate"),
        ("rate=4294967295", "malformed rate"),
        ("rate<1", "rate operator must be ="),
        ("rate#", "rate operator must be ="),
        ("per>1", "per operator must be ="),
        ("per=", "malformed per"),
        ("per=0sec", "malformed per"),
        ("per=99999999999", "malformed per"),
        ("per=1week", "malformed suffix"),
        ("per=4294967294day", "per overflow"),
        ("pinvb_amount=1", "Invalid invoice: "),
        ("pinvx_amount=1", "Unknown invoice parameter x"),
        ("pinvb_fee=1", "Unknown invoice field b_fee"),
        ("pinvb=1", "Unknown invoice field b"),
        ("method=x|pnum=9", "method is not equal to x AND pnum is not equal to 9"),
        ("method=pay&pnum=9&id=x", "pnum is not equal to 9"),
    ],
)
def test_refuses(restrictions: str, reason: str) -> None:
    found = check(restrictions)
    assert found is not None
    assert found == reason or (reason.endswith(": ") and found.startswith(reason))


def test_what_is_not_known_of_a_call_is_missing() -> None:
    unknown = Call(time_ns=0)
    assert check("method!&id!&parr0!&pnum=0&time=0", unknown) is None
    assert check("id=02", unknown) == "id not present"


@pytest.mark.parametrize(
    ("restriction", "nanoseconds"),
    [
        *(("rate=1", 60 * 10**9), ("rate=60", 10**9), ("rate=7", 8_571_428_571), ("rate= 60", 10**9)),
        *(("per=2", 2 * 10**9), ("per=2sec", 2 * 10**9), ("per=3msec", 3 * 10**6), ("per=3usec", 3000)),
        *(("per=3nsec", 3), ("per=2min", 120 * 10**9), ("per=1hour", 3600 * 10**9), ("per=1day", 86400 * 10**9)),
    ],
)
def test_a_use_is_too_soon_until_the_interval_has_passed(restriction: str, nanoseconds: int) -> None:
    assert check(restriction, replace(CALL, last_used_ns=CALL.time_ns - nanoseconds)) is None
    assert check(restriction, replace(CALL, last_used_ns=CALL.time_ns - nanoseconds + 1)) == "too soon"
    assert check(restriction, replace(CALL, last_used_ns=CALL.time_ns + 1)) == "too soon"


def with_invoice(text: str) -> Call:
    return replace(CALL, parameters={b"pnameinvstring": b'"%b"' % text.encode()})


@pytest.mark.parametrize("before", ["", "lightning:", "LIGHTNING:"])
def test_reads_bolt_11_invoices(before: str) -> None:
    call = with_invoice(before + BOLT11)
    payee = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad"
    assert check("pinvinvstring_amount=250000000&pinvinvstring_amount<250000001", call) is None
    assert check(f"pinvinvstring_description=1 cup coffee&pinvinvstring_node={payee}", call) is None
    assert check("pinvinvstring_amount<250000000", call) == "pinvinvstring_amount is greater or equal to 250000000"


def test_reads_bolt_12_invoices() -> None:
    invoice = samples.invoice()
    call = with_invoice(invoice.encode())
    assert check(f"pinvinvstring_amount={invoice.invoice_amount}", call) is None
    assert check(f"pinvinvstring_description={invoice.offer_description}", call) is None
    assert check(f"pinvinvstring_node={(invoice.offer_issuer_id or b'').hex()}", call) is None


def test_an_invoice_must_be_signed_and_of_limited_length() -> None:
    spoilt = BOLT11[:-1] + ("q" if BOLT11[-1] != "q" else "p")
    assert (check("pinvinvstring_amount!", with_invoice(spoilt)) or "").startswith("Invalid invoice: ")
    text = samples.invoice().encode()
    assert (check("pinvinvstring_amount>0", with_invoice(text[:-4] + "qqqq")) or "").startswith("Invalid invoice: ")
    long = check("pinvinvstring_amount!", with_invoice("lni1" + "q" * MAX_INVOICE))
    assert long == f"Invalid invoice: more than {MAX_INVOICE} characters"


def test_bytes_that_are_no_utf8_are_compared_and_replaced_in_the_reason() -> None:
    assert check(b"method=\xff") == "method is not equal to �"


CONDITIONS = st.tuples(
    st.sampled_from(
        ["method", "pnum", "pnamea", "pnameb", "parr0", "pnamex", "id", "time", "rate", "per", "pinvb_node"]
    ),
    st.sampled_from("!=/^$~<>{}#"),
    st.sampled_from(["", "pay", "4", "7", "text", "-5", "02", "a", "z", "1sec", str(NOW)]),
).map("".join)
RESTRICTION = st.lists(CONDITIONS, min_size=1, max_size=3).map("|".join)
RESTRICTIONS = st.lists(RESTRICTION, min_size=1, max_size=4)


@given(RESTRICTIONS, RESTRICTION, st.integers(0, 4))
def test_a_further_restriction_never_permits_more(restrictions: list[str], more: str, position: int) -> None:
    if check("&".join(restrictions)) is not None:
        assert check("&".join([*restrictions[:position], more, *restrictions[position:]])) is not None


@given(RESTRICTION, CONDITIONS)
def test_a_further_alternative_never_permits_less(restriction: str, more: str) -> None:
    if check(restriction) is None:
        assert check(f"{restriction}|{more}") is None
        assert check(f"{more}|{restriction}") is None


@given(RESTRICTIONS)
def test_all_restrictions_must_hold_and_one_alternative_of_each(restrictions: list[str]) -> None:
    held = all(any(check(each) is None for each in restriction.split("|")) for restriction in restrictions)
    assert (check("&".join(restrictions)) is None) == held


@given(st.sampled_from(["method", "pnum", "pnamea", "pnameb"]), st.sampled_from(["pay", "4", "7", "text", "a", "z"]))
def test_a_present_field_is_equal_or_sorts_before_or_after(name: str, value: str) -> None:
    assert sum(check(f"{name}{condition}{value}") is None for condition in "={}") == 1
    assert (check(f"{name}={value}") is None) != (check(f"{name}/{value}") is None)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_numbers_are_less_equal_or_greater(value: int, limit: int) -> None:
    call = replace(CALL, parameters={b"pnamea": b"%d" % value})
    assert [check(f"pnamea{condition}{limit}", call) is None for condition in "<=>"] == [
        value < limit,
        value == limit,
        value > limit,
    ]
