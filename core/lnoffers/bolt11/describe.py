"""The JSON that Core Lightning's `decode` returns for an invoice: same names, same order."""

from __future__ import annotations

from lnoffers.bolt11.chains import Chain
from lnoffers.bolt11.fallbacks import Fallback
from lnoffers.bolt11.fields import RouteHop
from lnoffers.bolt11.invoice import Invoice
from lnoffers.bolt12.codecs import Json
from lnoffers.bolt12.curve import ecdsa_to_der
from lnoffers.bolt12.typecheck import typechecked

JsonObject = dict[str, Json]


@typechecked
def describe(invoice: Invoice) -> JsonObject:
    """Return the result of `decode`: hex for bytes, integers for amounts (msat) and times (seconds), `valid` last."""
    signature = ecdsa_to_der(invoice.signature)
    assert signature is not None  # it was checked when the invoice was read
    shown: dict[str, Json | None] = {
        "type": "bolt11 invoice",
        "currency": invoice.chain.currency,
        "created_at": invoice.timestamp,
        "expiry": invoice.expiry,
        "payee": invoice.payee.hex(),
        "amount_msat": invoice.amount_msat,
        "description": invoice.description,
        "description_hash": _hex(invoice.description_hash),
        "min_final_cltv_expiry": invoice.min_final_cltv_expiry,
        "payment_secret": invoice.payment_secret.hex(),
        "features": invoice.features.hex(),
        "payment_metadata": _hex(invoice.payment_metadata),
        "fallbacks": [_fallback(fallback, invoice.chain) for fallback in invoice.fallbacks] or None,
        "routes": [[_hop(hop) for hop in route] for route in invoice.routes] or None,
        "extra": [{"tag": field.tag, "data": field.data} for field in invoice.unknown_fields] or None,
        "payment_hash": invoice.payment_hash.hex(),
        "signature": signature.hex(),
        "valid": True,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _fallback(fallback: Fallback, chain: Chain) -> JsonObject:
    address = fallback.address(chain)
    named: JsonObject = {} if fallback.kind is None or address is None else {"type": fallback.kind, "addr": address}
    return named | {"hex": fallback.script.hex()}


def _hop(hop: RouteHop) -> JsonObject:
    scid = hop.short_channel_id
    return {
        "pubkey": hop.pubkey.hex(),
        "short_channel_id": f"{scid >> 40}x{scid >> 16 & 0xFFFFFF}x{scid & 0xFFFF}",
        "fee_base_msat": hop.fee_base_msat,
        "fee_proportional_millionths": hop.fee_proportional_millionths,
        "cltv_expiry_delta": hop.cltv_expiry_delta,
    }


def _hex(data: bytes | None) -> str | None:
    return None if data is None else data.hex()
