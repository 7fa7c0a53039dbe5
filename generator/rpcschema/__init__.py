"""Read Core Lightning's rpc-schema documents and generate everything that must agree with them.

`read` turns files into raw documents, `model` holds their meaning, and each of `targets` renders one kind of output
from it (`text` writes the English, `python` the Python). `write` puts the output on disk. `generate` runs these steps
in order, `cli` is the command, and `facts` keeps what `sync` needs from Core Lightning's documents.
"""
