"""The wire: how Lightning nodes talk, without I/O. Bytes in, events out; BOLT 1, 4 and 8.

    handshake, frames     BOLT 8: authentication and encryption
    address               ID@HOST:PORT
    states, connection    the states of a connection, and the state machine
    messages, features    BOLT 1 and 9: the messages between peers
    blinding, hop_data    paths whose nodes learn only the next one
    onion, onion_messages packets of which each node reads one layer, and their payloads
    offer_messages        request an invoice, and answer
    errors                errors by whose fault they are, with a hint on how to react
    crypto                the ciphers

Sockets, clocks and randomness are the caller's: keys and unpredictable bytes are arguments.
"""
