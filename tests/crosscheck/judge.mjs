// What the peers make of BOLT 12 messages: `node judge.mjs FOLDER`, where FOLDER/node_modules holds them.
//
// A line of JSON on stdin is {"kind": ..., "text": ..., "hex": ...}: kind as in BOLT 12, the string, and its TLV stream
// if the string has one. The answer is a line {peer: verdict}, without peers that cannot read such a thing. A verdict is
// null if the peer refuses the string, or what it shows: bytes in hex, numbers as decimal strings, what is absent or
// empty as null, because the bindings do not tell these apart.

import { createInterface } from "node:readline";
import { peers } from "./peers.mjs";

const write = process.stdout.write.bind(process.stdout);
console.log = console.error; // lightningdevkit says there which version it is
const { ldk, boltz } = await peers(process.argv[2]);

const hex = (bytes) => (bytes && bytes.length ? Buffer.from(bytes).toString("hex") : null);
const unhex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const string = (printable) => printable.get_a() || null;
const point = (bytes) => (bytes?.some((byte) => byte) ? hex(bytes) : null); // all zero where there is none
const number = (value) => (value === undefined || value === null ? null : BigInt.asUintN(64, BigInt(value)).toString());
const some = (option) => option.some ?? null; // LDK's Option: a class that has it, or one that has not

// ---- lightningdevkit

function price(option) {
  const amount = some(option);
  if (amount instanceof ldk.Amount_Bitcoin) return { offer_amount: number(amount.amount_msats), offer_currency: null };
  if (!amount) return { offer_amount: null, offer_currency: null };
  return { offer_amount: number(amount.amount), offer_currency: Buffer.from(amount.iso4217_code).toString("latin1") };
}

const offerOf = (message) => ({
  offer_metadata: hex(some(message.metadata())),
  ...price(message.amount()),
  offer_description: string(message.description()),
  offer_absolute_expiry: number(some(message.absolute_expiry())),
  offer_issuer: string(message.issuer()),
  offer_issuer_id: point(message.issuer_signing_pubkey()),
});

const requestOf = (message) => ({
  ...offerOf(message),
  invreq_metadata: hex(message.payer_metadata()),
  invreq_chain: hex(message.chain()),
  invreq_quantity: number(some(message.quantity())),
  invreq_payer_id: hex(message.payer_signing_pubkey()),
  invreq_payer_note: string(message.payer_note()),
});

const refundOf = (refund) => ({
  offer_description: string(refund.description()),
  offer_absolute_expiry: number(some(refund.absolute_expiry())),
  offer_issuer: string(refund.issuer()),
  offer_issuer_id: null,
  invreq_metadata: hex(refund.payer_metadata()),
  invreq_chain: hex(refund.chain()),
  invreq_quantity: number(some(refund.quantity())),
  invreq_payer_id: hex(refund.payer_signing_pubkey()),
  invreq_payer_note: string(refund.payer_note()),
  amount: number(refund.amount_msats()),
  signature: null,
});

function quantity(message) {
  const most = message.supported_quantity();
  if (most instanceof ldk.Quantity_One) return null;
  return most instanceof ldk.Quantity_Unbounded ? "0" : number(most.bounded);
}

const devkit = {
  offer: ({ text }) => unwrap(ldk.Offer.constructor_from_str(text), (offer) => ({
    ...offerOf(offer),
    merkle_id: hex(offer.id().write()),
    offer_chains: offer.chains().map(hex),
    offer_quantity_max: quantity(offer),
    offer_paths: number(offer.paths().length),
  })),
  invoice_request: ({ text, hex: stream }) => readFrom(ldk.InvoiceRequest, stream, (request) => ({
    ...requestOf(request),
    offer_quantity_max: quantity(request),
    offer_paths: number(request.paths().length),
    amount: number(some(request.amount_msats())),
    signature: hex(request.signature()),
  })) ?? unwrap(ldk.Refund.constructor_from_str(text), refundOf), // which is what LDK calls one without an offer
  invoice: ({ hex: stream }) => readFrom(ldk.Bolt12Invoice, stream, (invoice) => ({
    ...requestOf(invoice),
    invoice_paths: number(invoice.payment_paths().length),
    invoice_created_at: number(invoice.created_at()),
    relative_expiry: number(invoice.relative_expiry()),
    invoice_payment_hash: hex(invoice.payment_hash()),
    invoice_amount: number(invoice.amount_msats()),
    invoice_node_id: hex(invoice.signing_pubkey()),
    signature: hex(invoice.signature()),
    digest: hex(invoice.signable_hash()),
  })),
};

// These have no text form in LDK, so it has nothing to say where the string holds no stream.
function readFrom(kind, stream, fields) {
  return stream === null ? undefined : unwrap(kind.constructor_read(unhex(stream)), fields);
}

function unwrap(result, fields) {
  return result.is_ok() ? fields(result.res) : null;
}

// ---- boltz-bolt12

const tools = {
  offer: ({ text }) => attempt(() => new boltz.Offer(text), (offer) => ({
    merkle_id: hex(offer.id),
    offer_issuer_id: hex(offer.signing_pubkey),
    offer_description: offer.description || null,
    offer_absolute_expiry: number(offer.expiry),
    offer_issuer: offer.issuer || null,
    offer_paths: number(offer.paths.length),
  })),
  invoice: ({ text }) => attempt(() => new boltz.Invoice(text), (invoice) => ({
    invoice_node_id: hex(invoice.signing_pubkey),
    invoice_amount: number(invoice.amount_msat),
    invoice_payment_hash: hex(invoice.payment_hash),
    offer_description: invoice.description || null,
    invoice_paths: number(invoice.payment_paths.length),
  })),
};

function attempt(build, fields) {
  let message;
  try {
    message = build();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error; // it broke down, and answers nothing true any more
    return null;
  }
  return fields(message);
}

// ---- the loop

const PEERS = { lightningdevkit: devkit, "boltz-bolt12": tools };

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  const verdicts = Object.entries(PEERS).map(([peer, reads]) => [peer, reads[message.kind]?.(message)]);
  write(`${JSON.stringify(Object.fromEntries(verdicts))}\n`);
}
