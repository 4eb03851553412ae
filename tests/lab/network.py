"""A network: a bridge inside a namespace, into which machines are plugged."""

from .cable import Link, Wire

_FIRST_HOST = 10
_LAST_HOST = 254


class Network:
    """Gives each machine an address of its own: `prefix`.N/24, and `prefix6`N/64 if there is one.

    Without `multicast` it carries none, as the internet, though its bridge would.
    `gateway` (or None) is where machines send what is for other networks; the first address.
    """

    def __init__(self, switch, bridge, prefix, prefix6=None, has_gateway=False, multicast=True):
        self._switch, self._bridge = switch, bridge
        self.prefix, self.prefix6 = prefix, prefix6
        self.gateway = f"{prefix}.1" if has_gateway else None
        self._multicast = multicast
        self._next_host = _FIRST_HOST
        self._next_port = 1
        switch.ip("link", "add", bridge, "type", "bridge")
        if has_gateway:
            switch.ip("address", "add", f"{self.gateway}/24", "dev", bridge)
        switch.ip("link", "set", bridge, "up")

    def take_addresses(self):
        """(IPv4, IPv6 or None) that nobody has had before."""
        number = self._next_host
        if number > _LAST_HOST:
            raise RuntimeError(f"the network {self.prefix}.0/24 has no address left")
        self._next_host += 1
        return f"{self.prefix}.{number}", self.prefix6 and f"{self.prefix6}{number}"

    def plug(self, machine, interface, line=None):
        """A cable from a new interface of the machine to a new port of the bridge."""
        port = f"port{self._next_port}"
        self._next_port += 1
        ends = machine, interface, self._switch, port
        cable = Wire(*ends) if line is None else Link(*ends, line)
        self._switch.ip("link", "set", port, "master", self._bridge)
        if not self._multicast:
            machine.ip("link", "set", interface, "multicast", "off")
        return cable
