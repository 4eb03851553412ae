"""One network namespace: a machine on its own, as far as the network is concerned.

Its files are the machine's, except for those that were replaced.
"""

import contextlib
import itertools
import json
import os
import pathlib
import subprocess
import tempfile

from . import isolation


_numbers = itertools.count(1)
# Puts files (first of each pair) in the places of others, and runs what stands behind "--".
_WITH_FILES = 'while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"'


class Namespace:
    """A network namespace with loopback up. Close it after the processes in it have ended.

    Several may have the same name at once; `ip netns` knows each by its `label`.
    """

    def __init__(self, name):
        isolation.enter()
        self.name = name
        self.label = f"{name}-{next(_numbers)}"
        self.handle = f"/run/netns/{self.label}"
        self._files = {}
        self._folder = None
        isolation.run("ip", "netns", "add", self.label)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        return isolation.run("ip", "-n", self.label, *arguments)

    def hardware_address(self, interface):
        return json.loads(self.ip("-json", "link", "show", "dev", interface))[0]["address"]

    def sysctl(self, key, value):
        self.run(["sysctl", "-qw", f"{key}={value}"])

    def load_ruleset(self, ruleset):
        """Replaces the namespace's nftables rules."""
        self.run(["nft", "-f", "-"], input=f"flush ruleset\n{ruleset}")

    def replace_file(self, path, text):
        """Processes started inside from now on read `text` in the file `path`, which must exist."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="lab-")
        copy = pathlib.Path(self._folder.name, str(len(self._files)))
        copy.write_text(text)
        self._files[path] = str(copy)

    def command(self, argv):
        """The argv that runs `argv` inside; the process keeps its id."""
        inside = ["nsenter", f"--net={self.handle}", "--"]
        if self._files:
            inside += ["unshare", "--mount", "--", "sh", "-ec", _WITH_FILES, "sh"]
            for path, copy in self._files.items():
                inside += [copy, path]
            inside.append("--")
        return [*inside, *map(str, argv)]

    def popen(self, argv, **options):
        return subprocess.Popen(self.command(argv), **options)

    def run(self, argv, *, check=True, timeout=60, **options):
        """Runs a command inside to its end, its output captured as text."""
        if "input" not in options:
            options["stdin"] = subprocess.DEVNULL
        done = subprocess.run(
            self.command(argv), capture_output=True, text=True, timeout=timeout, check=False, **options
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, argv))}: {done.stderr.strip()}")
        return done

    @contextlib.contextmanager
    def entered(self):
        """Sockets that the calling thread makes meanwhile belong to this namespace, and stay there."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        inside = os.open(self.handle, os.O_RDONLY | os.O_CLOEXEC)
        try:
            isolation.set_network(inside)
            yield
        finally:
            isolation.set_network(before)
            os.close(inside)
            os.close(before)

    def close(self):
        isolation.run("ip", "netns", "del", self.label)
        if self._folder is not None:
            self._folder.cleanup()
