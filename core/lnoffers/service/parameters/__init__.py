"""Converters for the parameters that are not converted by their type in the document.

The converters for the types of the documents are in `clnrpc.runtime.server.convert`.
"""
