"""Which calls of commands a scan finds, and which similar code it leaves alone."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from tests.scan.scanning import found, scan

FOUND = {
    "a method of LightningRpc": """
        from pyln.client import LightningRpc
        LightningRpc("s").pay("lnbc1")  # here
        """,
    "a name for the client": """
        import pyln.client as ln
        node = ln.LightningRpc("s")
        node.pay("lnbc1")  # here
        """,
    "the rpc of a plugin": """
        from pyln.client import Plugin
        plugin = Plugin()
        plugin.rpc.pay("lnbc1")  # here
        """,
    "the parameter plugin of a method": """
        def send(plugin, invoice):
            return plugin.rpc.pay(invoice)  # here
        """,
    "the rpc of something unknown, such as a test's node": """
        def test_payment(node_factory):
            l1, l2 = node_factory.line_graph(2)
            l1.rpc.pay(l2.rpc.invoice(1, "a", "b")["bolt11"])  # here
        """,
    "call with the name": """
        def send(rpc):
            rpc.call("pay", {"bolt11": "lnbc1"})  # here
        """,
    "call with a name from a variable": """
        def send(rpc):
            command = "pay"
            rpc.call(command, {})  # here
        """,
    "getattr": """
        from pyln.client import LightningRpc
        rpc = LightningRpc("s")
        getattr(rpc, "pay")("lnbc1")  # here
        """,
    "a method that is passed on": """
        async def send(rpc):
            await asyncio.to_thread(rpc.pay, "lnbc1")  # here
        """,
    "an attribute of self": """
        from pyln.client import LightningRpc
        class Wallet:
            def __init__(self):
                self.ln = LightningRpc("s")
            def send(self):
                return self.ln.pay("lnbc1")  # here
        """,
    "a hint": """
        from pyln.client import LightningRpc
        def send(node: "LightningRpc | None"):
            node.pay("lnbc1")  # here
        """,
    "a subclass": """
        from pyln.client import LightningRpc
        class Node(LightningRpc): ...
        Node("s").pay("lnbc1")  # here
        """,
    "the client of this project": """
        from clnrpc import Client
        with Client("s") as client:
            client.pay("lnbc1")  # here
        """,
    "the asyncio client of this project": """
        from clnrpc import AsyncClient
        async def send(client: AsyncClient):
            await client.rpc_call("pay", {"bolt11": "lnbc1"})  # here
        """,
    "a path of clnrest": """
        def send(http, url):
            return http.post(f"{url}/v1/pay", json={"bolt11": "lnbc1"})  # here
        """,
    "an address of clnrest": """
        http.post("https://127.0.0.1:3010/v1/pay", json={"bolt11": "lnbc1"})  # here
        """,
    "an address of clnrest with a host from elsewhere": """
        http.post(f"https://{host}:3010/v1/pay", json={"bolt11": "lnbc1"})  # here
        """,
    "a request of JSON-RPC": """
        def send(socket):
            socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "pay", "params": []}))  # here
        """,
    "the arguments of lightning-cli": """
        subprocess.run(["lightning-cli", "--network=regtest", "pay", "lnbc1"])  # here
        """,
    "arguments that are added to a command line": """
        cli = ["docker", "exec", "node", "lightning-cli"]
        run([*cli, "pay", "lnbc1"])  # here
        """,
    "arguments that a command line is extended with": """
        def cli(node):
            return ["lightning-cli", f"--lightning-dir={node}"]
        command = cli("a")
        command.extend(["pay", "lnbc1"])  # here
        """,
    "a shell command": """
        os.system("lightning-cli -k pay bolt11=lnbc1")  # here
        """,
    "a service of gRPC": """
        from node_pb2_grpc import NodeStub
        def send(channel, request):
            return NodeStub(channel).Pay(request)  # here
        """,
    "another node's command through commando": """
        def send(rpc, peer):
            rpc.commando(peer, "pay", {"bolt11": "lnbc1"})  # here
        """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_finds(source: str, tmp_path: Path) -> None:
    lines = dedent(source).splitlines()
    assert found(tmp_path, source) == [f"{at} pay" for at, line in enumerate(lines, 1) if line.endswith("# here")]


WRAPPED = """
    class Node:
        def _send(self, method, params=None):
            return self.write({"id": 1, "method": method, "params": params})

        def send(self, invoice):
            self._send("getinfo")
            return self._send("pay", {"bolt11": invoice, "msatoshi": 1})
"""


def test_finds_the_calls_of_a_function_that_makes_the_request(tmp_path: Path) -> None:
    assert found(tmp_path, WRAPPED) == ["8 pay", "8 msatoshi"]


def test_finds_the_calls_of_a_function_that_makes_the_path(tmp_path: Path) -> None:
    source = """
        def post(client, command, data):
            return client.post(f"/v1/{command}", json=data)
        def send(client):
            post(client, "keysend", {})
    """
    assert found(tmp_path, source) == ["5 keysend"]


def test_finds_the_calls_of_a_function_that_a_base_class_has(tmp_path: Path) -> None:
    source = """
        class Base:
            def send(self, method):
                return self.write({"id": 1, "method": method})
        class Wallet(Base):
            def pay(self):
                return self.send("pay")
        class Till:
            def send(self, method):
                return method
            def pay(self):
                return self.send("renepay")
        Wallet().send("keysend")
    """
    assert found(tmp_path, source) == ["7 pay", "13 keysend"]


def test_finds_methods_of_a_class_that_makes_a_request_of_every_attribute(tmp_path: Path) -> None:
    source = """
        class Proxy:
            def __getattr__(self, name):
                return lambda **params: self.post({"method": name, "params": params})
            def send(self):
                return self.pay(bolt11="lnbc1")
    """
    assert found(tmp_path, source) == ["6 pay"]


def test_a_name_from_the_settings_of_another_module_is_looked_up_there(tmp_path: Path) -> None:
    settings = """
        class Settings(Base):
            pay_command: str = Field(default="pay")
    """
    wallet = """
        from settings import settings
        def send(rpc):
            rpc.call(settings.pay_command, {})
    """
    result = scan(tmp_path, settings, wallet)
    assert [(finding.line, finding.more["name"]) for finding in result.findings] == [(4, "pay")]
    assert result.findings[0].message.endswith(f"Its name is in {tmp_path / '0.py'}:3.")


LEFT_ALONE = {
    "a method of the same name": 'import shop\nshop.Till().pay("lnbc1")',
    "a variable of the same name": 'pay = {"pay": 1}\nprint(pay["pay"])',
    "docstrings": 'def f():\n    "/v1/pay"',
    "a path of another service": 'post("https://api.example.com/v1/pay")\npost(f"https://example.com/v1/pay?id={x}")',
    "a longer path": 'post("/v1/pay/listPays")\npost("/v1/payments")\npost("/api/v1/pay-link")',
    "a route of the program's own server": '@app.post("/v1/pay")\ndef f(): ...',
    "an object with a method that is no request": 'log({"method": "pay", "amount": 1})',
    "other programs' arguments": 'run(["cashu", "pay", "lnbc1"])',
    "options of lightning-cli": 'run(["lightning-cli", "help", "pay"])',
    "own methods of the client": "from clnrpc import Client\nClient('s').pay_once('lnbc1')",
    "a helper of a test's node": "def test(node_factory):\n    l1, l2 = node_factory.get_nodes(2)\n    l1.pay(l2, 1)",
}


@pytest.mark.parametrize("source", LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_leaves_alone(source: str, tmp_path: Path) -> None:
    assert found(tmp_path, source) == []


def test_finds_values_of_parameters_in_lists(tmp_path: Path) -> None:
    source = """
        def routes(rpc):
            rpc.getroutes(source="a", destination="b", layers=["auto.localchans", "auto.no_mpp_support"])
            rpc.getroutes(source="a", destination="b", layers=["auto.localchans"])
    """
    assert found(tmp_path, source) == ["3 layers"]


def test_finds_parameters_of_requests_over_http(tmp_path: Path) -> None:
    source = """
        def pay(http, url, invoice):
            path = "/v1/pay"
            data = {"bolt11": invoice}
            data["msatoshi"] = 1
            http.post(f"{url}{path}", json=data)
    """
    assert found(tmp_path, source) == ["3 pay", "5 msatoshi"]


def test_finds_parameters_in_a_dictionary_that_is_filled_before(tmp_path: Path) -> None:
    source = """
        def ask(rpc, amount):
            payload = {"label": "a", **({"description": "b"} if amount else {})}
            payload["msatoshi"] = amount
            rpc.call("invoice", payload)
    """
    assert found(tmp_path, source) == ["4 msatoshi"]
