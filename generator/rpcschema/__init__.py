"""Reads Core Lightning's rpc-schema documents and generates what should agree with them.

`load` reads documents, `model` holds what they mean, each of `targets` renders one kind of output from that, `output`
brings it to disk. `generate` joins the four, `cli` is the command.
"""
