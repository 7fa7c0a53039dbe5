"""pyln-proto's end of a connection, run by a Python that has it: each message goes back as it came.

`echo.py KEY listen` prints the port at which one connection is taken; `echo.py KEY NODE_ID PORT` makes one.
"""

import socket
import sys

from pyln.proto.wire import LightningServerSocket, PrivateKey, connect


def main(key: str, place: str, port: str = "0") -> None:
    """Shake hands, then echo until the other side leaves."""
    private_key = PrivateKey(bytes.fromhex(key))
    if place == "listen":
        with LightningServerSocket(private_key) as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            print(server.getsockname()[1], flush=True)
            connection, _ = server.accept()
    else:
        connection = connect(private_key, bytes.fromhex(place), "127.0.0.1", int(port))
    connection.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while connection.connection.recv(1, socket.MSG_PEEK):
        connection.send_message(connection.read_message())


if __name__ == "__main__":
    main(*sys.argv[1:])
