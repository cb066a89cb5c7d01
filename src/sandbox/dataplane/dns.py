"""A DNS server for the zones of Route 53: weights, health checks, aliases, as Route 53 documents them. Names of load balancers and
databases are answered too.

A change of records is answered after a while of the fast clock, since a batch reaches the servers of Route 53 within 60 seconds.
"""

import asyncio
import collections
import contextlib
import random
import struct
import traceback

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from .names import DNS_PORT, plain

# Seconds of the clock from a change to its answer.
DELAY = 30.0
# "Choosing between alias and non-alias records": an alias to a load balancer.
ALIAS_TTL = 60
DATABASE_TTL = 5
SOA = "ns-2048.awsdns-64.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"


def weight(record):
    """The weight of a record; one without counts as 1."""
    return int(record["Weight"]) if record.get("Weight") is not None else 1


def choose(records, is_healthy, pick=random.choices):
    """The record of several of one name and type that is answered ("How Amazon Route 53 chooses records when health checking is
    configured"): healthy ones with a weight; without any the healthy ones with weight 0; when all are unhealthy, those with a
    weight as if they were healthy."""
    if len(records) == 1:
        return records[0]

    def healthy(record):
        return not record.get("HealthCheckId") or is_healthy(record["HealthCheckId"])

    heavy = [one for one in records if weight(one) > 0]
    zero = [one for one in records if weight(one) == 0]
    among = [one for one in heavy if healthy(one)] or [one for one in zero if healthy(one)] or heavy or zero
    weights = [weight(one) for one in among]
    return pick(among, weights if any(weights) else [1] * len(among))[0]


class Zones:
    """The zones as they are answered: a pure function of records, health and addresses."""

    def __init__(self, zones, is_healthy, address):
        self.is_healthy, self.address = is_healthy, address
        self.zones = {}
        for zone in zones:
            if zone["private"]:
                continue
            sets = self.zones.setdefault(plain(zone["name"]), collections.defaultdict(list))
            for record in zone["records"]:
                sets[plain(record["Name"]), record["Type"]].append(record)

    def zone(self, name):
        """The closest zone above a name."""
        labels = plain(name).split(".")
        return next((found for at in range(len(labels)) if (found := ".".join(labels[at:])) in self.zones), None)

    def find(self, name, kind, depth=0):
        """(rcode, [(name, ttl, type, [values])], the zone or `None`)."""
        name = plain(name)
        own = self.zone(name)
        if own is None:
            return self._aws(name, kind)
        sets = self.zones[own]
        found = sets.get((name, kind)) or self._wildcard(sets, own, name, kind)
        if not found and kind != "CNAME":
            other = sets.get((name, "CNAME")) or self._wildcard(sets, own, name, "CNAME")
            if other:
                record = choose(other, self.is_healthy)
                values = [item["Value"] for item in record.get("ResourceRecords", [])]
                chain = [(name, int(record.get("TTL", 300)), "CNAME", values)]
                inside = depth < 8 and self.zone(values[0]) is not None
                return "NOERROR", chain + (self.find(values[0], kind, depth + 1)[1] if inside else []), own
        if not found:
            there = any(at == name or at.endswith(f".{name}") for at, _ in sets)
            return ("NOERROR" if there or name == own else "NXDOMAIN"), [], own
        record = choose(found, self.is_healthy)
        alias = record.get("AliasTarget")
        if alias is None:
            values = [_value(item) for item in record.get("ResourceRecords", [])]
            return "NOERROR", [(name, int(record.get("TTL", 300)), kind, values)], own
        target = plain(alias["DNSName"]).removeprefix("dualstack.")
        if depth >= 8:
            return "SERVFAIL", [], own
        _, answers, _ = self.find(target, kind, depth + 1)
        # An alias answers with the name that was asked for.
        values = [value for _, _, of, each in answers if of == kind for value in each]
        ttl = ALIAS_TTL if self.zone(target) is None else min([one[1] for one in answers] or [ALIAS_TTL])
        return "NOERROR", [(name, ttl, kind, values)] if values else [], own

    def _wildcard(self, sets, own, name, kind):
        """`*.example` for what has no record of its own below."""
        if any(at == name for at, _ in sets):
            return []
        labels = name.split(".")
        for at in range(1, len(labels)):
            parent = ".".join(labels[at:])
            if not (parent == own or parent.endswith(f".{own}")):
                break
            if (f"*.{parent}", kind) in sets:
                return sets[f"*.{parent}", kind]
            if any(one == parent or one.endswith(f".{parent}") for one, _ in sets):
                break
        return []

    def _aws(self, name, kind):
        found = self.address(name)
        if found is None:
            gone = name.endswith(".amazonaws.com")
            return ("NXDOMAIN" if gone else "REFUSED"), [], None
        address, ttl = found
        return "NOERROR", [(name, ttl, "A", [address])] if kind == "A" else [], None

    def soa(self, own):
        """The start of authority of a zone."""
        records = self.zones[own].get((own, "SOA"))
        return _value(records[0]["ResourceRecords"][0]) if records else SOA


def _value(item):
    while isinstance(item, dict):
        item = item["Value"]
    return item


def respond(zones, wire, most=65535):
    """The answer to a question, both as they go over the wire; `None` to what is no question."""
    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return None
    if query.flags & dns.flags.QR:
        return None
    answer = dns.message.make_response(query)
    if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
        answer.set_rcode(dns.rcode.NOTIMP)
        return answer.to_wire()
    question = query.question[0]
    kind = dns.rdatatype.to_text(question.rdtype)
    code, found, own = zones.find(question.name.to_text(), kind)
    answer.set_rcode(dns.rcode.from_text(code))
    if own is not None:
        answer.flags |= dns.flags.AA
    for name, ttl, of, values in found:
        # As it was asked for: clients compare it, some change the case at random.
        name = question.name.to_text() if plain(name) == plain(question.name.to_text()) else f"{name}."
        answer.answer.append(_set(name, ttl, of, values))
    if own is not None and not found:
        answer.authority.append(_set(f"{own}.", 900, "SOA", [zones.soa(own)]))
    size = max(512, query.payload) if query.edns >= 0 else 512
    try:
        return answer.to_wire(max_size=size if most == 512 else most)
    except dns.exception.TooBig:
        answer.answer.clear()
        answer.authority.clear()
        answer.flags |= dns.flags.TC
        return answer.to_wire()


def _set(name, ttl, kind, values):
    """Records of one name and type; Route 53 takes names in values with and without their final dot."""
    return dns.rrset.from_text_list(name, ttl, dns.rdataclass.IN, kind, values, origin=dns.name.root, relativize=False)


class Part:
    """The server."""

    def __init__(self, plane):
        self.plane = plane
        self.delay = DELAY
        self.asked = 0
        # What is answered from when on, oldest first.
        self._versions = collections.deque()
        self._zones = None
        self._names = {}
        self._servers = []

    async def start(self):
        """Listens on both protocols."""
        loop, where = asyncio.get_running_loop(), (self.plane.names.dns, DNS_PORT)
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=where)
        server = await asyncio.start_server(self._stream, *where)
        self._servers = [transport, server]

    async def close(self):
        """Listens no longer."""
        for server in self._servers:
            server.close()

    async def follow(self, model):
        """New records are answered after the delay; names of AWS's own at once."""
        names = {}
        for one in model.get("balancers", []):
            names[plain(one["dns_name"])] = ALIAS_TTL
        for cluster in model.get("clusters", []):
            for name in _names(cluster):
                names[name] = DATABASE_TTL
        for name in names:
            self.plane.names.address(name)
        self._names = names
        zones = model.get("zones", [])
        if zones != self._zones:
            ready = self.plane.clock.now() + (self.delay if self._zones is not None else 0)
            self._zones = zones
            self._versions.append((ready, Zones(zones, self.is_healthy, self.address)))

    def is_healthy(self, check):
        """Of a health check; one that nobody looks at counts as healthy."""
        health = self.plane.part("health")
        return health is None or health.is_healthy(check)

    def address(self, name):
        """The address of a load balancer or a database, and for how long; `None` when it is not there."""
        ttl = self._names.get(plain(name))
        return None if ttl is None else (self.plane.names.address(name), ttl)

    def current(self):
        """The zones that are answered now."""
        while len(self._versions) > 1 and self._versions[1][0] <= self.plane.clock.now():
            self._versions.popleft()
        return self._versions[0][1] if self._versions else Zones([], self.is_healthy, self.address)

    def resolve(self, name, kind="A"):
        """For parts: the first value, or `None`."""
        found = self.current().find(name, kind)[1]
        return next((value for _, _, of, values in found if of == kind for value in values), None)

    def answer(self, wire, most):
        """For the servers."""
        self.asked += 1
        try:
            return respond(self.current(), wire, most)
        except (dns.exception.DNSException, ValueError, KeyError):
            # A record that cannot be put into a message.
            traceback.print_exc()
            answer = dns.message.make_response(dns.message.from_wire(wire))
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer.to_wire()

    async def _stream(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, OSError, TimeoutError):
            while True:
                async with asyncio.timeout(30):
                    (length,) = struct.unpack("!H", await reader.readexactly(2))
                    wire = await reader.readexactly(length)
                answer = self.answer(wire, 65535)
                if answer is None:
                    break
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        writer.close()

    def routes(self):
        """Of the control path."""
        return {("POST", "dns"): self._delay, ("POST", "resolve"): self._resolve}

    async def _delay(self, body, _query, _rest):
        delay = float(body["delay"])
        if not 0 <= delay <= 3600:
            raise ValueError("delay: it takes 0 to 3600 seconds")
        self.delay = delay
        await self.plane.emulator.control("POST", "data-plane", {"dns_delay": delay})
        return {"delay": delay}

    async def _resolve(self, body, _query, _rest):
        code, found, _ = self.current().find(body["name"], body.get("type", "A"))
        return {"rcode": code, "answers": [{"name": name, "ttl": ttl, "type": of, "values": values} for name, ttl, of, values in found]}

    def state(self):
        """For /state."""
        return {"asked": self.asked, "delay": self.delay, "changes_waiting": max(0, len(self._versions) - 1)}


def _names(document):
    """All names of databases in a document."""
    if isinstance(document, str):
        return [plain(document)] if plain(document).endswith(".rds.amazonaws.com") else []
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else []
    return [name for one in inner for name in _names(one)]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, part):
        self.part = part

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        answer = self.part.answer(data, 512)
        if answer is not None:
            self.transport.sendto(answer, addr)
