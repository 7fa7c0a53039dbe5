// Validate an OpenRPC or OpenAPI document with its meta-schema: node judge.mjs openrpc|openapi FILE. Prints the errors
// as JSON. The packages are those of the folder that NODE_PATH names.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.NODE_PATH, "packages.js"));
const [format, file] = process.argv.slice(2);
const text = readFileSync(file, "utf8");
const judges = { openapi, openrpc };
console.log(JSON.stringify(await judges[format](text)));

async function openapi() {
  const { Validator } = await import(require.resolve("@seriousme/openapi-schema-validator"));
  const { errors } = await new Validator().validate(JSON.parse(text));
  return errors ?? [];
}

function openrpc() {
  const { default: Ajv } = require("ajv");
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const { default: schemas } = require("@json-schema-tools/meta-schema");
  ajv.addSchema({ ...schemas, $schema: undefined }, "https://meta.json-schema.tools");
  const { openrpcDocument } = require("@open-rpc/meta-schema");
  const validate = ajv.compile({ ...openrpcDocument, $schema: undefined });
  validate(JSON.parse(text));
  return validate.errors ?? [];
}
