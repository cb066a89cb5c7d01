"""Loopback addresses in place of AWS's: one for each DNS name and each network interface, for ever the same.

Linux lets everybody bind the whole of 127/8. A data plane has a block of its own, `127.77` unless another one has taken it:
`127.77.0.1` is its DNS server, names have the addresses from `127.77.1.1` on. Ports below 1024 need root, so what AWS serves on
such a port is found 8000 above.
"""

import json
import os
import socket
from pathlib import Path

FILE = "names.json"
BLOCKS = range(77, 127)
DNS_PORT = 8053
# Held as long as the data plane runs: so two of them have different blocks.
HELD_PORT = 8052
PER_LINE = 250


def port(of):
    """Where a listener on a port of AWS's is found: 443 on 8443, 80 on 8080, 5432 on 5432."""
    return of + 8000 if of < 1024 else of


def plain(name):
    """A name without its final dot, in lower case."""
    return name.rstrip(".").lower()


def free_block():
    """The first block that no other data plane has, with the socket that holds it."""
    for second in BLOCKS:
        block, held = f"127.{second}", socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            held.bind((f"{block}.0.1", HELD_PORT))
        except OSError:
            held.close()
            continue
        return block, held
    raise OSError("every block of loopback addresses from 127.77 to 127.126 is taken")


class Names:
    """The table, kept in the folder: other processes may read the file, which is always whole."""

    def __init__(self, folder, block=None):
        self.file = Path(folder) / FILE
        known = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.block, self._held = (block, None) if block else free_block()
        # With another block the numbers stay.
        self._numbers = {name: number for name, number in known.get("numbers", {}).items()}
        self._sources = {}
        self._save()

    @property
    def dns(self):
        """The address of the DNS server."""
        return f"{self.block}.0.1"

    def address(self, name):
        """The address of a name (`pay.eu-central-1.elb.amazonaws.com`) or of anything else that has one."""
        name = plain(name)
        if name not in self._numbers:
            self._numbers[name] = len(self._numbers)
            self._save()
        return self._of(self._numbers[name])

    def known(self, name):
        """The address of a name that has one, or `None`."""
        number = self._numbers.get(plain(name))
        return None if number is None else self._of(number)

    def interface(self, private):
        """The address from which a network interface with a private address of a VPC speaks; whoever it calls sees the private one."""
        found = self.address(f"interface:{private}")
        self._sources[found] = private
        return found

    def source(self, address):
        """Who speaks from an address: the private one of an interface, else the address itself."""
        return self._sources.get(address, address)

    def close(self):
        """Gives the block away."""
        if self._held is not None:
            self._held.close()

    def shown(self):
        """Name to address."""
        return {name: self._of(number) for name, number in self._numbers.items()}

    def _of(self, number):
        return f"{self.block}.{1 + number // PER_LINE}.{1 + number % PER_LINE}"

    def _save(self):
        document = {"block": self.block, "numbers": self._numbers, "addresses": self.shown()}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(document, indent=1))
        os.replace(new, self.file)
