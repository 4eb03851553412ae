"""A DNS server inside a host's namespace, as a thread of the test's own process."""

import socket
import struct
import threading

TYPES = {"A": 1, "TXT": 16}
PORT = 53
_NO_SUCH_NAME = 3


class DnsServer:
    """Answers on UDP port 53 from `records`: {(name, "A" or "TXT"): [value, …]}.

    With None instead of records it hears every question and answers none. `questions` holds the
    names asked for so far.
    """

    def __init__(self, namespace, records):
        self.questions = []
        self._records = records
        with namespace.entered():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("0.0.0.0", PORT))
        self._socket.settimeout(0.1)  # a blocked recvfrom() would not notice the end
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._closing = True
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while not self._closing:
            try:
                question, asker = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            name, kind = _parse(question)
            self.questions.append(name)
            if self._records is not None:
                self._socket.sendto(self._answer(question, name, kind), asker)

    def _answer(self, question, name, kind):
        values = self._records.get((name, kind), [])
        known = any(of == name for of, _ in self._records)
        flags = 0x8180 | (0 if known else _NO_SUCH_NAME)
        header = question[:2] + struct.pack("!5H", flags, 1, len(values), 0, 0)
        return header + question[12:] + b"".join(_record(kind, value) for value in values)


def _parse(question):
    labels, at = [], 12
    while size := question[at]:
        labels.append(question[at + 1:at + 1 + size].decode())
        at += 1 + size
    number = struct.unpack_from("!H", question, at + 1)[0]
    kind = next((name for name, code in TYPES.items() if code == number), None)
    return ".".join(labels), kind


def _record(kind, value):
    """A resource record whose name is that of the question."""
    if kind == "A":
        data = socket.inet_aton(value)
    else:
        data = bytes([len(value)]) + value.encode()
    return struct.pack("!3HIH", 0xC00C, TYPES[kind], 1, 60, len(data)) + data
