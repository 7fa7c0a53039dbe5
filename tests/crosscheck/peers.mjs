// The peers below a folder's node_modules, ready for use. Both are LDK compiled to WebAssembly.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

export async function peers(folder) {
  const path = (file) => resolve(folder, "node_modules", file);
  const module = (file) => import(pathToFileURL(path(file)));
  const wasm = (file) => readFileSync(path(file));

  const ldk = await module("lightningdevkit/index.mjs");
  await ldk.initializeWasmFromBinary(wasm("lightningdevkit/liblightningjs.wasm"));

  const boltz = await module("boltz-bolt12/boltz_bolt12_bg.js");
  const { instance } = await WebAssembly.instantiate(wasm("boltz-bolt12/boltz_bolt12_bg.wasm"), {
    "./boltz_bolt12_bg.js": boltz,
  });
  boltz.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return { ldk, boltz };
}
