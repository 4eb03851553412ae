"""Machines of a laboratory: hosts, and routers with a network of their own."""

import contextlib

from .namespace import Namespace
from .network import Network


class Machine(Namespace):
    """A machine on a network. `address` and `address6` are its own there, or None."""

    def __init__(self, name, interface, network, line=None, ipv4=True):
        super().__init__(name)
        self.network = network
        self.address = self.address6 = None
        self._interface = interface
        self._ipv4 = ipv4
        self._cable = network.plug(self, interface, line)
        self._take_addresses()

    def cut(self):
        """Pulls the plug: packets are lost both ways, and the machine sees that it has no carrier."""
        self._cable.cut()

    def restore(self):
        """Plugs it in again."""
        self._cable.restore()

    def change_address(self):
        """Lives under new addresses from here on; nobody has the old ones any more."""
        self.ip("address", "flush", "dev", self._interface, "scope", "global")
        self._take_addresses()

    def close(self):
        self._cable.close()
        super().close()

    def _take_addresses(self):
        self.address, self.address6 = self.network.take_addresses()
        if not self._ipv4:
            self.address = None
        self._configure()

    def _configure(self):
        if self.address:
            self.ip("address", "add", f"{self.address}/24", "dev", self._interface)
        if self.address6:
            self.ip("address", "add", f"{self.address6}/64", "dev", self._interface, "nodad")
        if self.network.gateway:
            self.ip("route", "add", "default", "via", self.network.gateway)


class Host(Machine):
    """A machine with one interface, `eth0`. `router` is the one it is behind, or None."""

    def __init__(self, name, network, router=None, rules="", **options):
        super().__init__(name, "eth0", network, **options)
        self.router = router
        if rules:
            self.load_ruleset(rules)


class Router(Machine):
    """`address` is its outer one, `gateway` the one that its LAN sees. `rules` are its NAT.

    `router` is the one that it is behind itself, or None.
    """

    def __init__(self, name, network, lan, rules, router=None, **options):
        super().__init__(name, "wan0", network, **options)
        self.router = router
        self.lan = Network(self, "lan0", lan, has_gateway=True)
        self.gateway = self.lan.gateway
        self._rules = rules
        self.sysctl("net.ipv4.ip_forward", 1)
        self.load_ruleset(rules)

    def forget(self):
        """All mappings and connections; those that send go on under new mappings, if at all."""
        self.load_ruleset(self._rules)
        self.run(["conntrack", "-F"])

    def change_address(self):
        """As providers do it at night: a new outer address, and nothing is remembered of the old one."""
        super().change_address()
        self.forget()

    def reboot(self):
        """Is off for a moment, and remembers nothing after."""
        with self.off():
            pass

    @contextlib.contextmanager
    def off(self):
        """Without power meanwhile: all its links are down."""
        for interface in ("wan0", "lan0"):
            self.ip("link", "set", interface, "down")
        yield
        self.forget()
        self.ip("address", "flush", "dev", "wan0", "scope", "global")
        for interface in ("lan0", "wan0"):
            self.ip("link", "set", interface, "up")
        self._configure()
