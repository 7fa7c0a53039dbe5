"""Reads Core Lightning's rpc-schema documents and generates what should agree with them.

`read` turns files into raw documents, `model` holds what they mean, each of `targets` renders one kind of output from
that (with `text` for its English and `python` for its Python), and `write` brings it to disk. `generate` is the order
of these steps, `cli` the command, `facts` what `sync` keeps of Core Lightning's documents.
"""
