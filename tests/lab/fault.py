"""What breaks in networks without a word: nothing is refused, nothing is reset."""

_SILENCE = """
    table inet silence {
        chain input { type filter hook input priority filter; iifname "eth0" drop; }
        chain output { type filter hook output priority filter; oifname "eth0" drop; }
    }
"""


def silence(host):
    """Every packet to and from the host is lost from here on; it may still talk to itself."""
    host.load_ruleset(_SILENCE)


def mend(host):
    """Packets get through again."""
    host.load_ruleset("")


def part(router, *others):
    """Packets between the router's network and the other machines are lost; all else gets through."""
    others = ", ".join(other.address for other in others)
    router.run(["nft", "-f", "-"], input=f"""
        table ip parting {{
            chain forward {{
                type filter hook forward priority -300
                ip daddr {{ {others} }} drop
                ip saddr {{ {others} }} drop
            }}
        }}
    """)


def rejoin(router):
    """Undoes part()."""
    router.run(["nft", "delete", "table", "ip", "parting"])
