"""Servers that run inside a host's namespace, as threads of the test's own process."""

import functools
import http.server
import socket
import threading


class Service:
    """Hands each connection to `handle(connection)` in a thread of its own, and closes it after.

    `address` is (host, port) or the path of a Unix socket. What handlers return is kept in order of
    their end: `result()` waits for the next one. An OSError that ends a handler is its result.
    """

    def __init__(self, namespace, address, handle):
        self._handle = handle
        self._results = []
        self._changed = threading.Condition()
        self._listener = listen(namespace, address)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def result(self, timeout=20):
        with self._changed:
            if not self._changed.wait_for(lambda: self._results, timeout):
                raise TimeoutError("no connection came to its end at the service")
            return self._results.pop(0)

    def close(self):
        """Refuses further connections; open ones are left to their handlers."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(30)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                result = self._handle(connection)
            except OSError as error:
                result = error
        with self._changed:
            self._results.append(result)
            self._changed.notify_all()


def listen(namespace, address):
    with namespace.entered():
        if isinstance(address, str):
            listener = socket.socket(socket.AF_UNIX)
        else:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(1024)
    return listener


class FileServer:
    """Serves a directory over HTTP on a host's (address, port), until closed."""

    def __init__(self, namespace, address, directory):
        handler = functools.partial(_QuietHandler, directory=str(directory))
        self._server = http.server.ThreadingHTTPServer(address, handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listen(namespace, address)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def echo(connection):
    """Sends back what comes until the visitor's end; returns how many bytes that was."""
    total = 0
    while data := connection.recv(65536):
        connection.sendall(data)
        total += len(data)
    return total


def receive_all(connection):
    """Everything up to the other side's end."""
    parts = []
    while data := connection.recv(65536):
        parts.append(data)
    return b"".join(parts)


def connect(namespace, address, timeout=20):
    """A connection from inside a host."""
    with namespace.entered():
        return socket.create_connection(address, timeout)
