"""The results of a run of the transport test, as a table."""

TITLE = "transport test: handshake plus one round trip, and ping, in ms"
WIDTH = 18


def lines(cells):
    """`cells` are what tests recorded: dialer, listener, secure_channel, and the two times."""
    if not cells:
        return []
    channels = sorted({cell["secure_channel"] for cell in cells})
    rows = {}
    for cell in cells:
        times = f"{cell['handshake_plus_one_rtt_ms']:.3f} {cell['ping_rtt_ms']:8.3f}"
        rows.setdefault((cell["dialer"], cell["listener"]), {})[cell["secure_channel"]] = times
    head = f"{'dialer':8}{'listener':8}" + "".join(f"{channel:>{WIDTH}}" for channel in channels)
    return [TITLE, head] + [
        f"{dialer:8}{listener:8}" + "".join(f"{row.get(channel, '–'):>{WIDTH}}" for channel in channels)
        for (dialer, listener), row in rows.items()
    ]
