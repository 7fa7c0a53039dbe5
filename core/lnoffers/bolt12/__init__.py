"""BOLT 12: wire format, text form, merkle tree, signatures, messages and their rules.

Bytes and values in, bytes and values out: nothing here uses a clock, randomness or files, except for the word list and
the currency table of the libraries `mnemonic` and `iso4217`.

The seller makes an offer. The buyer requests an invoice for it, verifies the answer, pays, and can prove the payment:

    offer = Offer.build(offer_issuer_id=seller.node_id, offer_amount=1_000, offer_description="coffee")

    payer_id, signer = buyer.payer_id(metadata), buyer.payer_signer(metadata)
    request = InvoiceRequest.for_offer(offer, invreq_metadata=metadata, invreq_payer_id=payer_id).sign(signer)

    invoice = Invoice.for_request(
        request,
        invoice_created_at=now,
        invoice_payment_hash=sha256(preimage).digest(),
        invoice_paths=paths,
        invoice_blindedpay=payinfos,
    ).sign(seller.node_signer)

    invoice.verify_answer(request)
    proof = PayerProof.for_invoice(invoice, proof_preimage=preimage).sign(signer)
    text = proof.encode()

Bolt12Error is raised if a rule is broken, and TypeError if an argument does not fit its annotation.
"""

from lnoffers.bolt12.amounts import CurrencyAmount, minor_unit, parse_currency_amount
from lnoffers.bolt12.bip353 import Bip353Name
from lnoffers.bolt12.blinded_paths import BlindedHop, BlindedPath, BlindedPayinfo, ChannelEnd
from lnoffers.bolt12.chains import CHAINS
from lnoffers.bolt12.codecs import Json
from lnoffers.bolt12.curve import KeyPair
from lnoffers.bolt12.decoding import Bolt12, decode, decode_leniently
from lnoffers.bolt12.describe import describe
from lnoffers.bolt12.encoding import without_scheme
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.fallbacks import FallbackAddress, fallback_address
from lnoffers.bolt12.invoice import Invoice, UnsignedInvoice
from lnoffers.bolt12.invoice_error import InvoiceError
from lnoffers.bolt12.invoice_request import InvoiceRequest, UnsignedInvoiceRequest
from lnoffers.bolt12.keys import HsmSecretError, NodeKeys, new_hsm_secret, seed_from_hsm_secret
from lnoffers.bolt12.offer import Offer
from lnoffers.bolt12.payer_proof import PayerProof, UnsignedPayerProof
from lnoffers.bolt12.periods import Paywindow, paywindow, period_start
from lnoffers.bolt12.recurrence import Recurrence, RecurrenceBase, RecurrencePaywindow
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.signing import CallbackSigner, KeySigner, Signer, SigningRequest
from lnoffers.bolt12.tlv import Record

__all__ = [
    "CHAINS",
    "Bip353Name",
    "BlindedHop",
    "BlindedPath",
    "BlindedPayinfo",
    "Bolt12",
    "Bolt12Error",
    "CallbackSigner",
    "ChannelEnd",
    "CurrencyAmount",
    "FallbackAddress",
    "HsmSecretError",
    "Invoice",
    "InvoiceError",
    "InvoiceRequest",
    "Json",
    "KeyPair",
    "KeySigner",
    "NodeKeys",
    "Offer",
    "PayerProof",
    "Paywindow",
    "Record",
    "Recurrence",
    "RecurrenceBase",
    "RecurrencePaywindow",
    "RuleName",
    "Signer",
    "SigningRequest",
    "UnsignedInvoice",
    "UnsignedInvoiceRequest",
    "UnsignedPayerProof",
    "decode",
    "decode_leniently",
    "describe",
    "fallback_address",
    "minor_unit",
    "new_hsm_secret",
    "parse_currency_amount",
    "paywindow",
    "period_start",
    "seed_from_hsm_secret",
    "without_scheme",
]
