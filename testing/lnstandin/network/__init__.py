"""A Lightning network on regtest without a chain: nodes of this project's service with channels of play money.

    with Network(2) as network:
        bolt11 = network.nodes[1].client.invoice("21sat", "lunch", "a sandwich").bolt11
        network.nodes[0].client.xpay(bolt11)

Each node has the commands of the service, and those of `service`, which only a node with channels can have. Payments
have one hop. Each node's funds are in its ledger (`lnstandin.play`), so nothing is lost or paid twice by a crash.

network   all nodes, and the test's control over them
handles   one node, as a test sees it
threads   runs nodes in a thread of this process
processes runs each node in a process of its own, which can be killed
node      a node, within an event loop
recording a record of the calls
service   the commands, which `invoicing`, `paying`, `payments` and `funds` add
"""

from lnstandin.network.handles import NetworkError, NetworkNode
from lnstandin.network.network import Network

__all__ = ["Network", "NetworkError", "NetworkNode"]
