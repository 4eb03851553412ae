"""A node behind NAT learns from the others under which address it is seen, and tells it."""

import base64
import json

from lab.node import wait_until
from overlay import found, join, wait_connected


def announced(node):
    """The addresses of a node's own bootstrap string."""
    return json.loads(base64.b64decode(node.bootstrap))["connect_multiadress"]


def test_what_two_members_see_is_told_to_all(lab, make_node):
    first = found(make_node("first", lab.public_host("first")))
    router = lab.router("router")
    private = join(make_node("private", lab.private_host("private", behind=router)), first.bootstrap)
    wait_connected(first, private)
    outside = f"/ip4/{router.address}/tcp/"
    assert outside not in str(announced(private)), "one member alone is not enough"
    second = join(make_node("second", lab.public_host("second")), first.bootstrap)
    wait_connected(first, second, private)
    wait_until(lambda: announced(private)[0].startswith(outside), 10, "learning the outer address")
    for member in (first, second):
        wait_until(lambda m=member: outside in str(row_of(m, private)), 15, f"{member.name} being told")


def row_of(node, member):
    return next(row for row in node.members() if row["peer_id"] == member.peer_id)
