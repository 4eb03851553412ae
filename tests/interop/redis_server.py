"""A Redis server for the transport test."""

import subprocess
import tempfile

from lab.node import wait_until

# The whole network namespace is the test's own.
PORT = 6379
STARTS_WITHIN_S = 20


class RedisServer:
    """Runs on a laboratory's host until it is closed, and keeps nothing on disk."""

    def __init__(self, host):
        self.host = host
        self.address = f"{host.address}:{PORT}"
        self._log = tempfile.TemporaryFile("w+", errors="replace")
        self._directory = tempfile.TemporaryDirectory()
        self._process = host.popen(
            ["redis-server", "--bind", host.address, "--port", PORT, "--protected-mode", "no",
             "--save", "", "--appendonly", "no", "--daemonize", "no"],
            cwd=self._directory.name, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )
        try:
            wait_until(self._answers, STARTS_WITHIN_S, "start of redis-server")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, *command):
        """The lines of the answer to a command."""
        return self._ask(*command, check=True).stdout.splitlines()

    def close(self):
        self._process.kill()
        self._process.wait()
        self._directory.cleanup()

    def _answers(self):
        if self._process.poll() is not None:
            self._log.seek(0)
            raise RuntimeError(f"redis-server ended (scripts/setup test installs it):\n{self._log.read()}")
        return self._ask("PING", check=False).stdout == "PONG\n"

    def _ask(self, *command, check):
        return self.host.run(["redis-cli", "-h", self.host.address, "-p", PORT, *command], check=check)
