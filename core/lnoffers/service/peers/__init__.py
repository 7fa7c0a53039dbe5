"""The service's connections to other Lightning nodes: the asyncio layer over `lnoffers.net`.

peers    all of them: who is connected, and what happens with what they send
link     one open connection
pending  the answers that this node awaits
entries  the nodes at which its own requests enter the network
reach    the ports that other nodes connect to, and the peers that stay connected
pace     how much a peer may send, or is sent, in a second
scheduling  the order in which messages of strangers are handled
"""

from lnoffers.service.peers.link import Link
from lnoffers.service.peers.peers import Peers
from lnoffers.service.peers.pending import Pending
from lnoffers.service.peers.reach import listening, stay_connected

__all__ = ["Link", "Peers", "Pending", "listening", "stay_connected"]
