"""`lnoffers fetch`: what people and programs see, and how it ends."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from lnoffers.bolt12 import Invoice
from tests.bolt12.samples import offer as other_offer
from tests.fetching.conftest import Start
from tests.fetching.node import key_of
from tests.fetching.test_fetch import FRONT, ISSUER, OTHER_FRONT, offer, path_by
from tests.service.program import COMMAND, SECONDS, run

HOSTILE = "tea\x1b[2J\r\n\u202etxt"


def on_a_terminal(*arguments: str) -> str:
    """Return what the program draws on a terminal of 100 columns."""
    control, terminal = pty.openpty()
    environment = os.environ | {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    with subprocess.Popen([*COMMAND, *arguments], stdout=terminal, stderr=subprocess.DEVNULL, env=environment) as done:
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(control, 65_536):
                shown += piece
        except OSError:  # which is how a terminal ends
            pass
        os.close(control)
        assert done.wait(SECONDS) == 0
    return shown.decode()


def test_a_pipe_gets_json(start: Start) -> None:
    done = run("fetch", offer(offer_issuer="shop.example").encode(), "--connect", start(ISSUER), "--payer-note=hi")
    assert (done.code, done.err) == (0, "")
    shown = done.json
    invoice = Invoice.parse(shown["invoice"])
    assert invoice.invreq_payer_note == "hi"
    assert (shown["amount_msat"], shown["description"], shown["issuer"]) == (1_000, "one coffee", "shop.example")
    assert shown["node_id"] == key_of(ISSUER).public_key.hex()
    assert shown["expires_at"] == invoice.expires_at


def test_people_see_what_to_pay_to_whom_and_until_when(start: Start) -> None:
    text = offer(offer_description=HOSTILE, offer_quantity_max=3).encode()
    shown = on_a_terminal("fetch", text, "5sat", "--quantity", "2", "--connect", start(ISSUER), "--timeout", "60")
    assert "5 sat (5,000 msat)" in shown
    assert key_of(ISSUER).public_key.hex() in shown
    assert "(in 1 hour 59 minutes)" in shown or "(in 2 hours)" in shown
    assert r"tea\x1b[2J\r\n\u202etxt" in shown
    assert "lni1" in shown
    assert "\x1b" not in shown


def test_a_code_to_scan_comes_with_it(start: Start) -> None:
    done = run("fetch", offer().encode(), "--qr", "--connect", start(ISSUER))
    assert done.code == 0
    assert "█" in done.out
    assert "1 sat (1,000 msat)" in done.out


def test_an_offer_in_a_currency_is_shown_at_what_it_comes_to(start: Start) -> None:
    euros = offer(offer_currency="EUR", offer_amount=150).encode()
    issuer = start(ISSUER)
    assert run("fetch", euros, "--connect", issuer).json["amount_msat"] == 12_345
    assert run("fetch", euros, "9sat", "--connect", issuer).json["amount_msat"] == 9_000


@pytest.mark.parametrize("amount", [(), ("1sat",)])
def test_an_invoice_for_more_than_the_price_is_not_accepted(start: Start, amount: tuple[str, ...]) -> None:
    done = run("fetch", offer().encode(), *amount, "--connect", start(ISSUER, "--answer", "another_amount"))
    assert (done.code, done.out) == (1, "")
    assert "1001msat where 1000msat are asked for" in done.err


@pytest.mark.parametrize(
    ("answer", "said"), [("refusal", "the issuer refuses: not today"), ("expired", "Do not pay it")]
)
def test_an_answer_that_is_no_invoice_to_pay_is_a_finding(start: Start, answer: str, said: str) -> None:
    done = run("fetch", offer().encode(), "--connect", start(ISSUER, "--answer", answer))
    assert (done.code, done.out) == (1, "")
    assert said in done.err


def test_an_offer_that_is_not_valid_is_a_finding() -> None:
    for text in ("lno1pqqq", "lnr1", other_offer(offer_absolute_expiry=1).encode()):
        done = run("fetch", text)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("lnoffers: ")
        assert "Traceback" not in done.err


def test_says_what_to_do_where_nobody_could_be_asked(start: Start) -> None:
    done = run("fetch", offer().encode())
    assert done.code == 2
    assert "no address is known" in done.err
    assert "pass it with --connect" in done.err
    deaf = start(OTHER_FRONT, "--features", "")
    down = f"{key_of(FRONT).public_key.hex()}@127.0.0.1:9"
    text = offer([path_by(FRONT), path_by(OTHER_FRONT)]).encode()
    done = run("fetch", text, "--connect", deaf, "--connect", down, "--timeout=60")
    assert done.code == 2
    first, *tried = done.err.splitlines()
    assert "does not take onion messages" in first
    assert len(tried) == 4  # each path by each node
    assert any("cannot connect" in line for line in tried)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lno1", "much"), "is not an amount"),
        (("lno1", "--connect", "nowhere"), "--connect: 'nowhere' is not ID@HOST:PORT"),
        (("lno1", "--quantity", "few"), "--quantity"),
        ((), "too few arguments"),
    ],
)
def test_says_what_is_wrong_with_the_command(arguments: tuple[str, ...], said: str) -> None:
    done = run("fetch", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_needs_no_directory_and_makes_none(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run("fetch", offer().encode(), "--connect", start(ISSUER)).code == 0
    assert list(tmp_path.iterdir()) == []
