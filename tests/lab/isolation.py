"""A private world for this process and its children: own users, mounts and networks.

Nothing that happens in it touches the machine's own network configuration, and the kernel takes it
all down when the last process in it ends, however it ends. Works as root, and unprivileged where
user namespaces are allowed (Debian 12 allows them).
"""

import ctypes
import os
import pathlib
import subprocess

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_entered = False


class Unavailable(Exception):
    """This machine does not let us make network namespaces; the message says what is missing."""


def enter():
    """Moves this process into a private world; the second call does nothing.

    The process must have a single thread. Its own network there is a lone loopback interface.
    """
    global _entered
    if _entered:
        return
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        unshare(CLONE_NEWNS | CLONE_NEWNET)
    else:
        unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET)
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    run("mount", "--make-rprivate", "/")
    # `ip netns` keeps its names under /run/netns: give it one of our own. Without privileges on
    # the real /run, cover that whole.
    names = pathlib.Path("/run/netns")
    if not names.exists() and uid != 0:
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
    names.mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", str(names))
    run("ip", "link", "set", "lo", "up")
    _entered = True


def unshare(flags):
    if _libc.unshare(flags) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise Unavailable(f"no network namespaces ({reason}): run as root or allow user namespaces")


def set_network(descriptor):
    """Moves the calling thread into the network namespace that the open file `descriptor` names."""
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def run(*argv):
    """Runs a command of the set-up; what it printed is in the exception when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
