"""Topologies in one line, such as "relay | home:symmetric > alice | office:firewall [delay=30ms]".

README.md of this folder describes the language. Nothing here makes anything: `parse` gives sites, of
which `Lab.build` makes machines.
"""

import dataclasses
import inspect
import re

from . import firewall, nat
from .line import Line

ROUTERS = {
    "full-cone": nat.full_cone,
    "port-restricted": nat.port_restricted,
    "symmetric": nat.symmetric,
    "udp-blocked": nat.udp_blocked,
    "only-443": nat.only_443,
}
HOSTS = {"open": None, "firewall": firewall.stateful, "ipv6-only": None}
_DEFAULT_ROUTER, _DEFAULT_HOST = "port-restricted", "open"
_MACHINE = re.compile(
    r"""(?P<name> [a-z0-9-]+ ) (?: : (?P<kind> [a-z0-9-]+ ) (?P<options> (?: \+ [a-z]+ )* ) )?
        (?: \s* \[ (?P<line> [^\]]* ) \] )?""", re.VERBOSE)


class DescriptionError(ValueError):
    """The description says nothing that can be built; the message says where and why."""


@dataclasses.dataclass(frozen=True)
class MachineDescription:
    name: str
    kind: str
    options: tuple = ()
    line: Line | None = None

    @property
    def switches(self):
        """The options as keyword arguments of the function behind the kind."""
        return dict.fromkeys(self.options, True)


@dataclasses.dataclass(frozen=True)
class Site:
    """`hosts` behind `routers`, the outermost first; without routers, on the internet."""

    routers: tuple
    hosts: tuple


def parse(description):
    """The sites of a description, in its order."""
    sites = [_site(part) for part in description.split("|")]
    names = [machine.name for site in sites for machine in (*site.routers, *site.hosts)]
    for name in names:
        if names.count(name) > 1:
            raise DescriptionError(f"there are two machines {name!r} in {description!r}")
    return sites


def _site(text):
    *routers, hosts = text.split(">")
    site = Site(
        tuple(_machine(router, "router", ROUTERS, _DEFAULT_ROUTER) for router in routers),
        tuple(_machine(host, "host", HOSTS, _DEFAULT_HOST) for host in hosts.split(",")),
    )
    if site.routers:
        for host in site.hosts:
            if host.kind == "ipv6-only":
                raise DescriptionError(f"host {host.name!r} cannot be ipv6-only: a LAN has IPv4 alone")
    return site


def _machine(text, role, kinds, default):
    match = _MACHINE.fullmatch(text.strip())
    if not match:
        raise DescriptionError(f"{text.strip()!r} is no {role}: write name, name:kind, name:kind+option or "
                               f"name:kind [delay=30ms rate=1gbit]")
    name, kind = match["name"], match["kind"] or default
    if kind not in kinds:
        raise DescriptionError(f"{role} {name!r} cannot be {kind!r}: a {role} is {', '.join(kinds)}")
    options = tuple((match["options"] or "").split("+")[1:])
    for option in options:
        _check_option(option, f"{role} {name!r}", kind, kinds[kind])
    try:
        line = None if match["line"] is None else Line.parse(match["line"])
    except ValueError as error:
        raise DescriptionError(f"{role} {name!r}: {error}") from error
    return MachineDescription(name, kind, options, line)


def _check_option(option, who, kind, rules):
    known = [name for name, one in inspect.signature(rules).parameters.items()
             if one.default is False] if rules else []
    if option not in known:
        raise DescriptionError(f"{who} has no option {option!r}: {kind} has {', '.join(known) or 'none'}")
