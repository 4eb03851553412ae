"""The peers of README.md: how that of each language is built, started and asked."""

import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "interop"
# Which peer stands for our side; another one than ours proves the harness, or two libraries together.
OURS = os.environ.get("OPEN_CHAT_INTEROP_OURS", "cpp")
# The preset whose build of our peer is used.
PRESET = os.environ.get("OPEN_CHAT_INTEROP_PRESET", "dev")
LISTEN_WITHIN_S = 20
# No case takes longer than 60 s; what does is stopped, and is wrong.
CASE_WITHIN_S = 70
# How much of what a failed build said is shown, for every test that needed it.
BUILD_LINES = 20


class Unavailable(Exception):
    """This machine lacks what the peer needs; the message says what, on one line."""


class NotBuilt(Exception):
    """The peer could be built here, but was not; the message is what the build said last."""


class Failed(Exception):
    """Something that a case demands is not so; the message is what the dialer says."""


# Building


def make_cpp():
    program = ROOT / "build" / PRESET / "interop-peer"
    if not program.exists():
        raise NotBuilt(f"{program} is missing: run scripts/build {PRESET} interop-peer")
    return [program]


def make_cpp_transport_test():
    program = ROOT / "build" / PRESET / "transport-test"
    if not program.exists():
        raise NotBuilt(f"{program} is missing: run scripts/build {PRESET} transport-test")
    return [program]


def make_cpp_hole_punch_test():
    program = ROOT / "build" / PRESET / "hole-punch-test"
    if not program.exists():
        raise NotBuilt(f"{program} is missing: run scripts/build {PRESET} hole-punch-test")
    return [program]


def make_go():
    need(["go", "env", "GOVERSION"], HERE / "go" / "go.mod", r"^go ([\d.]+)$")
    program = BUILD / "go-peer"
    build(["go", "build", "-o", program, "."], HERE / "go")
    return [program]


def make_js():
    sources = HERE / "js"
    need(["node", "--version"], sources / "package.json", r'"node": ">=([\d.]+)"')
    wanted, installed = sources / "package-lock.json", sources / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        build(["npm", "ci", "--no-audit", "--no-fund"], sources)
    return ["node", sources / "peer.mjs"]


def make_rust():
    need(["cargo", "--version"], HERE / "rust" / "Cargo.toml", r'^rust-version = "([\d.]+)"$')
    target = BUILD / "rust"
    build(["cargo", "build", "--release", "--locked"], HERE / "rust", CARGO_TARGET_DIR=target)
    return [target / "release" / "peer"]


_makers = {
    "cpp": make_cpp, "cpp-transport-test": make_cpp_transport_test,
    "cpp-hole-punch-test": make_cpp_hole_punch_test,
    "go": make_go, "js": make_js, "rust": make_rust,
}
_commands = {}


def make(name):
    """Builds a peer; it can be run from then on."""
    _commands[name] = [str(word) for word in _makers[name]()]


def command(name):
    """The words that start a peer that was made."""
    return _commands[name]


def need(ask_version, manifest, pattern):
    """Holds a toolchain's version against the oldest one that the peer's manifest allows."""
    tool, sources = ask_version[0], manifest.parent
    oldest = re.search(pattern, manifest.read_text(), re.MULTILINE)[1]
    wanted = f"the {sources.name} peer needs {tool} {oldest} or newer"
    if not shutil.which(tool):
        raise Unavailable(f"{wanted}, and there is none")
    told = subprocess.run(ask_version, cwd=sources, capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)*", told.stdout)
    if not found:
        raise Unavailable(f"{wanted}, and this one says {' '.join(told.stderr.split())}")
    if numbers(found[0]) < numbers(oldest):
        raise Unavailable(f"{wanted}, and this is {found[0]}")


def numbers(version):
    return tuple(int(part) for part in version.split("."))


def build(argv, sources, **environment):
    BUILD.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    done = subprocess.run(
        argv, cwd=sources, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )
    if done.returncode != 0:
        said = "\n".join(done.stdout.splitlines()[-BUILD_LINES:])
        raise NotBuilt(f"{' '.join(map(str, argv))} in {sources}:\n{said}")


# Running; `popen` starts a process, and is that of a laboratory's host where the peer runs in one


class Listener:
    """A peer that listens, or relays, until it is closed. `told` is all that it said when it was ready."""

    def __init__(self, name, *options, popen=subprocess.Popen, does="listen"):
        self._log = tempfile.TemporaryFile("w+", errors="replace")
        self._process = popen(
            [*command(name), does, *map(str, options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, bufsize=0,
        )
        self.told = self.next(LISTEN_WITHIN_S)
        if self.told is None:
            self._process.kill()
            self._process.wait()
            raise RuntimeError(f"the {name} peer does not {does}:\n{self.log}")
        self.pid = self._process.pid
        self.id = self.told["id"]
        self.addresses = self.told["addresses"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def log(self):
        self._log.seek(0)
        return self._log.read()

    def next(self, within):
        """The next line that it says, or None when it says nothing more within so many seconds."""
        ready, _, _ = select.select([self._process.stdout], [], [], within)
        line = self._process.stdout.readline() if ready else b""
        return json.loads(line) if line else None

    def close(self):
        """Ends its input, upon which it must end by itself, and cleanly."""
        try:
            self._process.communicate(timeout=LISTEN_WITHIN_S)
        finally:
            self._process.kill()
        if self._process.returncode != 0:
            raise RuntimeError(f"a listener ended with {self._process.returncode}:\n{self.log}")


class Holder:
    """A dialer that holds connections and streams (the case `hold`), until it is closed."""

    def __init__(self, name, address, *options, popen=subprocess.Popen):
        self._process = popen(
            [*command(name), "dial", address, "hold", *map(str, options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        ready, _, _ = select.select([self._process.stdout], [], [], CASE_WITHIN_S)
        if not ready or not self._process.stdout.readline():
            self._process.kill()
            _, said = self._process.communicate()
            raise Failed(f"nothing is held: {said}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._process.communicate(timeout=CASE_WITHIN_S)
        finally:
            self._process.kill()


def dial(name, address, case, *options, popen=subprocess.Popen):
    """What a peer's case printed."""
    process = popen(
        [*command(name), "dial", address, case, *map(str, options)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    try:
        printed, said = process.communicate(timeout=CASE_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        _, said = process.communicate()
        raise Failed(f"{case} was not done within {CASE_WITHIN_S} s\n{said}") from None
    if process.returncode != 0:
        raise Failed(said)
    return json.loads(printed)
