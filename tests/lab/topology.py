"""An internet in miniature.

    public host ── 192.0.2.0/24, 2001:db8::/64 ── router ── 10.0.N.0/24 ── private host
                   (the internet: one bridge)     (NAT)     (its LAN)

Addresses are those reserved for documentation and for private use, and exist inside the namespaces
only. A LAN has IPv4 alone, as many still do; public hosts have both.
"""

from . import nat
from .namespace import Namespace

_INTERNET = "192.0.2"
_INTERNET6 = "2001:db8::"


class Host(Namespace):
    """A machine with one interface, `eth0`. `address` (and `address6`, or None) is its own."""

    def __init__(self, name, address, address6=None):
        super().__init__(name)
        self.address = address
        self.address6 = address6


class Lab:
    """Makes hosts and routers; `close` (or leaving the `with`) takes all of them down."""

    def __init__(self):
        self._namespaces = []
        self._next_public = 10
        self._next_lan = 1
        self._next_port = 0
        self._internet = self._keep(Namespace("internet"))
        self._internet.ip("link", "add", "br0", "type", "bridge")
        self._internet.ip("link", "set", "br0", "up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def public_host(self, name):
        """A host that everybody on the internet can reach."""
        number = self._take_public()
        host = self._keep(Host(name, f"{_INTERNET}.{number}", f"{_INTERNET6}{number}"))
        self._plug(host, "eth0", self._internet, "br0")
        # The internet carries none, though its bridge would.
        host.ip("link", "set", "eth0", "multicast", "off")
        host.ip("address", "add", f"{host.address}/24", "dev", "eth0")
        host.ip("address", "add", f"{host.address6}/64", "dev", "eth0", "nodad")
        return host

    def router(self, name, kind=nat.masquerade):
        """A router of a kind of NAT (see nat.py) between the internet and a LAN of its own."""
        router = self._keep(Router(name, f"{_INTERNET}.{self._take_public()}", self._next_lan))
        self._next_lan += 1
        self._plug(router, "wan0", self._internet, "br0")
        router.ip("address", "add", f"{router.address}/24", "dev", "wan0")
        router.ip("link", "add", "lan0", "type", "bridge")
        router.ip("address", "add", f"{router.gateway}/24", "dev", "lan0")
        router.ip("link", "set", "lan0", "up")
        router.sysctl("net.ipv4.ip_forward", 1)
        router.load_ruleset(kind("wan0"))
        return router

    def private_host(self, name, behind):
        """A host on the LAN of the router `behind`, with that router as its way out."""
        host = self._keep(Host(name, behind.take_lan_address()))
        self._plug(host, "eth0", behind, "lan0")
        host.ip("address", "add", f"{host.address}/24", "dev", "eth0")
        host.ip("route", "add", "default", "via", behind.gateway)
        return host

    def close(self):
        while self._namespaces:
            self._namespaces.pop().close()

    def _keep(self, namespace):
        self._namespaces.append(namespace)
        return namespace

    def _take_public(self):
        self._next_public += 1
        return self._next_public - 1

    def _plug(self, machine, interface, switch, bridge):
        """A cable from a new interface of `machine` to a new port of the bridge in `switch`."""
        self._next_port += 1
        port = f"port{self._next_port}"
        machine.ip("link", "add", "name", interface, "type", "veth",
                   "peer", "name", port, "netns", switch.label)
        switch.ip("link", "set", port, "master", bridge, "up")
        machine.ip("link", "set", interface, "up")


class Router(Namespace):
    """`address` is its outer one, `gateway` the one that its LAN sees."""

    def __init__(self, name, address, lan):
        super().__init__(name)
        self.address = address
        self._lan = f"10.0.{lan}"
        self.gateway = f"{self._lan}.1"
        self._next_host = 10

    def take_lan_address(self):
        self._next_host += 1
        return f"{self._lan}.{self._next_host - 1}"
