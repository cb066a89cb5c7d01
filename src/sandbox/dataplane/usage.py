"""What RDS and SQS publish of databases and queues: sessions as the system's table of connections shows them, capacity from them."""

import re
import socket
import struct
from pathlib import Path

TABLE = Path("/proc/net/tcp")
ESTABLISHED = "01"
# What a serverless instance is at without work, and what a session adds, in percent of its largest capacity.
IDLE_PERCENT, SESSION_PERCENT = 10.0, 0.5
SESSION_ACU = 0.1


def sessions(table, address, port):
    """Connections that a server at an address and port has (`/proc/net/tcp`: addresses in the machine's byte order)."""
    number = struct.unpack("=I", socket.inet_aton(address))[0]
    # The table of a busy machine has thousands of lines: they are not taken apart.
    return len(re.findall(f": {number:08X}:{port:04X} [0-9A-F:]+ {ESTABLISHED} ", table))


class Part:
    """Says it at the end of each minute."""

    def __init__(self, plane):
        self.plane = plane
        self._clusters, self._queues = [], []

    async def follow(self, model):
        """The clusters and queues that are there."""
        self._clusters, self._queues = model.get("clusters", []), model.get("queues", [])

    def measured(self):
        """See metrics.py."""
        table = TABLE.read_text(encoding="ascii") if TABLE.exists() else ""
        for one in self._clusters:
            if not one["serving"]:
                continue
            of = (("DBClusterIdentifier", one["id"]),)
            count = sum(sessions(table, self.plane.names.address(one[name]), one["port"]) for name in ("endpoint", "reader"))
            yield "AWS/RDS", "DatabaseConnections", of, count
            yield "AWS/RDS", "ACUUtilization", of, min(100.0, IDLE_PERCENT + SESSION_PERCENT * count)
            yield "AWS/RDS", "ServerlessDatabaseCapacity", (*of, ("Role", "WRITER")), 1.0 + round(count * SESSION_ACU, 1)
            yield "AWS/RDS", "AuroraReplicaLag", of, 20.0
        for one in self._queues:
            yield "AWS/SQS", "ApproximateNumberOfMessagesVisible", (("QueueName", one["name"]),), one["visible"]
