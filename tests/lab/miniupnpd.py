"""A router's miniupnpd: the program with which home routers map ports for those on their LAN."""

import pathlib
import subprocess
import tempfile

from .node import wait_until

# miniupnpd maps ports only on an address of the public internet, and does not take those that are
# reserved for documentation for such. Exists, as they do, inside the namespaces only.
_OUTSIDE = "192.0.3"
_CONFIGURATION = """
ext_ifname=wan0
ext_ip={outside}
listening_ip=lan0
http_port=5000
ipv6_disable=yes
enable_natpmp={natpmp}
enable_upnp={upnp}
secure_mode=yes
uuid=00000000-0000-4000-8000-000000000001
allow 1024-65535 10.0.0.0/8 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""


class PortMapper:
    """miniupnpd in a router's namespace, whose kind is nat.port_mapping.

    `address` is the one that it maps ports of: hosts in `public` get a way to it.
    """

    def __init__(self, router, public, natpmp=False, upnp=False):
        self.router = router
        self.address = f"{_OUTSIDE}.{router.address.rsplit('.', 1)[1]}"
        router.ip("address", "add", f"{self.address}/24", "dev", "wan0")
        for host in public:
            host.ip("route", "add", f"{_OUTSIDE}.0/24", "dev", "eth0")
        # Devices are searched for, and tell of themselves, by multicast.
        router.ip("route", "add", "239.0.0.0/8", "dev", "lan0")
        self._folder = tempfile.TemporaryDirectory(prefix="lab-")
        folder = pathlib.Path(self._folder.name)
        file = folder / "miniupnpd.conf"
        file.write_text(_CONFIGURATION.format(
            outside=self.address, natpmp="yes" if natpmp else "no", upnp="yes" if upnp else "no",
        ))
        self.log_file = folder / "log"
        with open(self.log_file, "wb") as log:
            self._process = router.popen(
                ["miniupnpd", "-d", "-f", file, "-P", folder / "pid"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        listening = ["Listening for NAT-PMP"] * natpmp + ["HTTP listening"] * upnp
        wait_until(lambda: all(line in self.log for line in listening), 10, "start of miniupnpd")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def log(self):
        return self.log_file.read_text(errors="replace")

    def mappings(self):
        """The router's rules for ports that are mapped, as nft prints them."""
        listing = self.router.run(["nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd"])
        return [line.strip() for line in listing.stdout.splitlines() if "dnat" in line]

    def close(self):
        self._process.terminate()
        self._process.wait(10)
        self._folder.cleanup()
