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
