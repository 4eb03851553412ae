"""Ways from a visitor's port to a service's port, all on loopback: ours and those beside it.

Each has a `name`, `start()`, `forward(service_port)` -> the visitor's port, and `stop()`. Processes
are this program's own children, each the leader of its group, and are ended by their ids.
"""

import getpass
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from lab.node import Node, wait_until  # noqa: E402


class Unavailable(Exception):
    """This contender cannot run here; the message says why."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def tool(name):
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not found:
        raise Unavailable(f"{name} is not installed")
    return found


class Children:
    """Processes that end with us."""

    def __init__(self):
        self._processes = []

    def start(self, argv, **options):
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options
        process = subprocess.Popen(
            [str(word) for word in argv], stdin=subprocess.DEVNULL, start_new_session=True, **options
        )
        self._processes.append(process)
        return process

    def start_listener(self, argv, port, **options):
        process = self.start(argv, **options)
        wait_until(lambda: listening(port) or process.poll() is not None, 10, argv[0])
        if process.poll() is not None:
            raise Unavailable(f"{argv[0]} ended with {process.returncode}")

    def stop(self):
        for process in self._processes:
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        for process in self._processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes = []


class Direct:
    """No way at all: what the service and the measuring program can do."""

    name = "direct"

    def start(self):
        pass

    def forward(self, service_port):
        return service_port

    def stop(self):
        pass


class SocatPair:
    """Two plain socats in a row: the least that two programs passing bytes on can do."""

    def __init__(self, name="socat pair", options=()):
        self.name = name
        self._options = options
        self._children = Children()

    def start(self):
        tool("socat")

    def forward(self, service_port):
        inner = self._leg(service_port)
        return self._leg(inner)

    def _leg(self, to):
        port = free_port()
        self._children.start_listener(
            ["socat", *self._options, f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=1024",
             f"TCP:127.0.0.1:{to}"], port,
        )
        return port

    def stop(self):
        self._children.stop()


class StunnelPair:
    """A stunnel that encrypts, and one that decrypts."""

    name = "stunnel pair"

    def __init__(self, directory):
        self._directory = pathlib.Path(directory) / "stunnel"
        self._children = Children()

    def start(self):
        self._stunnel = tool("stunnel")
        self._directory.mkdir()
        subprocess.run(
            [tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=bench", "-keyout", "key.pem", "-out", "cert.pem"],
            cwd=self._directory, check=True, capture_output=True,
        )

    def forward(self, service_port):
        inner, outer = free_port(), free_port()
        keys = f"cert = {self._directory}/cert.pem\nkey = {self._directory}/key.pem\n"
        self._leg(inner, service_port, keys)
        self._leg(outer, inner, "client = yes\n")
        return outer

    def _leg(self, port, to, options):
        file = self._directory / f"{port}.conf"
        file.write_text(
            f"foreground = yes\npid =\ndebug = err\nsocket = a:SO_REUSEADDR=1\n[leg]\n"
            f"accept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{to}\n{options}"
        )
        self._children.start_listener([self._stunnel, file], port)

    def stop(self):
        self._children.stop()


class SshForward:
    """`ssh -L` to an sshd of our own, with keys made for it."""

    name = "ssh -L"

    def __init__(self, directory):
        self._directory = pathlib.Path(directory) / "ssh"
        self._children = Children()

    def start(self):
        sshd = tool("sshd")
        self._directory.mkdir(mode=0o700)
        for key in ("host", "user"):
            subprocess.run([tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", self._directory / key],
                           check=True)
        if os.geteuid() == 0:
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists on it
        self._server_port = free_port()
        config = self._directory / "sshd_config"
        config.write_text(
            f"ListenAddress 127.0.0.1:{self._server_port}\nHostKey {self._directory}/host\n"
            f"AuthorizedKeysFile {self._directory}/user.pub\nPidFile none\nStrictModes no\n"
            "UsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        )
        self._children.start_listener([sshd, "-D", "-f", config], self._server_port)

    def forward(self, service_port):
        port = free_port()
        self._children.start_listener(
            ["ssh", "-N", "-F", "none", "-i", self._directory / "user", "-p", self._server_port,
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
             "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes",
             "-L", f"127.0.0.1:{port}:127.0.0.1:{service_port}", f"{getpass.getuser()}@127.0.0.1"], port,
        )
        return port

    def stop(self):
        self._children.stop()


class OpenChat:
    """Two nodes of one network: an egress rule on one, an ingress rule on the other."""

    name = "open-chat"

    def __init__(self, directory):
        self._directory = pathlib.Path(directory) / "open-chat"
        self.nodes = []

    def start(self):
        near = self._node("near")
        far = self._node("far", "-bs", near.bootstrap)
        self.nodes = [near, far]
        wait_until(lambda: len(near.online()) == 2 and len(far.online()) == 2, 15, "connecting two nodes")

    def _node(self, name, *more):
        node = Node(name, self._directory, api_port=free_port())
        password = "not a secret"
        node.start("--port", node.api_port, "--p2pport", free_port(), "-dnc", f"bench:{password}",
                   "-rc", f"admin:{password}", *more)
        self.nodes.append(node)
        status, screen = node.login("admin", password)
        if status != 0:
            raise Unavailable(f"login: {screen}")
        return node

    def forward(self, service_port):
        near, far = self.nodes
        port = free_port()
        far.client("proxy", "--direction", "ingress", "--kind", "tcp",
                   "--traffic-origin", f"{near.peer_id}:{port}",
                   "--traffic-target", f"{far.peer_id}:{port}", "--to", f"127.0.0.1:{service_port}")
        near.client("proxy", "--direction", "egress", "--kind", "tcp",
                    "--traffic-origin", f"{near.peer_id}:{port}",
                    "--traffic-target", f"{far.peer_id}:{port}")
        return port

    def stop(self):
        for node in self.nodes:
            node.kill()
        self.nodes = []


def start_times(directory, runs):
    """Milliseconds from exec to `ready`: (of first starts, of later starts)."""
    first, later = [], []
    flags = ["--port", free_port(), "--p2pport", free_port(), "-dnc", "bench:word", "-rc", "admin:word"]
    for run in range(runs):
        node = Node(f"start-{run}", directory)
        for times in (first, later):
            began = time.perf_counter()
            node.start(*flags, wait=False)
            try:
                node.wait_ready(every=0.0005)
                times.append((time.perf_counter() - began) * 1000)
            finally:
                node.end()
    return first, later
