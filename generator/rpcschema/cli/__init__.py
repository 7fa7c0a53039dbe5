"""The program `rpcschema`: its commands, and what they share."""
