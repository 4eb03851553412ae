"""Kinds of NAT. Each is a function from a router's outer interface to an nftables ruleset.

    kind              one inner port is seen as     who may send to it
    full_cone         one outer port                everybody
    port_restricted   one outer port                the addresses and ports that it has sent to
    symmetric         another one by destination    the same
    udp_blocked       as port_restricted, but UDP leaves for DNS only
    only_443          as port_restricted, but nothing leaves except TCP to port 443, and DNS

All take these options:

    refuse            a SYN that nobody asked for is answered with RST instead of being dropped
    shift             (the first two) inner and outer ports differ; otherwise the outer port is the
                      inner one where that is free

They are the kernel's own: Linux has no notion of a mapping apart from the connections that use it. So
two hosts of one LAN that send from the same port to *different* destinations are both seen with that
port, as no NAT should; to the same destination, the second is given another.
"""

_WITH_PORTS = "meta l4proto { tcp, udp }"
_DNS = f"{_WITH_PORTS} th dport 53"
# One bit tells inner and outer ports apart when they are to differ.
_SHIFTED = "^ 0x2000"


def full_cone(outer, refuse=False, shift=False, hairpin=False):
    """A mapping lasts five minutes after the last packet out, and is the host's that made it first.

    With `hairpin`, hosts of the LAN reach each other by their outer addresses, and are seen by them.
    """
    outer_port = f"th sport {_SHIFTED if shift else ''}"
    mapping = f"meta l4proto . {outer_port} : ip saddr . th sport"
    entering = "fib daddr type local" if hairpin else f'iifname "{outer}"'
    leaving = f'iifname != "{outer}" oifname "{outer}"'
    turning = f'iifname != "{outer}" oifname != "{outer}" ct status dnat'
    mappings = f"""
        table ip nat {{
            map mappings {{
                type inet_proto . inet_service : ipv4_addr . inet_service
                flags dynamic, timeout
                timeout 5m
                size 65535
            }}
            chain remembering {{
                type filter hook forward priority filter
                {leaving} {_WITH_PORTS} update @mappings {{ {mapping} }}
            }}
            chain prerouting {{
                type nat hook prerouting priority dstnat
                {entering} dnat ip to meta l4proto . th dport map @mappings
            }}
            chain postrouting {{
                type nat hook postrouting priority srcnat
                {turning} {_WITH_PORTS} snat to ct original ip daddr:{outer_port}
            }}
        }}
    """
    return mappings + _translation(outer, _outer_port(shift)) + _filter(outer, refuse)


def port_restricted(outer, refuse=False, shift=False):
    """What most home routers do: source NAT, and nothing comes in that was not asked for."""
    return _translation(outer, _outer_port(shift)) + _filter(outer, refuse)


def symmetric(outer, refuse=False):
    """Outer ports are drawn at random for each connection."""
    return _translation(outer, "fully-random") + _filter(outer, refuse)


def udp_blocked(outer, refuse=False):
    """Networks where UDP is thought of as an attack."""
    return _translation(outer) + _filter(outer, refuse, leaves=("meta l4proto != udp", _DNS))


def only_443(outer, refuse=False):
    """Networks that are there for the web; packets to anything else vanish."""
    return _translation(outer) + _filter(outer, refuse, leaves=("tcp dport 443", _DNS))


def _outer_port(shift):
    return f"to :th sport {_SHIFTED}" if shift else ""


def _translation(outer, how=""):
    ports = f'oifname "{outer}" {_WITH_PORTS} masquerade {how}' if how else ""
    return f"""
        table ip nat {{
            chain postrouting {{
                type nat hook postrouting priority srcnat
                {ports}
                oifname "{outer}" masquerade
            }}
        }}
    """


def _filter(outer, refuse, leaves=("",)):
    """Lets out what matches any of `leaves`, and in what belongs to that or has a mapping."""
    refusal = f'iifname "{outer}" meta l4proto tcp ct state new reject with tcp reset' if refuse else ""
    rules = "\n".join(f'iifname != "{outer}" {match} accept' for match in leaves)
    return f"""
        table inet filter {{
            chain forward {{
                type filter hook forward priority filter; policy drop
                tcp flags syn tcp option maxseg size set rt mtu
                ct state established, related accept
                ct status dnat accept
                {rules}
            }}
            chain input {{
                type filter hook input priority filter; policy accept
                {refusal}
                iifname "{outer}" ct state {{ new, invalid }} drop
            }}
        }}
    """


def port_mapping(outer):
    """As `port_restricted`, with the chains in which miniupnpd lets connections in (see miniupnpd.py)."""
    return f"""
        table inet filter {{
            chain miniupnpd {{ }}
            chain prerouting_miniupnpd {{ }}
            chain postrouting_miniupnpd {{ }}
            chain prerouting {{
                type nat hook prerouting priority dstnat;
                jump prerouting_miniupnpd
            }}
            chain postrouting {{
                type nat hook postrouting priority srcnat;
                jump postrouting_miniupnpd
                oifname "{outer}" masquerade
            }}
            chain forward {{
                type filter hook forward priority filter; policy drop;
                ct state established,related accept
                iifname != "{outer}" accept
                jump miniupnpd
            }}
            chain input {{
                type filter hook input priority filter; policy accept;
                iifname "{outer}" ct state new drop
            }}
        }}
    """
