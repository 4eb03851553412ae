"""What hole punching does, by plain sockets: two hosts learn how the world sees them, and call each
other at the same time, each from the port that the other was told of. Both listen there, too.
"""

import asyncio
import contextlib
import itertools
import socket

from .reflector import ask

GREETING_BYTES = 16
# How often datagrams are sent, and a TCP port that refused is called again.
_AGAIN_S = 0.1
_LEARNING_S = 1
_numbers = itertools.count(1)


async def meet(kind, first, second, reflector, port, within=3):
    """Whether a greeting gets through both ways, over `kind` (socket.SOCK_STREAM or SOCK_DGRAM)."""
    ipv6 = None in (first.address, second.address)
    if ipv6 and None in (first.address6, second.address6):
        return False
    make = _TcpSide if kind == socket.SOCK_STREAM else _UdpSide
    greeting = f"greeting {next(_numbers)}".ljust(GREETING_BYTES).encode()
    with contextlib.ExitStack() as sockets:
        sides = [make(host, port, ipv6, greeting, sockets) for host in (first, second)]
        try:
            outer = await asyncio.gather(*(side.learn(reflector.endpoint(ipv6)) for side in sides))
            await asyncio.wait_for(
                asyncio.gather(*(side.meet(there) for side, there in zip(sides, reversed(outer)))), within)
            return True
        except TimeoutError:
            return False


class _Side:
    def __init__(self, host, port, ipv6, greeting, sockets):
        self._host, self._port, self._ipv6 = host, port, ipv6
        self._greeting, self._sockets = greeting, sockets

    def _open(self, kind):
        """A socket on the side's port, which several can share; closed when all is over."""
        with self._host.entered():
            made = socket.socket(socket.AF_INET6 if self._ipv6 else socket.AF_INET, kind)
        self._sockets.enter_context(made)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("::" if self._ipv6 else "0.0.0.0", self._port))
        made.setblocking(False)
        return made

    @staticmethod
    async def _ask(opened, reflector_endpoint):
        opened.settimeout(_LEARNING_S)
        seen = await asyncio.to_thread(ask, opened, reflector_endpoint)
        opened.setblocking(False)
        return seen


class _TcpSide(_Side):
    async def learn(self, reflector_endpoint):
        self._listener = self._open(socket.SOCK_STREAM)
        self._listener.listen()
        return await self._ask(self._open(socket.SOCK_STREAM), reflector_endpoint)

    async def meet(self, there):
        calling, listening = (asyncio.create_task(what) for what in (self._call(there), self._listen()))
        try:
            await asyncio.wait((calling, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            calling.cancel()
            listening.cancel()

    async def _call(self, there):
        while True:
            # Refused, or the other's call is being accepted already.
            with contextlib.suppress(OSError):
                caller = self._open(socket.SOCK_STREAM)
                await asyncio.get_running_loop().sock_connect(caller, there)
                if await self._greeted(caller):
                    return
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self):
        while True:
            caller, _ = await asyncio.get_running_loop().sock_accept(self._listener)
            self._sockets.enter_context(caller)
            if await self._greeted(caller):
                return

    async def _greeted(self, connection):
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, self._greeting)
        return await loop.sock_recv(connection, GREETING_BYTES) == self._greeting


class _UdpSide(_Side):
    async def learn(self, reflector_endpoint):
        self._socket = self._open(socket.SOCK_DGRAM)
        return await self._ask(self._socket, reflector_endpoint)

    async def meet(self, there):
        sending = asyncio.create_task(self._send(there))
        try:
            await self._receive()
        finally:
            sending.cancel()

    async def _send(self, there):
        while True:
            self._socket.sendto(self._greeting, there)
            await asyncio.sleep(_AGAIN_S)

    async def _receive(self):
        """Where a greeting really came from is where the answer goes."""
        while True:
            data, sender = await asyncio.get_running_loop().sock_recvfrom(self._socket, GREETING_BYTES)
            if data == self._greeting:
                self._socket.sendto(self._greeting, sender)
                return
