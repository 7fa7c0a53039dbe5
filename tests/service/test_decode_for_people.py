"""On a terminal `decode` is for people: grouped, in units that people use, and safe whatever the string holds."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lnoffers.bolt12 import Bip353Name, describe
from lnoffers.service.cli.drawing import draw, qr_code
from lnoffers.service.cli.summary import (
    Summary,
    Tone,
    format_amount,
    format_currency,
    format_duration,
    format_time,
    shorten_hex,
    summarize,
)
from lnoffers.service.errors import ServiceError
from lnoffers.service.escaping import escape
from lnoffers.service.string_kinds import decode
from tests.bolt11.samples import OTHER_POINT, PAYMENT_HASH, PAYMENT_SECRET, TIME, invoice, text_field
from tests.bolt12.samples import invoice as bolt12_invoice
from tests.bolt12.samples import offer, proof, request, request_for
from tests.runes.test_runes import rune
from tests.service.program import COMMAND, SECONDS, run

NOW = TIME + 100
HOSTILE = "a\x1b[2J\r\n\u202eb\x07\u2028\x9b1A"
INVOICE = invoice(
    text_field("r", OTHER_POINT + bytes(18)),
    required=(PAYMENT_HASH, PAYMENT_SECRET, text_field("d", HOSTILE.encode())),
    prefix="lnbc10u",
)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def drawn(summary: Summary, width: int = 100) -> str:
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        draw(console, summary)
    return capture.get()


def test_amounts_are_in_sat_with_msat_behind() -> None:
    assert format_amount(1_500_250) == "1,500.250 sat (1,500,250 msat)"
    assert format_amount(1000) == "1 sat (1,000 msat)"
    assert format_currency(123456, "EUR", 2) == "1,234.56 EUR"
    assert format_currency(5, "JPY", 0) == "5 JPY"
    assert format_currency(5, "XQ\x1b", None) == "5 of the smallest unit of XQ\\x1b"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0, "0 seconds"), (1, "1 second"), (61, "1 minute 1 second"), (7200, "2 hours"), (90_060, "1 day 1 hour")),
        *((86_400 * 400, "1 year 34 days"), (2**64, "584,542,046,090 years 228 days")),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: int, words: str) -> None:
    assert format_duration(seconds) == words


def test_times_are_local_dates_and_how_far_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert format_time(0, 60) == "1970-01-01 00:00:00 UTC (1 minute ago)"
    assert format_time(60, 0) == "1970-01-01 00:01:00 UTC (in 1 minute)"
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    assert format_time(0, 0).startswith("1970-01-01 05:30:00 IST")
    assert format_time(2**64 - 1, 0) == "18446744073709551615, which no calendar has"


def test_long_hex_is_cut_and_short_is_not() -> None:
    assert shorten_hex("ab" * 33) == "ab" * 33
    assert shorten_hex("ab" * 34) == "abababababababab…abababababababab (34 bytes)"


@given(st.text())
def test_what_a_stranger_wrote_cannot_draw(text: str) -> None:
    assert escape(text).isprintable()


def test_a_tower_of_marks_is_taken_down() -> None:
    assert escape("e\u0301" * 2) == "e\u0301" * 2
    assert escape("e" + "\u0301" * 4) == "e\u0301\u0301\\u0301\\u0301"


def values(summary: Summary) -> dict[tuple[str, str], str]:
    return {(block.title, row.label): row.value for block in summary.blocks for row in block.rows}


def test_an_invoice_is_summed_up() -> None:
    summary = summarize(decode(INVOICE, now=NOW), NOW)
    assert (summary.title, summary.verdict, summary.tone) == ("bolt11 invoice", "valid", Tone.GOOD)
    told = values(summary)
    assert told["", "amount"] == "1,000 sat (1,000,000 msat)"
    assert told["", "created at"] == "2023-11-14 22:13:20 UTC (1 minute 40 seconds ago)"
    assert told["", "expiry"] == "1 hour, until 2023-11-14 23:13:20 UTC (in 58 minutes 20 seconds)"
    assert told["", "description"] == "a\\x1b[2J\\r\\n\\u202eb\\x07\\u2028\\x9b1A"
    [route] = next(row for block in summary.blocks for row in block.rows if row.label == "routes").rows
    assert [row.label for row in route.rows[0].rows][:2] == ["pubkey", "short channel id"]


def test_peoples_own_words_are_shown_whole_even_if_they_look_like_hex() -> None:
    words = "ab" * 100
    asked = request_for(
        offer(offer_description=words, offer_issuer=words),
        invreq_payer_note=words,
        invreq_bip_353_name=Bip353Name(words.encode(), words.encode()),
    )
    told = values(summarize(describe(proof(bolt12_invoice(asked), {10, 18, 89, 91}, proof_note=words)), NOW))
    assert {told["Offer", "description"], told["Offer", "issuer"], told["Proof", "note"]} == {words}
    assert told["Invoice request", "payer note"] == words
    paid = invoice(required=(PAYMENT_HASH, PAYMENT_SECRET, text_field("d", words.encode())))
    assert values(summarize(decode(paid, now=NOW), NOW))["", "description"] == words
    [name] = (
        row for block in summarize(describe(asked), NOW).blocks for row in block.rows if row.label.startswith("bip")
    )
    assert [row.value for row in name.rows] == [words, words]


def test_what_has_expired_is_not_called_simply_valid() -> None:
    summary = summarize(decode(INVOICE, now=NOW), TIME + 3601)
    assert (summary.verdict, summary.tone) == ("valid, but expired", Tone.CAREFUL)
    expiring = describe(request(offer_absolute_expiry=NOW))
    assert summarize(expiring, NOW).verdict == "valid"
    assert summarize(expiring, NOW + 1).verdict == "valid, but expired"


def test_an_invoice_expires_by_its_own_time_and_a_proof_never() -> None:
    created, ended = 1_800_000_000, 1_800_000_100
    paid = bolt12_invoice(request_for(offer(offer_absolute_expiry=ended)), invoice_created_at=created)
    assert summarize(describe(paid), created + 7200).verdict == "valid"
    assert summarize(describe(paid), created + 7201).verdict == "valid, but expired"
    shown = describe(proof(paid, include={14, 164, 166}))
    assert shown["offer_absolute_expiry"] == ended
    assert summarize(shown, created + 10**9).verdict == "valid"


def test_a_request_is_grouped_by_whose_fields_they_are() -> None:
    summary = summarize(describe(request(offer_issuer="shop")), NOW)
    assert [block.title for block in summary.blocks] == ["Offer", "Invoice request", ""]
    told = values(summary)
    assert told["Offer", "issuer"] == "shop"
    assert told["Invoice request", "amount"] == "21 sat (21,000 msat)"


def test_a_proof_has_its_signature_apart_from_the_invoices() -> None:
    summary = summarize(describe(proof()), NOW)
    assert [block.title for block in summary.blocks] == ["Invoice request", "Invoice", "", "Proof"]
    assert [row.label for row in summary.blocks[2].rows] == ["signature"]
    assert summary.blocks[3].rows[-1].label == "signature"


def test_warnings_stand_first() -> None:
    answer = describe(request()) | {"warning_invalid_invoice_request_signature": "Bad signature", "valid": False}
    summary = summarize(answer, NOW)
    assert (summary.verdict, summary.tone, summary.blocks[0].title) == ("not valid", Tone.BAD, "Warnings")
    [row] = summary.blocks[0].rows
    assert (row.label, row.value, row.tone) == ("invalid invoice request signature", "Bad signature", Tone.BAD)


def test_fields_that_no_version_knew_are_shown() -> None:
    answer = {
        "type": "bolt13 thing",
        "offer_amount": 5,
        "offer_currency": "EUR",
        "currency_minor_unit": 2,
        "offer_recurrence": {"basetime": 0, "proportional_amount": True, "paywindow": {"seconds_before": 1}},
        "new_list": [1, "x", []],
        "empty": "",
        "flag": False,
        "fee_msat": 1,
        "expiry": 60,
        "valid": True,
    }
    told = drawn(summarize(answer, NOW))
    for line in (
        "bolt13 thing  valid",
        "amount +0.05 EUR",
        "basetime +1970",
        "proportional amount +yes",
        "fee +0.001 sat",
    ):
        assert re.search(line, told), line
    for line in ("3 +none", r"empty +\(empty\)", "flag +no", "expiry +1 minute\n", "seconds before +1"):
        assert re.search(line, told), line


@pytest.mark.parametrize("width", [1, 20, 40, 100])
def test_nothing_is_lost_at_any_width(width: int) -> None:
    summary = summarize(decode(INVOICE, now=NOW), NOW)
    told = re.sub(r"\s", "", drawn(summary, width))
    for (_, label), value in values(summary).items():
        assert re.sub(r"\s", "", label + value) in told


def test_a_qr_code_has_a_light_border_and_fits_or_says_so() -> None:
    lines = qr_code("LNBC1", 80).plain.split("\n")
    assert {len(line) for line in lines} == {29}
    assert len(lines) == 15
    assert set(lines[0]) == {"█"}
    with pytest.raises(ServiceError, match="needs 29 columns, and the terminal has 20"):
        qr_code("LNBC1", 20)
    with pytest.raises(ServiceError, match="5000 characters are too many"):
        qr_code("A" * 5000, None)


def in_terminal(*arguments: str, program: Sequence[str] = COMMAND, **environment: str) -> tuple[int, str]:
    """Return the exit code, and what the program writes to a terminal."""
    terminal, end = pty.openpty()
    surroundings = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    surroundings |= {"TERM": "xterm-256color", "COLUMNS": "100", "TZ": "UTC"} | environment
    with subprocess.Popen([*program, *arguments], stdin=end, stdout=end, stderr=end, env=surroundings) as process:
        os.close(end)
        told = b""
        try:
            while data := os.read(terminal, 1 << 16):
                told += data
        except OSError:  # how Linux says that the other end is closed
            pass
        os.close(terminal)
        return process.wait(SECONDS), told.decode()


def test_on_a_terminal_it_is_for_people_and_in_colour() -> None:
    code, told = in_terminal("decode", INVOICE, rune("=1&method=pay"))
    assert code == 0
    assert "\x1b[1mbolt11 invoice\x1b[0m  \x1b[1;33mvalid, but expired\x1b[0m" in told
    assert "method (of command) equal to 'pay'" in told
    assert HOSTILE[:4] not in told
    assert set(re.findall("[^\\x20-\\x7e]", told)) <= {"\r", "\n", "\x1b", "…"}


def test_no_color_and_json_are_respected() -> None:
    _, told = in_terminal("decode", INVOICE, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", told)
    code, told = in_terminal("decode", "--json", INVOICE)
    assert code == 0
    assert told.startswith('{\r\n   "type": "bolt11 invoice",\r\n')


def test_without_the_extra_offers_it_is_json_on_a_terminal_too() -> None:
    """The extra `bolt12` has neither rich nor segno."""
    hide = "import sys; sys.modules |= dict.fromkeys(['rich', 'segno']); from lnoffers.service.cli import main; main()"
    code, told = in_terminal("decode", INVOICE, program=[sys.executable, "-c", hide])
    assert code == 0
    assert json.loads(told)["type"] == "bolt11 invoice"
    code, told = in_terminal("decode", "--qr", INVOICE, program=[sys.executable, "-c", hide])
    assert (code, told) == (2, "lnoffers: the package segno is missing: pip install 'clnrpc[offers]'\r\n")


def test_json_cannot_draw_either() -> None:
    _, told = in_terminal("decode", "--json", INVOICE)
    assert set(re.findall("[^\\x20-\\x7e]", told)) == {"\r", "\n"}
    assert json.loads(told)["description"] == HOSTILE
    assert run("decode", INVOICE).out.count("\u202e") == 1  # a pipe gets what Core Lightning writes


def test_errors_cannot_draw_either() -> None:
    code, told = in_terminal("decode", "lnr1\x1b[2j")
    assert code == 1
    assert told.startswith("lnoffers: Character 5 of the string is '\\x1b', which cannot be there.")
    assert "\x1b" not in told


def test_a_qr_code_can_be_had_in_a_pipe_too() -> None:
    outcome = run("decode", "--qr", f"lightning:{INVOICE}")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("bolt11 invoice  valid, but expired\n")
    assert outcome.out.endswith(qr_code(INVOICE.upper(), None).plain + "\n")
    assert rune("=1") not in outcome.out
    assert run("decode", "--qr", rune("=1")).out.endswith(qr_code(rune("=1"), None).plain + "\n")
    refused = run("decode", "--qr", "--json", INVOICE)
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert "--json" in refused.err
    assert "--qr" in refused.err


def test_output_that_knows_no_such_characters_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    outcome = run("decode", "--qr", INVOICE)
    assert (outcome.code, outcome.err) == (0, "")
    assert "\\u2588" in outcome.out


def test_in_a_pipe_nothing_is_loaded_that_only_people_need() -> None:
    told = run_python(
        "import sys\n"
        "from lnoffers.service.cli.program import run\n"
        f"run(['decode', {rune('=1')!r}])\n"
        "print([name for name in ('nacl', 'rich', 'segno') if name in sys.modules], file=sys.stderr)"
    )
    assert told == "[]\n"


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS, check=True)
    return done.stderr
