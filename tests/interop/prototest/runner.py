"""lnprototest's access to a server of ours; a Python that has lnprototest runs this.

`pytest --runner=runner.Runner` with this folder in PYTHONPATH. LNOFFERS names the program. This node has no channel and
no chain, so only what the tests of BOLT 1 need is here.
"""

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import lnprototest
import pyln.proto.wire
from lnprototest import Conn, Event, EventError, ExpectMsg, KeySet, MustNotMsg, SpecFileError, namespace

SECONDS = 60
OFFERED = dict.fromkeys(("option_data_loss_protect", "option_static_remotekey"), "odd")
"""The features that LDK demands of its peers, although they are about channels."""
GARBAGE = bytes(18)
"""The length of a frame with a wrong tag: the server closes the connection when it has handled what came before."""


class Runner(lnprototest.Runner):
    """Starts a server for each sequence, on a new directory."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.folder = Path(self.directory, "node")
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start a server, and learn its id and port."""
        command = [os.environ["LNOFFERS"], "serve", "--lightning-dir", str(self.folder), "--network", "regtest"]
        command += ["--addr", "127.0.0.1:0", "--log-file", "log", "--log-level", "debug"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        path = self.process.stdout.readline().strip().removeprefix("Listening on ")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "getinfo", "params": []}).encode())
            answer = b""
            while not answer.endswith(b"\n\n"):
                answer += client.recv(1 << 16)
        info = json.loads(answer)["result"]
        self.node_id = info["id"]
        [self.port] = [place["port"] for place in info["binding"] if place["type"] == "ipv4"]

    def stop(self, print_logs: bool = False) -> None:
        """Stop the server."""
        for conn in self.conns.values():
            conn.wire.connection.close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(SECONDS) == 0
            self.process.stdout.close()
        if print_logs:
            self.logger.info((self.folder / "regtest" / "log").read_text())
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self) -> None:
        """Start again, for the next way through the sequence."""
        self.stop()
        super().restart()
        self.start()

    def is_running(self) -> bool:
        """Return whether the server runs."""
        return self.process is not None and self.process.poll() is None

    def connect(self, event: Event, connprivkey: str) -> None:
        """Connect to the server."""
        conn = Conn(connprivkey)
        key = pyln.proto.wire.PrivateKey(bytes.fromhex(conn.connprivkey.to_hex()))
        peer = pyln.proto.wire.PublicKey(bytes.fromhex(self.node_id))
        conn.wire = pyln.proto.wire.connect(key, peer, "127.0.0.1", self.port)
        conn.wire.connection.settimeout(SECONDS)
        self.add_conn(conn)

    def recv(self, event: Event, conn: Conn, outbuf: bytes) -> None:
        """Send the server a message."""
        try:
            conn.wire.send_message(outbuf)
        except OSError as error:
            raise EventError(event, f"the server has closed the connection: {error}") from error

    def get_output_message(self, conn: Conn, event: ExpectMsg) -> bytes | None:
        """Return the server's next message; None once it has closed the connection."""
        try:
            return conn.wire.read_message()
        except TimeoutError:
            raise EventError(event, "the server sends nothing and stays connected") from None
        except (OSError, ValueError):
            return None

    def check_error(self, event: Event, conn: Conn) -> str | None:
        """Return None if the server closes the connection; BOLT 1 lets it send a warning first."""
        super().check_error(event, conn)
        while (message := self.get_output_message(conn, event)) is not None:
            if int.from_bytes(message[:2], "big") != namespace().get_msgtype("warning").number:
                return message.hex()
        return None

    def check_final_error(self, event: Event, conn: Conn, expected: bool, must_not_events: list[MustNotMsg]) -> None:
        """Check that the server has sent no error and nothing that the sequence forbids."""
        if not expected:
            conn.wire.connection.sendall(GARBAGE)
            while (message := self.get_output_message(conn, event)) is not None:
                for banned in must_not_events:
                    if banned.matches(message):
                        raise EventError(event, f"{banned} forbids the message {message.hex()}")
                if int.from_bytes(message[:2], "big") == namespace().get_msgtype("error").number:
                    raise EventError(event, f"the server sent an error: {message.hex()}")
        conn.wire.connection.close()

    def has_option(self, optname: str) -> str | None:
        """Return "odd" if the server offers a feature that lnprototest asks about, else None."""
        return OFFERED.get(optname)

    def add_startup_flag(self, flag: str) -> None:
        """Refuse: the server has no flags of lightningd."""
        raise SpecFileError(None, f"no flag {flag}")

    def get_keyset(self) -> KeySet:
        """Refuse: the server has no channel."""
        raise SpecFileError(None, "no channel")

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise SpecFileError(None, "this node has no channel and no chain")

    getblockheight = trim_blocks = add_blocks = expect_tx = invoice = accept_add_fund = fundchannel = _refuse
    init_rbf = addhtlc = get_node_privkey = get_node_bitcoinkey = close_channel = _refuse
