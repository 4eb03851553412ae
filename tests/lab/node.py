"""Real open-chat nodes, and the command-line client that talks to them."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import time

from .terminal import Terminal

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
API_PORT = 1984
_READY = re.compile(r"\bready\b\s*$", re.MULTILINE)


def binary():
    """The program under test: $OPEN_CHAT_BINARY, or what `make test` builds."""
    path = pathlib.Path(os.environ.get("OPEN_CHAT_BINARY", ROOT / "build" / "dev" / "open-chat"))
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built: run make test, or set OPEN_CHAT_BINARY")
    return path


def wait_until(condition, timeout, what, every=0.05):
    """Polls until `condition()` is truthy and gives that value; TimeoutError names `what`."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} took more than {timeout} s")
        time.sleep(every)
    return value


class Node:
    """One node: its own data, state and log below `directory`, inside `host` (None: this machine).

    Outlives its process: it can be killed and started again on the same data.
    """

    def __init__(self, name, directory, host=None, api_port=API_PORT):
        self.name = name
        self.directory = pathlib.Path(directory) / name
        self.host = host
        self.api_port = api_port
        self.process = None
        self._identity = None
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log_file = self.directory / "log"
        self.output_file = self.directory / "output"

    # The daemon

    def start(self, *flags, wait=True, timeout=20):
        """Starts the node; its log and output begin anew. Waits until it says that it is ready."""
        with open(self.log_file, "wb") as log, open(self.output_file, "wb") as output:
            self.process = subprocess.Popen(
                self.command(binary(), *flags),
                stdin=subprocess.DEVNULL, stdout=output, stderr=log, env=self.environment(),
                start_new_session=True,
            )
        if wait:
            self.wait_ready(timeout)
        return self

    def wait_ready(self, timeout=20, every=0.01):
        def ready_or_gone():
            return _READY.search(self.log) or self.process.poll() is not None

        wait_until(ready_or_gone, timeout, f"start of node {self.name}", every)
        if self.process.poll() is not None:
            raise RuntimeError(f"node {self.name} ended with {self.process.returncode}:\n{self.log}")

    def kill(self):
        """As a power cut does it: nothing is saved, nobody is told."""
        self.end(signal.SIGKILL)

    def end(self, how=signal.SIGTERM, timeout=20):
        """Sends a signal, waits for the end, and gives the exit status; None if it did not run."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process = None

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    @property
    def log(self):
        return self.log_file.read_text(errors="replace")

    @property
    def output(self):
        return self.output_file.read_text(errors="replace")

    # The client

    def client(self, *arguments, check=True, timeout=60):
        """Runs `open-chat client …` beside the node; its output is captured as text."""
        done = subprocess.run(
            self.client_command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=timeout, env=self.environment(),
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"client {' '.join(map(str, arguments))}: {done.stderr}{done.stdout}")
        return done

    def client_command(self, *arguments):
        url = [] if self.api_port == API_PORT else ["--host", f"http://localhost:{self.api_port}"]
        return self.command(binary(), "client", *arguments, *url)

    def client_json(self, *arguments):
        return json.loads(self.client(*arguments, "--json").stdout)

    def login(self, user, password):
        """`client login` as a person does it; gives the terminal's exit status and screen."""
        terminal = Terminal(self.client_command("login"), env=self.environment())
        terminal.answer("name:", user)
        terminal.answer("password:", password)
        return terminal.finish(), terminal.screen

    @property
    def bootstrap(self):
        return self.client("identity", "-b64").stdout.strip()

    @property
    def peer_id(self):
        if self._identity is None:
            self._identity = json.loads(base64.b64decode(self.bootstrap))["id"]
        return self._identity

    def members(self):
        """The rows of `client nodes -ls`."""
        return rows(self.client_json("nodes", "-ls"))

    def online(self):
        """Peer ids of all that are online, this node among them."""
        return {row["peer_id"] for row in self.members() if row["online"]}

    def rules(self):
        return rows(self.client_json("proxies"))

    # The API

    def api(self, method, path, body=None, session=None, headers=None):
        """One request to the node's API: (status, decoded JSON)."""
        headers = {"Authorization": f"Bearer {session}"} if session else dict(headers or {})
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        with self.host.entered() if self.host else contextlib.nullcontext():
            connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=20)
            connection.connect()
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def session(self, user, password):
        """The id of a new session of the API."""
        credentials = {"email": user, "password": password}
        status, answer = self.api("POST", "/api/v1/user/login", credentials)
        if status != 200:
            raise RuntimeError(f"login of {user}: {status} {answer}")
        return answer["session_id"]

    def command(self, *argv):
        argv = [str(word) for word in argv]
        return self.host.command(argv) if self.host else argv

    def environment(self):
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "XDG_DATA_HOME": str(self.directory / "data"),
            "XDG_STATE_HOME": str(self.directory / "state"),
            "TERM": "dumb",
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
        }


def bootstrap_string(identity):
    """The bootstrap string of an identity as `client identity --json` shows it."""
    return base64.b64encode(json.dumps(identity).encode()).decode()


def rows(listing):
    """The rows of a list, whether it came with its page or bare."""
    return listing["rows"] if isinstance(listing, dict) else listing
