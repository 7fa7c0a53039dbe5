"""What people paste: strings in every wrapping, names that need a lookup, and what is wrong in plain words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lnoffers
from lnoffers.bolt12 import Bip353Name, Bolt12, Bolt12Error, decode_leniently
from lnoffers.bolt12.pasted import unwrap

from .samples import PATH, invoice, offer, proof, request, request_for

MESSAGES: dict[str, Bolt12] = {
    "offer": offer(),
    "request": request(),
    "request for an offer": request_for(offer(offer_paths=(PATH,)), invreq_payer_note="hi"),
    "invoice": invoice(),
    "proof": proof(include={10, 160, 162}, proof_note="paid"),
}
OFFER = offer().encode()


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
@pytest.mark.parametrize(
    "wrapping",
    [
        "{}",
        "{}\n",
        "  {}\n",
        "\t\r\n{}\u00a0",
        "lightning:{}",
        "Lightning:{}",
        "LIGHTNING:{}",
        " lightning:{} ",
        "bitcoin:?lno={}",
        "bitcoin:bc1qexample?amount=0.5&lno={}&label=tea",
        "BITCOIN:?LNO={}",
        "Bitcoin:?lno={}#part",
    ],
)
def test_decode_takes_every_kind_in_either_case_in_every_wrapping(message: Bolt12, wrapping: str) -> None:
    for string in (message.encode(), message.encode().upper()):
        read = lnoffers.decode(wrapping.format(string))
        assert read == message
        assert type(read) is type(message)


def test_pieces_are_joined_in_every_wrapping() -> None:
    pieces = f"{OFFER[:20]}+\n  {OFFER[20:]}"
    for wrapping in ("{}", "\n{}\n", "lightning:{}", "bitcoin:?lno={}"):
        assert lnoffers.decode(wrapping.format(pieces)) == offer()


def test_a_link_may_be_percent_encoded_and_its_first_offer_counts() -> None:
    other = offer(offer_description="two coffees").encode()
    assert lnoffers.decode(f"bitcoin:?label=a%26lno%3Dx&lno=%6Cno1{OFFER[4:]}&lno={other}") == offer()
    assert unwrap("bitcoin:?lno=&lno=lno1qq") == "lno1qq"


def test_a_link_is_searched_for_other_strings_too_if_asked() -> None:
    link = "bitcoin:?lightning=lnbc1qq&lno=lno1qq"
    assert unwrap(link, keys=("lno", "lightning")) == "lno1qq"
    assert unwrap(link.replace("lno=", "lnx="), keys=("lno", "lightning")) == "lnbc1qq"


def refused(text: str) -> Bolt12Error:
    with pytest.raises(Bolt12Error) as caught:
        lnoffers.decode(text)
    return caught.value


def test_the_scheme_is_taken_off_once() -> None:
    assert refused(f"lightning:lightning:{OFFER}").rule == "unknown-kind"


@pytest.mark.parametrize("link", ["bitcoin:", "bitcoin:bc1qexample", "BITCOIN:?LIGHTNING=LNBC1QQ", "bitcoin:?lno="])
def test_a_link_without_an_offer_is_said_to_have_none(link: str) -> None:
    error = refused(link)
    assert error.rule == "link-without-string"
    assert str(error) == "This link has no Lightning string: it lacks the parameter lno."


@pytest.mark.parametrize("text", ["₿alice@example.com", "alice@example.com", " lightning:₿alice@example.com\n"])
def test_a_name_is_recognised_and_needs_a_lookup(text: str) -> None:
    error = refused(text)
    assert error.rule == "name-needs-lookup"
    assert str(error) == (
        "₿alice@example.com is a name, whose offer is in the DNS. Look up the TXT record of "
        "alice.user._bitcoin-payment.example.com (BIP 353), and decode what it holds."
    )


@pytest.mark.parametrize(
    "text", ["alice", "@example.com", "alice@", "a@b@c", "älice@example.com", "a b@c", "₿₿a@b", "", f"{'a' * 256}@b"]
)
def test_what_has_another_form_is_no_name(text: str) -> None:
    with pytest.raises(Bolt12Error, match="it should look like ₿alice") as caught:
        Bip353Name.parse(text)
    assert caught.value.rule == "name-form"
    assert refused(text).rule != "name-needs-lookup"


def test_a_name_is_read_and_written() -> None:
    name = Bip353Name.parse("bob_1.2-3@sub.example.com")
    assert name == Bip353Name(b"bob_1.2-3", b"sub.example.com")
    assert str(name) == "₿bob_1.2-3@sub.example.com"
    assert Bip353Name.parse(str(name)) == name
    assert name.dns_name == "bob_1.2-3.user._bitcoin-payment.sub.example.com"
    assert str(Bip353Name(b"\xff", b"a")) == "₿\ufffd@a"


def test_a_typo_a_part_nothing_and_a_word_are_told_apart() -> None:
    typo = refused(f"{OFFER[:11]}b{OFFER[12:]}")
    assert (typo.rule, typo.text_offset) == ("text-character", 11)
    assert str(typo) == "Character 12 of the string is 'b', which cannot be there. Look for a typo."
    part = refused(OFFER[:-8])
    assert part.rule == "record-truncated"
    assert str(part) == "The string is not complete: characters are missing, most likely at its end. Copy all of it."
    nothing = refused("")
    assert (nothing.rule, str(nothing)) == ("text-empty", "There is nothing to decode: the text is empty.")
    word = refused("hello")
    assert word.rule == "text-separator"
    assert str(word) == "This text is not a BOLT 12 string: it should start with lno1, lnr1, lni1 or lnp1."


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
@given(st.data())
def test_a_string_without_its_end_is_incomplete_or_lacks_a_field(message: Bolt12, data: st.DataObject) -> None:
    whole = message.encode()
    error = refused(whole[: data.draw(st.integers(3, len(whole) - 1))])
    # Where a record ends, so may a string; then what is missing is named.
    assert "not complete" in str(error) or "missing" in error.rule or error.rule == "description-missing"


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        ("lno", "text-separator", "The string is not complete"),
        ("LNR", "text-separator", "The string is not complete"),
        ("lno1", "issuer-missing", "The string is not complete"),
        ("lno1q", "text-padding", "The string is not complete"),
        ("lnO1qq", "text-case", "The string mixes upper and lower case"),
        ("lno1qq+", "text-unfinished", "The string goes on after the + at its end"),
        ("lno1qq+ ", "text-unfinished", "The string goes on after the + at its end"),
        ("lno1+é", "text-character", "Character 6 of the string is 'é'"),
        ("lno1qq", "record-unknown-even", "The string is damaged (record 0 is even"),
        ("lno1pqqqq", "record-order", "The string is damaged (record 0 comes after record 8). Look"),
        ("LNBC1QQ", "unknown-kind", "This is a BOLT 11 invoice"),
        ("lnbcrt10u", "unknown-kind", "This is a BOLT 11 invoice"),
        ("hello1qq", "unknown-kind", "This text is not a BOLT 12 string"),
    ],
)
def test_what_is_wrong_with_a_string_is_said_in_plain_words(text: str, rule: str, message: str) -> None:
    with pytest.raises(Bolt12Error, match=f"^{re.escape(message)}") as caught:
        lnoffers.decode(text)
    assert caught.value.rule == rule


def test_readers_that_answer_as_core_lightning_keep_its_texts() -> None:
    for text, message in ((OFFER[:-8], "invalid offer data"), ("hello", "invalid bech32 string")):
        with pytest.raises(Bolt12Error, match=f"^{message}"):
            decode_leniently(text)
