"""BOLT 12: wire format, text form, merkle tree, signatures, messages and their rules.

Bytes and values in, bytes and values out: nothing here reads a clock, a source of randomness, or a file other than
the word list and the currency table that the libraries `mnemonic` and `iso4217` bring.

    keys = NodeKeys.from_seed(seed_from_hsm_secret(content))
    request = InvoiceRequest.without_offer(
        invreq_metadata=sixteen_random_bytes,
        invreq_payer_id=keys.node_id,
        invreq_amount=1_000_000,
        offer_description="Simple test",
        invreq_chain=CHAINS["regtest"],
    ).sign(keys.node_signer)
    text = request.encode()
    InvoiceRequest.parse(text).verify()
"""

from lnoffers.bolt12.amounts import CurrencyAmount, minor_unit, parse_currency_amount
from lnoffers.bolt12.bip353 import Bip353Name
from lnoffers.bolt12.chains import CHAINS
from lnoffers.bolt12.codecs import Json
from lnoffers.bolt12.curve import KeyPair
from lnoffers.bolt12.decoding import decode, refuse_other_kinds
from lnoffers.bolt12.describe import describe
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.fallbacks import FallbackAddress, segwit_address
from lnoffers.bolt12.invoice_request import InvoiceRequest, UnsignedInvoiceRequest
from lnoffers.bolt12.keys import HsmSecretError, NodeKeys, new_hsm_secret, seed_from_hsm_secret
from lnoffers.bolt12.paths import BlindedHop, BlindedPath, BlindedPayinfo, ChannelEnd
from lnoffers.bolt12.periods import Paywindow, paywindow, period_start
from lnoffers.bolt12.recurrence import Recurrence, RecurrenceBase, RecurrencePaywindow
from lnoffers.bolt12.signing import KeySigner, Signer, SigningRequest
from lnoffers.bolt12.text import without_scheme
from lnoffers.bolt12.tlv import Record

__all__ = [
    "CHAINS",
    "Bip353Name",
    "BlindedHop",
    "BlindedPath",
    "BlindedPayinfo",
    "Bolt12Error",
    "ChannelEnd",
    "CurrencyAmount",
    "FallbackAddress",
    "HsmSecretError",
    "InvoiceRequest",
    "Json",
    "KeyPair",
    "KeySigner",
    "NodeKeys",
    "Paywindow",
    "Record",
    "Recurrence",
    "RecurrenceBase",
    "RecurrencePaywindow",
    "Signer",
    "SigningRequest",
    "UnsignedInvoiceRequest",
    "decode",
    "describe",
    "minor_unit",
    "new_hsm_secret",
    "parse_currency_amount",
    "paywindow",
    "period_start",
    "refuse_other_kinds",
    "seed_from_hsm_secret",
    "segwit_address",
    "without_scheme",
]
