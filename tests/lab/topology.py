"""An internet in miniature.

    public host ── 192.0.2.0/24, 2001:db8::/64 ── router ── 10.0.N.0/24 ── private host
                   (the internet: one bridge)     (NAT)     (its LAN)

Addresses are those reserved for documentation, for carriers and for private use, and exist inside
the namespaces only. A LAN has IPv4 alone, as many still do; public hosts have both.
"""

from . import description, nat
from .cable import Link
from .line import Line
from .machine import Host, Router
from .namespace import Namespace
from .network import Network

_INTERNET = "192.0.2"
# For programs that take no address of documentation for one on the internet: a block that is routed
# worldwide in principle and used by no host (RFC 7450), and that exists inside the namespaces only, too.
ROUTABLE = "192.52.193"
_INTERNET6 = "2001:db8::"
_LANS = "10.0"
_CARRIERS = "100.64"

# What host_behind() makes, as descriptions; `same-nat` is beside a host that is there already.
KINDS = {
    "public": "{0}",
    "full-cone": "{0}-router:full-cone > {0}",
    "port-restricted": "{0}-router:port-restricted > {0}",
    "symmetric": "{0}-router:symmetric > {0}",
    "double-nat": "{0}-carrier:port-restricted > {0}-router:port-restricted > {0}",
    "udp-blocked": "{0}-router:udp-blocked > {0}",
    "only-443": "{0}-router:only-443 > {0}",
    "firewall": "{0}:firewall",
    "ipv6-only": "{0}:ipv6-only",
}
SAME_NAT = "same-nat"


class Lab:
    """Makes hosts and routers; `close` (or leaving the `with`) takes all of them down.

    `internet` is what the addresses of its internet begin with.
    """

    def __init__(self, internet=_INTERNET):
        self._made = []
        self._next_lan = 1
        self._next_link = 1
        self._internet = Network(self._keep(Namespace("internet")), "br0", internet, _INTERNET6, multicast=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def public_host(self, name, *, ipv4=True, rules="", line=None):
        """A host on the internet. Everybody reaches it, as far as `rules` (see firewall.py) let them."""
        return self._keep(Host(name, self._internet, rules=rules, ipv4=ipv4, line=line))

    def router(self, name, kind=nat.port_restricted, *, behind=None, line=None, carries=False, **options):
        """A router of a kind of NAT (see nat.py) with a LAN of its own.

        Its outer side is on the internet, or on the LAN of the router `behind`; with `carries`, its
        LAN has the addresses that carriers use for their customers' routers.
        """
        outer = behind.lan if behind else self._internet
        lan = f"{_CARRIERS if carries else _LANS}.{self._next_lan}"
        self._next_lan += 1
        return self._keep(Router(name, outer, lan, kind("wan0", **options), behind, line=line))

    def private_host(self, name, behind, *, rules="", line=None):
        """A host on the LAN of the router `behind`, with that router as its way out."""
        return self._keep(Host(name, behind.lan, behind, rules=rules, line=line))

    def host_behind(self, kind, name=None, beside=None, line=None):
        """A host of one of the `KINDS`, named like it otherwise; its router is `host.router`.

        `line` is its way to the internet. The kind "same-nat" is a host on the LAN of the host
        `beside`, and shares that one's.
        """
        name = name or kind
        if kind == SAME_NAT:
            if beside is None or beside.router is None:
                raise ValueError("same-nat needs a host behind a router, which it is to be beside")
            return self.private_host(name, beside.router)
        if kind not in KINDS:
            raise ValueError(f"no kind of host is {kind!r}: there are {', '.join([*KINDS, SAME_NAT])}")
        return self.build(KINDS[kind].format(name), line)[name]

    def build(self, text, line=None):
        """Makes what a description in one line says (see description.py): {name: machine}.

        `line` is the way to the internet of the machines there for which the description has none.
        """
        machines = {}
        for site in description.parse(text):
            router = None
            for index, one in enumerate(site.routers):
                router = machines[one.name] = self.router(
                    one.name, description.ROUTERS[one.kind], behind=router,
                    line=one.line or (None if router else line),
                    carries=index + 1 < len(site.routers), **one.switches)
            for one in site.hosts:
                machines[one.name] = self._host(one, router, line)
        return machines

    def link(self, first, second, **line):
        """Joins two machines by a link of their own, whose `Line` has the given properties.

        What one sends to the address that the other has now takes it from then on.
        """
        name = f"link{self._next_link}"
        self._next_link += 1
        link = self._keep(Link(first, name, second, name, Line(**line)))
        for near, far in ((first, second), (second, first)):
            _route(near, far, name)
        return link

    def close(self):
        while self._made:
            self._made.pop().close()

    def _host(self, one, router, line):
        make = description.HOSTS[one.kind]
        rules = make(**one.switches) if make else ""
        if router:
            return self.private_host(one.name, router, rules=rules, line=one.line)
        return self.public_host(one.name, ipv4=one.kind != "ipv6-only", rules=rules, line=one.line or line)

    def _keep(self, made):
        self._made.append(made)
        return made


def _route(near, far, interface):
    """Sends what `near` has for the addresses of `far` out of an interface that `far` is behind."""
    hardware = far.hardware_address(interface)
    for address in filter(None, (far.address, far.address6)):
        own = near.address6 if ":" in address else near.address
        if own:
            near.ip("neighbour", "add", address, "lladdr", hardware, "dev", interface)
            near.ip("route", "add", address, "dev", interface, "src", own)
