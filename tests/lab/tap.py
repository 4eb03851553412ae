"""TAP devices: network interfaces whose other side is a program."""

import contextlib
import errno
import fcntl
import os
import stat
import struct
import tempfile

from . import isolation

_DEVICE = "/dev/net/tun"
_NUMBER = os.makedev(10, 200)
_TUNSETIFF = 0x400454CA
_TUNSETCARRIER = 0x400454E2
_TUNSETOFFLOAD = 0x400454D0
_IFF_TAP = 0x0002
_IFF_NO_PI = 0x1000
_IFF_VNET_HDR = 0x4000
_CHECKSUMS, _SEGMENTS_IPV4, _SEGMENTS_IPV6 = 0x01, 0x02, 0x04
# The kernel drops what a device has to hold beyond this many frames. At 1 Gbit/s that is a tenth of a
# second in which the program need not be given the processor.
_QUEUE = 10_000


def create(namespace, name, mtu, in_bulk):
    """A new interface `name` of the namespace; gives its open file, with which it ends.

    Frames have a virtio_net_hdr before them. With `in_bulk`, one may stand for many of a TCP connection.
    """
    with namespace.entered():
        file = _open()
    try:
        flags = _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR
        fcntl.ioctl(file, _TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
        offload = _CHECKSUMS | (_SEGMENTS_IPV4 | _SEGMENTS_IPV6 if in_bulk else 0)
        fcntl.ioctl(file, _TUNSETOFFLOAD, offload)
        namespace.ip("link", "set", name, "mtu", str(mtu), "txqueuelen", str(_QUEUE))
    except BaseException:
        os.close(file)
        raise
    return file


def set_carrier(file, present):
    """Plugs the device's cable in, or pulls it out."""
    fcntl.ioctl(file, _TUNSETCARRIER, struct.pack("i", present))


def _open():
    flags = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with contextlib.suppress(FileNotFoundError):
            return os.open(_DEVICE, flags)
        with tempfile.TemporaryDirectory(prefix="lab-") as folder:
            node = os.path.join(folder, "tun")
            os.mknod(node, stat.S_IFCHR | 0o600, _NUMBER)
            return os.open(node, flags)
    except OSError as error:
        reason = os.strerror(error.errno or errno.EIO)
        raise isolation.Unavailable(
            f"no links with delay, loss or a rate: {_DEVICE} cannot be opened ({reason})") from error
