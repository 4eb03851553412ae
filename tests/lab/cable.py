"""What connects two namespaces: an interface at each end.

A `Wire` is as good as none; a `Link` is like a given `Line`. Both can be cut, upon which the machine's
interface has no carrier, as if its plug was pulled: addresses and routes stay. Cutting and restoring
return when the kernel has taken notice.
"""

import json
import os
import pathlib
import subprocess

from . import tap
from .node import wait_until

_ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Wire:
    """A pair of virtual Ethernet devices. The far end goes down when it is cut, so has no routes."""

    def __init__(self, near, near_name, far, far_name):
        near.ip("link", "add", "name", near_name, "type", "veth",
                "peer", "name", far_name, "netns", far.label)
        near.ip("link", "set", near_name, "up")
        far.ip("link", "set", far_name, "up")
        self._near, self._near_name = near, near_name
        self._far, self._far_name = far, far_name

    def cut(self):
        self._far.ip("link", "set", self._far_name, "down")
        _wait_for_state(self._near, self._near_name, "DOWN")

    def restore(self):
        self._far.ip("link", "set", self._far_name, "up")
        _wait_for_state(self._near, self._near_name, "UP")
        _wait_for_state(self._far, self._far_name, "UP")

    def close(self):
        """The devices end with their namespaces."""


class Link:
    """Two TAP devices with the link emulator between them."""

    def __init__(self, near, near_name, far, far_name, line):
        program = emulator()
        self._ends = ((near, near_name), (far, far_name))
        self._files, self._process = [], None
        try:
            for namespace, name in self._ends:
                self._files.append(tap.create(namespace, name, line.mtu, line.in_bulk))
                namespace.ip("link", "set", name, "up")
            self._process = subprocess.Popen(
                [program, *map(str, self._files), *_options(line)], pass_fds=self._files,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True,
            )
        except BaseException:
            self.close()
            raise

    def cut(self):
        self._tell(b"-")
        self._set_carrier(False, "DOWN")

    def restore(self):
        self._set_carrier(True, "UP")
        self._tell(b"+")

    def processor_seconds(self):
        """What the emulator has used so far."""
        fields = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        while self._files:
            os.close(self._files.pop())
        if self._process is None:
            return
        self._process.stdin.close()
        self._process.stdout.close()
        if status := self._process.wait(10):
            raise RuntimeError(f"the link emulator ended with {status}")

    def _tell(self, command):
        self._process.stdin.write(command)
        if self._process.stdout.read(1) != command:
            raise RuntimeError("the link emulator has ended")

    def _set_carrier(self, present, state):
        for file in self._files:
            tap.set_carrier(file, present)
        for namespace, name in self._ends:
            _wait_for_state(namespace, name, state)


def emulator():
    """The program of tests/lab/emulator: $LINK_EMULATOR, or what scripts/test builds."""
    path = pathlib.Path(os.environ.get("LINK_EMULATOR", _ROOT / "build" / "dev" / "link-emulator"))
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built: run scripts/build dev link-emulator")
    return path


def _wait_for_state(namespace, interface, state):
    def reached():
        shown = namespace.ip("-json", "link", "show", "dev", interface)
        return json.loads(shown)[0]["operstate"] == state

    wait_until(reached, 5, f"{interface} of {namespace.name} being {state}")


def _options(line):
    return ["--delay-ns", str(round(line.delay_s * 1e9)), "--jitter-ns", str(round(line.jitter_s * 1e9)),
            "--loss", str(line.loss), "--rate", str(line.bits_per_second),
            "--queue", str(line.queue_bytes), "--mtu", str(line.mtu), "--seed", str(line.seed)]
