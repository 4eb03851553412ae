"""Kinds of NAT. Each is a function from a router's outer interface to an nftables ruleset."""


def masquerade(outer):
    """What most home routers do: source NAT, and nothing comes in that was not asked for.

    The kernel keeps the source port where it is free and gives each destination its own mapping
    otherwise, so a peer's view of the port holds for that peer only.
    """
    return f"""
        table ip nat {{
            chain postrouting {{
                type nat hook postrouting priority srcnat;
                oifname "{outer}" masquerade
            }}
        }}
        table inet filter {{
            chain forward {{
                type filter hook forward priority filter; policy drop;
                ct state established,related accept
                iifname != "{outer}" accept
            }}
            chain input {{
                type filter hook input priority filter; policy accept;
                iifname "{outer}" ct state new drop
            }}
        }}
    """
