// LDK as a peer: `node peer.mjs FOLDER`, where FOLDER has the packages. It has keys and no channel, no chain, no money.
//
// It listens on 127.0.0.1, prints its id and port as JSON, and then answers each line of JSON with one:
//   {"do": "offer"}                            an offer of its own, which names no amount: {"offer": "lno1..."}
//   {"do": "connect", "id", "host", "port"}    once the connection stands: {"peers": [ID...]}
//   {"do": "peers"}                            whom it is connected to: {"peers": [ID...]}
//   {"do": "refuse"}                           from here on it answers requests by an error: {}
//   {"do": "request", "offer", "amount"}       ask for an invoice; "amount" is a number of millisatoshi or null:
//                                              {"invoice": HEX}, once one has arrived and is good; or {"failed": WHY}
//   {"do": "collect", "refund"}                send an invoice for a request without an offer, which LDK calls a
//                                              refund: {"invoice": HEX}, or {"failed": WHY}
//   {"do": "refund", "amount"}                 a request of its own without an offer: {"refund": "lnr1...", "id"}
//   {"do": "decode", "string", "hash"}         the fields of a BOLT 11 invoice, numbers of 64 bits as text; or
//                                              {"failed": WHY}. LDK compares a hash of the description, but shows none
//   {"do": "await", "id"}                      once an invoice for it has arrived and is good: {"invoice": HEX}
// It ends with its standard input.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const load = (file) => import(pathToFileURL(resolve(folder, "node_modules", file)));
const ldk = await load("lightningdevkit/index.mjs");
const { NodeLDKNet } = await load("lightningdevkit-node-net/net.mjs");
await ldk.initializeWasmFromBinary(
  readFileSync(resolve(folder, "node_modules/lightningdevkit/liblightningjs.wasm")),
);

const none = () => {};
let refuses = false;
const seconds = Math.floor(Date.now() / 1000);
const seed = crypto.getRandomValues(new Uint8Array(32));
const keys = ldk.KeysManager.constructor_new(seed, BigInt(seconds), 0);
const entropy = keys.as_EntropySource();
const logger = ldk.Logger.new_impl({ log: none });
const unused = (kind) => new Error(`LDK asked for ${kind}, and no payment is made here`);

// The default routers look for channels in the network; this node has itself alone, so all paths begin and end at it.
const messageRouter = ldk.MessageRouter.new_impl({
  find_path: (_sender, _peers, destination) =>
    ldk.Result_OnionMessagePathNoneZ.constructor_ok(
      ldk.OnionMessagePath.constructor_new([], destination, ldk.Option_CVec_SocketAddressZZ.constructor_none()),
    ),
  create_blinded_paths: (recipient, context) => pathToSelf(recipient, context),
  create_compact_blinded_paths: (recipient, context) => pathToSelf(recipient, context),
});

function pathToSelf(recipient, context) {
  const made = ldk.BlindedMessagePath.constructor_one_hop(recipient, context, entropy);
  return ldk.Result_CVec_BlindedMessagePathZNoneZ.constructor_ok([made.res]);
}

const paymentRouter = ldk.Router.new_impl({
  find_route: () => {
    throw unused("a route");
  },
  find_route_with_id: () => {
    throw unused("a route");
  },
  create_blinded_payment_paths: (recipient, _channels, tlvs) => {
    if (refuses) return ldk.Result_CVec_BlindedPaymentPathZNoneZ.constructor_err();
    const made = ldk.BlindedPaymentPath.constructor_one_hop(recipient, tlvs, 18, entropy);
    return ldk.Result_CVec_BlindedPaymentPathZNoneZ.constructor_ok([made.res]);
  },
});

const watch = ldk.ChainMonitor.constructor_new(
  ldk.Option_FilterZ.constructor_none(),
  ldk.BroadcasterInterface.new_impl({ broadcast_transactions: none }),
  logger,
  ldk.FeeEstimator.new_impl({ get_est_sat_per_1000_weight: () => 253 }),
  ldk.Persist.new_impl({
    persist_new_channel: () => ldk.ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_Completed,
    update_persisted_channel: () => ldk.ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_Completed,
    archive_persisted_channel: none,
  }),
);
const config = ldk.UserConfig.constructor_default();
config.set_manually_handle_bolt12_invoices(true);
const regtest = ldk.Network.LDKNetwork_Regtest;
const manager = ldk.ChannelManager.constructor_new(
  ldk.FeeEstimator.new_impl({ get_est_sat_per_1000_weight: () => 253 }),
  watch.as_Watch(),
  ldk.BroadcasterInterface.new_impl({ broadcast_transactions: none }),
  paymentRouter,
  messageRouter,
  logger,
  entropy,
  keys.as_NodeSigner(),
  keys.as_SignerProvider(),
  config,
  ldk.ChainParameters.constructor_new(regtest, ldk.BestBlock.constructor_from_network(regtest)),
  seconds,
);
const ignorer = ldk.IgnoringMessageHandler.constructor_new();
const messenger = ldk.OnionMessenger.constructor_new(
  entropy,
  keys.as_NodeSigner(),
  logger,
  manager.as_NodeIdLookUp(),
  messageRouter,
  manager.as_OffersMessageHandler(),
  ignorer.as_AsyncPaymentsMessageHandler(),
  ignorer.as_DNSResolverMessageHandler(),
  ignorer.as_CustomOnionMessageHandler(),
);
const peers = ldk.PeerManager.constructor_new(
  manager.as_ChannelMessageHandler(),
  ignorer.as_RoutingMessageHandler(),
  messenger.as_OnionMessageHandler(),
  ignorer.as_CustomMessageHandler(),
  seconds,
  entropy.get_secure_random_bytes(),
  logger,
  keys.as_NodeSigner(),
);

const net = new NodeLDKNet(peers);
await net.bind_listener("127.0.0.1", 0);
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const say = (words) => process.stdout.write(`${JSON.stringify(words)}\n`);
const connected = () => ({ peers: peers.list_peers().map((peer) => hex(peer.get_counterparty_node_id())) });

// What became of each request, by its payment id. An error from the issuer fails the payment.
const outcomes = new Map();
const handler = ldk.EventHandler.new_impl({
  handle_event(event) {
    if (event instanceof ldk.Event_InvoiceReceived)
      outcomes.set(hex(event.payment_id), { invoice: hex(event.invoice.write()) });
    if (event instanceof ldk.Event_PaymentFailed)
      outcomes.set(hex(event.payment_id), { failed: ldk.PaymentFailureReason[event.reason.some] });
    return ldk.Result_NoneReplayEventZ.constructor_ok();
  },
});
const pause = () => new Promise((wake) => setTimeout(wake, 10));

const answers = {
  offer() {
    const builder = manager.create_offer_builder(ldk.Option_u64Z.constructor_none());
    return { offer: builder.res.build().res.to_str() };
  },
  peers: connected,
  refuse() {
    refuses = true;
    return {};
  },
  async connect({ id, host, port }) {
    await net.connect_peer(host, port, Buffer.from(id, "hex"));
    while (!connected().peers.includes(id)) await pause();
    return connected();
  },
  async request({ offer, amount }) {
    const id = entropy.get_secure_random_bytes();
    const asked = manager.pay_for_offer(
      ldk.Offer.constructor_from_str(offer).res,
      ldk.Option_u64Z.constructor_none(),
      amount === null ? ldk.Option_u64Z.constructor_none() : ldk.Option_u64Z.constructor_some(BigInt(amount)),
      ldk.Option_StrZ.constructor_none(),
      id,
      ldk.Retry.constructor_attempts(0),
      ldk.Option_u64Z.constructor_none(),
    );
    if (!asked.is_ok()) return { failed: ldk.Bolt12SemanticError[asked.err] };
    peers.process_events();
    return outcome(hex(id));
  },
  async collect({ refund }) {
    const sent = manager.request_refund_payment(ldk.Refund.constructor_from_str(refund).res);
    peers.process_events();
    return sent.is_ok() ? { invoice: hex(sent.res.write()) } : { failed: ldk.Bolt12SemanticError[sent.err] };
  },
  refund({ amount }) {
    const id = entropy.get_secure_random_bytes();
    const builder = manager.create_refund_builder(
      BigInt(amount),
      BigInt(seconds + 7200),
      id,
      ldk.Retry.constructor_attempts(0),
      ldk.Option_u64Z.constructor_none(),
    );
    return { refund: builder.res.build().res.to_str(), id: hex(id) };
  },
  decode({ string, hash }) {
    const read = ldk.Bolt11Invoice.constructor_from_str(string);
    return read.is_ok() ? fieldsOf(read.res, hash) : { failed: read.err.constructor.name };
  },
  await: ({ id }) => outcome(id),
};

function fieldsOf(invoice, hash) {
  const raw = invoice.into_signed_raw().raw_invoice();
  const amount = invoice.amount_milli_satoshis().some;
  const metadata = invoice.payment_metadata().some;
  const expectedHash = hash && ldk.Sha256.constructor_from_bytes(Buffer.from(hash, "hex"));
  return {
    currency: ldk.Currency[invoice.currency()],
    amount_msat: amount === undefined ? null : String(amount),
    created_at: String(invoice.duration_since_epoch()),
    expiry: String(invoice.expiry_time()),
    payee: hex(invoice.get_payee_pub_key()),
    payment_hash: hex(invoice.payment_hash()),
    payment_secret: hex(invoice.payment_secret()),
    description: raw.description().to_str(),
    description_hash: expectedHash && raw.description_hash().eq(expectedHash) ? hash : null,
    min_final_cltv_expiry: String(invoice.min_final_cltv_expiry_delta()),
    features: hex(invoice.features().le_flags().reverse()),
    payment_metadata: metadata === undefined ? null : hex(metadata),
    fallbacks: invoice.fallback_addresses().length,
    routes: invoice.route_hints().map((route) => route.get_a().map(fieldsOfHop)),
    written_again: invoice.to_str(),
  };
}

// The binding returns numbers with a sign.
function fieldsOfHop(hop) {
  return {
    pubkey: hex(hop.get_src_node_id()),
    short_channel_id: String(BigInt.asUintN(64, hop.get_short_channel_id())),
    fee_base_msat: hop.get_fees().get_base_msat() >>> 0,
    fee_proportional_millionths: hop.get_fees().get_proportional_millionths() >>> 0,
    cltv_expiry_delta: hop.get_cltv_expiry_delta(),
  };
}

async function outcome(id) {
  while (!outcomes.has(id)) {
    await pause();
    manager.as_EventsProvider().process_pending_events(handler);
  }
  return outcomes.get(id);
}

say({ id: hex(manager.get_our_node_id()), port: net.servers[0].address().port });
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  say(await answers[asked.do](asked));
}
process.exit(0);
