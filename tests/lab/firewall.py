"""What hosts themselves let in: nftables rulesets for machines whose address is their own."""


def stateful(refuse=False):
    """Nothing comes in that was not asked for, over IPv4 and IPv6; `refuse` answers TCP with RST."""
    refusal = "meta l4proto tcp reject with tcp reset" if refuse else ""
    # Over IPv6, neighbours find each other by ICMP; conntrack does not track that.
    return f"""
        table inet filter {{
            chain input {{
                type filter hook input priority filter; policy drop
                iifname "lo" accept
                ct state established, related accept
                icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert }} accept
                {refusal}
            }}
        }}
    """
