"""Two nodes of one network, and rules between them."""

import itertools

from lab.node import wait_until

NETWORK = "home"
NETWORK_PASSWORD = "correct horse battery"
ADMIN = "admin"
PUBLIC_PASSWORD = "public node secret"
PRIVATE_PASSWORD = "private node secret"
# The example of the libp2p peer id specification: a peer that is not here.
SOMEBODY_ELSE = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"


def network_flag():
    return ["-dnc", f"{NETWORK}:{NETWORK_PASSWORD}"]


def found(node, *flags, password=PUBLIC_PASSWORD):
    """Starts a node that founds the network, and logs in on it."""
    node.start(*network_flag(), "-rc", f"{ADMIN}:{password}", *flags)
    status, screen = node.login(ADMIN, password)
    assert status == 0, screen
    return node


def join(node, bootstrap, *flags, password=PRIVATE_PASSWORD):
    """Starts a node that joins the network by a bootstrap string, and logs in on it."""
    node.start(*network_flag(), "-rc", f"{ADMIN}:{password}", "-bs", bootstrap, *flags)
    status, screen = node.login(ADMIN, password)
    assert status == 0, screen
    return node


def wait_connected(*nodes, timeout=15):
    """Waits until each of the nodes sees all of them online."""
    everyone = {node.peer_id for node in nodes}
    for node in nodes:
        wait_until(lambda n=node: everyone <= n.online(), timeout, f"{node.name} meeting the others")


def egress(node, peer_id, port, *more):
    """`port` on the node's loopback leads to the same port of a peer; gives what the client printed."""
    return node.client_json(
        "proxy", "--direction", "egress", "--traffic-origin", f"{node.peer_id}:{port}",
        "--traffic-target", f"{peer_id}:{port}", "--kind", "tcp", *more,
    )


def ingress(node, peer_id, port, *more):
    """Lets tunnels from a peer, meant for `port`, out to the node's own `port`."""
    return node.client_json(
        "proxy", "--direction", "ingress", "--traffic-origin", f"{peer_id}:{port}",
        "--traffic-target", f"{node.peer_id}:{port}", "--kind", "tcp", *more,
    )


def forward(near, far, port):
    """A port of `near` leads to the same port of `far`."""
    ingress(far, near.peer_id, port)
    egress(near, far.peer_id, port)


def path_of(node, member):
    """How the node reaches a member now, as `client nodes -ls` says it."""
    return next(row["path"] for row in node.members() if row["peer_id"] == member.peer_id)


def rule_of(node, direction, port):
    """The node's rule of that direction and port."""
    return next(r for r in node.rules() if r["direction"] == direction and r["port"] == port)


def wait_reason(node, direction, port, code, timeout=10):
    """Waits until a rule is down for the reason `code`, and gives that reason."""

    def reason():
        rule = rule_of(node, direction, port)
        if rule["state"] == "down" and rule["reason"] and rule["reason"]["code"] == code:
            return rule["reason"]
        return None

    return wait_until(reason, timeout, f"the {direction} rule's state {code}")


class Pair:
    """A public node and a private one behind NAT."""

    def __init__(self, public, private):
        self.public = public
        self.private = private
        self._ports = itertools.count(8000)

    def join(self):
        found(self.public)
        join(self.private, self.public.bootstrap)
        wait_connected(self.public, self.private)

    def forward(self, *ingress_options, bind=None):
        """A fresh port of the public node that leads to the same port of the private one."""
        port = next(self._ports)
        ingress(self.private, self.public.peer_id, port, *ingress_options)
        egress(self.public, self.private.peer_id, port, *(["--bind", bind] if bind else []))
        return port
