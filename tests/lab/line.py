"""What a link is like, in both directions: numbers with units, as people write them."""

import dataclasses
import re

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1}
_BITS = {"kbit": 1e3, "mbit": 1e6, "gbit": 1e9}
_BYTES = {"b": 1, "kb": 1e3, "mb": 1e6}
# A queue that is not given holds what is under way in one round trip, and at least what comes in so
# many seconds, or so many bytes.
_LEAST_QUEUE_S = 0.01
_LEAST_QUEUE = 64_000
# At this rate, 64 KiB take 5 ms.
_BULK_BITS = 100e6
# IPv6 needs the least; Ethernet's header fits before the most.
_MTU = range(1280, 65522)


@dataclasses.dataclass(frozen=True)
class Line:
    """Packets never overtake each other, and what does not fit into the queue is dropped.

    `delay` is one way, `jitter` is added to it or taken from it evenly, `loss` is the share of IP
    packets that vanish, each by itself. `rate` counts Ethernet frames; None is no bound. `queue` is
    what may wait to be sent. The same `seed` loses the same packets of the same traffic.
    """

    delay: str = "0ms"
    jitter: str = "0ms"
    loss: float = 0.0
    rate: str | None = None
    queue: str | None = None
    mtu: int = 1500
    seed: int = 1

    def __post_init__(self):
        if self.jitter_s > self.delay_s:
            raise ValueError(f"a jitter of {self.jitter} is more than the delay of {self.delay}")
        if not 0 <= self.loss <= 1:
            raise ValueError(f"a loss of {self.loss} is not between 0 and 1")
        if self.mtu not in _MTU:
            raise ValueError(f"an MTU of {self.mtu} is not between {_MTU[0]} and {_MTU[-1]}")
        self.bits_per_second, self.queue_bytes  # complain now

    @classmethod
    def parse(cls, text):
        """From words such as "delay=30ms rate=1gbit loss=0.01"."""
        known = {field.name: type(field.default) for field in dataclasses.fields(cls)}
        values = {}
        for word in text.split():
            name, equals, value = word.partition("=")
            if not equals or name not in known:
                raise ValueError(f"{word!r} says nothing about a line; it may have {', '.join(known)}")
            values[name] = {float: float, int: int}.get(known[name], str)(value)
        return cls(**values)

    @property
    def delay_s(self):
        return _number(self.delay, _SECONDS)

    @property
    def jitter_s(self):
        return _number(self.jitter, _SECONDS)

    @property
    def bits_per_second(self):
        """0 is no bound."""
        return 0 if self.rate is None else _number(self.rate, _BITS)

    @property
    def queue_bytes(self):
        if self.queue is not None:
            return round(_number(self.queue, _BYTES))
        seconds = max(_LEAST_QUEUE_S, 2 * self.delay_s)
        return max(_LEAST_QUEUE, round(self.bits_per_second / 8 * seconds))


    @property
    def in_bulk(self):
        """Whether up to 64 KiB of a TCP connection may share one fate, which spares the processor much.

        Only where nobody can tell: nothing is lost by chance, and the 64 KiB take but milliseconds.
        """
        return self.loss == 0 and (self.rate is None or self.bits_per_second >= _BULK_BITS)


def _number(text, units):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([a-z]+)", text)
    if not match or match[2] not in units:
        raise ValueError(f"{text!r} is no number with one of the units {', '.join(units)}")
    return float(match[1]) * units[match[2]]
