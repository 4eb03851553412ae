"""A mirror on the network, as STUN servers are: tells visitors how the world sees them."""

import ipaddress
import selectors
import socket
import threading

TEXT_BYTES = 64


class Reflector:
    """Answers each UDP datagram and each TCP connection to `port` with the sender's endpoint.

    `seen` holds the endpoints of datagrams in the order in which they came.
    """

    def __init__(self, namespace, port):
        self.port = port
        self.seen = []
        self._namespace = namespace
        self._selector = selectors.DefaultSelector()
        with namespace.entered():
            datagrams = _bound(socket.SOCK_DGRAM, port)
            connections = _bound(socket.SOCK_STREAM, port)
        connections.listen(64)
        self._selector.register(datagrams, selectors.EVENT_READ, self._answer)
        self._selector.register(connections, selectors.EVENT_READ, self._accept)
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def endpoint(self, ipv6=False):
        """Where visitors find it."""
        return self._namespace.address6 if ipv6 else self._namespace.address, self.port

    def close(self):
        self._closing = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def _serve(self):
        while not self._closing:
            for key, _ in self._selector.select(0.02):
                key.data(key.fileobj)

    def _answer(self, datagrams):
        _, sender = datagrams.recvfrom(TEXT_BYTES)
        self.seen.append(_endpoint(sender))
        datagrams.sendto(_text(sender), sender)

    def _accept(self, connections):
        connection, visitor = connections.accept()
        with connection:
            connection.sendall(_text(visitor))


def ask(open_socket, reflector_endpoint):
    """How a reflector sees a bound UDP socket, or a TCP one, which gets connected: (address, port)."""
    if open_socket.type == socket.SOCK_DGRAM:
        open_socket.sendto(b"?", reflector_endpoint)
    else:
        open_socket.connect(reflector_endpoint)
    address, port = open_socket.recv(TEXT_BYTES).decode().split()
    return address, int(port)


def _bound(kind, port):
    made = socket.socket(socket.AF_INET6, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    made.bind(("::", port))
    return made


def _endpoint(address):
    """IPv4 addresses come mapped into IPv6 ones."""
    host = ipaddress.ip_address(address[0])
    return str(host.ipv4_mapped or host), address[1]


def _text(address):
    return "{} {}".format(*_endpoint(address)).encode()
