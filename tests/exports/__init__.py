"""What the targets `jsonschema`, `openrpc` and `openapi` make, compared with the documents by code of its own."""
