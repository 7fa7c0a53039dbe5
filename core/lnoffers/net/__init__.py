"""The wire: how Lightning nodes talk, without I/O. Bytes in, events out; BOLT 1, 4 and 8.

    handshake, frames     BOLT 8: who a peer is, and encryption
    states, connection    the order of things on a connection, and the machine that keeps it
    messages, features    BOLT 1 and 9: what peers say to each other
    blinding, hop_data    paths whose nodes learn only the next one
    onion, onion_messages packets of which each node reads a layer, and what is in the last
    offer_messages        asking for an invoice, and answering
    errors                whose fault it is, and how to answer
    crypto                the ciphers

Sockets, clocks and randomness are the caller's: keys and unpredictable bytes are arguments.
"""
