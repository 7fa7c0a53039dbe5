"""What we make of a string, and what the peers do, in one form."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from lnoffers.bolt12 import Bolt12, Bolt12Error, Invoice, InvoiceRequest, Offer, decode
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.encoding import split_text
from lnoffers.bolt12.merkle import merkle_root

JUDGE: Final = Path(__file__).with_name("judge.mjs")
_KINDS: Final = {kind.prefix: kind.kind for kind in (Offer, InvoiceRequest, Invoice)}

Shown = Mapping[str, Any]
"""Values by name, as the peers show them; empty ones are None, which is what some of the peers make of them."""


@dataclass(frozen=True, slots=True)
class Case:
    """A string, and where it is from."""

    origin: str
    text: str

    @property
    def kind(self) -> str:
        """Of which kind the string is or, if it is broken, probably should be."""
        return _KINDS.get(self.text.strip()[:3].lower(), Offer.kind)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Our message, or why there is none."""

    message: Bolt12 | None = None
    error: Bolt12Error | None = None


def our_verdict(case: Case) -> Verdict:
    """Return the verdict of `decode`, which verifies a string completely, including its signature."""
    try:
        split_text(case.text)  # which takes no white space around the string, like the peers
        return Verdict(message=decode(case.text))
    except Bolt12Error as error:
        return Verdict(error=error)


def peers_verdicts(cases: Sequence[Case], folder: Path) -> list[dict[str, Shown | None]]:
    """Return, for each case, what each peer that reads its kind shows; None if it refuses the string.

    Raises CalledProcessError if a peer breaks down.
    """
    questions = "".join(f"{json.dumps(_question(case))}\n" for case in cases)
    run = subprocess.run(["node", JUDGE, folder], input=questions, stdout=subprocess.PIPE, check=True, encoding="utf-8")
    return [json.loads(line) for line in run.stdout.splitlines()]


def _question(case: Case) -> dict[str, str | None]:
    stream = None
    with suppress(Bolt12Error):
        stream = split_text(case.text)[1].hex()
    return {"kind": case.kind, "text": case.text, "hex": stream}


def shown(message: Any) -> Shown:
    """Return the message as the peers show messages."""
    values = {field.name: getattr(message, field.name) for field in message.fields.values()}
    values["offer_chains"] = message.offer_chains or (BITCOIN,)
    values["offer_paths"] = len(message.offer_paths or ())
    if isinstance(message, Offer):
        values["merkle_id"] = _merkle_id(message)
    else:
        values["invreq_chain"] = message.invreq_chain or BITCOIN
        values["amount"] = message.expected_amount if message.invreq_amount is None else message.invreq_amount
    if isinstance(message, Invoice):
        values["invoice_paths"] = len(message.invoice_paths or ())
        values["relative_expiry"] = message.relative_expiry
        values["digest"] = message.signing_request.digest
    return {name: _plain(value) for name, value in values.items()}


def _merkle_id(offer: Offer) -> bytes:
    """Return LDK's id of an offer: not the specification's offer_id, but good to compare merkle roots."""
    tag = sha256(b"LDK Offer ID").digest()
    return sha256(tag + tag + merkle_root(offer.records)).digest()


def _plain(value: Any) -> Any:
    match value:
        case None | b"" | "":
            return None
        case bytes():
            return value.hex()
        case tuple():
            return [_plain(each) for each in value]
        case _:
            return str(value)
