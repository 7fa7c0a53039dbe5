"""The parameters that are not read as their type in the document says, and how they are read instead.

For all others, the converters of the dialect's types are in `clnrpc.runtime.server.convert`.
"""
