// How long the peers take to decode an offer: `node bolt12.mjs FOLDER OFFER`, where FOLDER/node_modules holds them.
//
// Each line on stdin is a number of runs; the answer is a line {peer: microseconds of CPU for each run}.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const packages = resolve(process.argv[2], "node_modules");
const offer = process.argv[3];
const load = (file) => import(pathToFileURL(resolve(packages, file)));
const bytesOf = (file) => readFileSync(resolve(packages, file));

const write = process.stdout.write.bind(process.stdout);
console.log = console.error; // lightningdevkit says there which version it is

const ldk = await load("lightningdevkit/index.mjs");
await ldk.initializeWasmFromBinary(bytesOf("lightningdevkit/liblightningjs.wasm"));

const boltz = await load("boltz-bolt12/boltz_bolt12_bg.js");
const imports = { "./boltz_bolt12_bg.js": boltz };
const { instance } = await WebAssembly.instantiate(bytesOf("boltz-bolt12/boltz_bolt12_bg.wasm"), imports);
boltz.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start();

const PEERS = {
  lightningdevkit: () => ldk.Offer.constructor_from_str(offer),
  "boltz-bolt12": () => new boltz.Offer(offer).free(),
};

function microseconds(decode, runs) {
  const before = process.cpuUsage();
  for (let run = 0; run < runs; run++) decode();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / runs;
}

for await (const line of createInterface({ input: process.stdin })) {
  const times = Object.entries(PEERS).map(([peer, decode]) => [peer, microseconds(decode, Number(line))]);
  write(`${JSON.stringify(Object.fromEntries(times))}\n`);
}
