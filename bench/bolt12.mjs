// How long the peers take to decode an offer: `node bolt12.mjs FOLDER OFFER`, where FOLDER/node_modules holds them.
//
// Each line on stdin is a number of runs; the answer is a line {peer: microseconds of CPU for each run}.

import { createInterface } from "node:readline";
import { peers } from "../tests/crosscheck/peers.mjs";

const write = process.stdout.write.bind(process.stdout);
console.log = console.error; // lightningdevkit says there which version it is
const [folder, offer] = process.argv.slice(2);
const { ldk, boltz } = await peers(folder);

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
