"""Customers: merchants' servers that send payments and look them up, as a process of its own.

    python -m rehearsal.customers --folder FOLDER --domain NAME --dns ADDRESS:PORT --https PORT --ca FILE --rate R --per-second N

Some keep the first address that they looked up until they start anew (SIGUSR1; SIGUSR2 halves the
load); the others look the name up again when its answer is
too old. All keep connections open, and repeat what had no good answer with the same idempotency key until they have one. Every attempt is a line of
`attempts.jsonl`, every payment that was acknowledged one of `payments.jsonl`.
"""

import argparse
import asyncio
import json
import random
import signal
import ssl
import time
import uuid

import dns.asyncquery
import dns.exception
import dns.message
import dns.rdatatype

from dataplane import http1

CUSTOMERS = 100
# Of ten customers so many never look the name up again.
KEEP_OF_TEN = 3
MERCHANTS = 20
CURRENCIES = ["CHF", "EUR", "USD"]
# Seconds after which a customer gives a payment up; nobody has acknowledged it.
GIVE_UP = 30.0
# Seconds until a payment may be looked up on the other side: a stream carries it there.
LOOK_UP_AFTER = 20.0


class Customer:
    """One customer: an address, connections, and whether the name is looked up again."""

    def __init__(self, crowd, number):
        self.crowd, self.keeps = crowd, number % 10 < KEEP_OF_TEN
        # Each speaks from an address of its own, as the firewall's log shows it.
        self.source = f"127.100.{number // 250}.{1 + number % 250}"
        self.pool, self.until = None, 0.0

    async def way(self):
        """The connections to the address of the moment."""
        if self.pool is not None and (self.keeps or time.time() < self.until):
            return self.pool
        address, ttl = await self.crowd.look_up()
        self.until = time.time() + ttl / self.crowd.rate
        if self.pool is None or self.pool.host != address:
            self.start_anew()
            self.pool = http1.Pool(address, self.crowd.https, self.crowd.ssl, self.source, idle=2.0)
        return self.pool

    def start_anew(self):
        """As a process that was restarted: it has no connection, and looks the name up."""
        if self.pool is not None:
            self.pool.close()
        self.pool = None

    async def ask(self, method, path, headers, body, seconds=15.0):
        """(status, document, address); status 0 when there was no answer."""
        address = None
        try:
            pool = await self.way()
            address = pool.host
            answer = await pool.ask(method, path, [("Host", self.crowd.domain), *headers], body, seconds)
            try:
                document = json.loads(answer.body)
            except ValueError:
                document = {}
            return int(answer.first[1]), document, address, answer.header("Retry-After")
        except (OSError, TimeoutError, http1.BadMessage, dns.exception.DNSException) as failed:
            return 0, {"error": type(failed).__name__}, address, None


class Crowd:
    """All customers, and what they saw."""

    def __init__(self, arguments):
        self.domain, self.https, self.rate = arguments.domain, arguments.https, arguments.rate
        host, port = arguments.dns.rsplit(":", 1)
        self.dns = (host, int(port))
        self.ssl = ssl.create_default_context(cafile=arguments.ca)
        # The name is in the request; the address is asked for itself.
        self.ssl.check_hostname = False
        self.per_second = arguments.per_second
        self.customers = [Customer(self, number) for number in range(CUSTOMERS)]
        self.attempts = open(f"{arguments.folder}/attempts.jsonl", "a", encoding="utf-8", buffering=1)  # noqa: SIM115 - for as long as it runs
        self.payments = open(f"{arguments.folder}/payments.jsonl", "a", encoding="utf-8", buffering=1)  # noqa: SIM115
        self.known, self.open = [], set()
        self.ends = asyncio.Event()

    async def look_up(self):
        """An address of the domain and how long it may be kept."""
        question = dns.message.make_query(self.domain, dns.rdatatype.A)
        answer = await dns.asyncquery.udp(question, self.dns[0], port=self.dns[1], timeout=5)
        found = [one for one in answer.answer if one.rdtype == dns.rdatatype.A]
        if not found:
            raise OSError("no address")
        return random.choice([one.address for one in found[0]]), found[0].ttl

    def less(self):
        """Half as many requests from now on."""
        self.per_second /= 2

    def start_anew(self):
        """Those that keep their address start anew."""
        for customer in self.customers:
            if customer.keeps:
                customer.start_anew()

    def note(self, kind, began, status, document, address, customer):
        """One attempt."""
        line = {"at": round(began, 3), "kind": kind, "ms": round((time.time() - began) * 1000, 1), "status": status,
                "side": document.get("side"), "address": address, "customer": customer.source, "keeps": customer.keeps}  # fmt: skip
        self.attempts.write(json.dumps(line) + "\n")

    async def pay(self):
        """A payment, until it is acknowledged or given up."""
        customer, key = random.choice(self.customers), str(uuid.uuid4())
        payment = {"merchant_id": random.randint(1, MERCHANTS), "amount_minor": random.randint(100, 99_999), "currency": random.choice(CURRENCIES)}
        body, first, tries = json.dumps(payment).encode(), time.time(), 0
        while time.time() - first < GIVE_UP:
            tries, began = tries + 1, time.time()
            status, document, address, later = await customer.ask("POST", "/api/payments", [("Idempotency-Key", key), ("Content-Type", "application/json")], body)
            self.note("pay", began, status, document, address, customer)
            if status in (200, 201):
                done = payment | {"key": key, "side": document.get("side"), "first": first, "at": time.time(), "tries": tries}
                self.payments.write(json.dumps(done) + "\n")
                self.known.append((done["at"], key, payment["merchant_id"]))
                return
            if 400 <= status < 500 and status != 429:
                break
            await asyncio.sleep(min(float(later or 0.2), 1.0))
        self.payments.write(json.dumps(payment | {"key": key, "side": None, "first": first, "at": None, "tries": tries}) + "\n")

    async def look(self):
        """A payment that was acknowledged some time ago is looked up."""
        old = [one for one in self.known[-4000:-1] if time.time() - one[0] > LOOK_UP_AFTER]
        customer, began = random.choice(self.customers), time.time()
        path = "/api/payments"
        if old:
            _, key, merchant = random.choice(old)
            path = f"/api/payments/{key}?merchant_id={merchant}"
        status, document, address, _ = await customer.ask("GET", path, [], b"")
        self.note("look", began, status, document, address, customer)

    async def run(self):
        """Sends at an even rate until it is ended; then waits for what is open."""
        last, due, sent = time.time(), 0.0, 0
        while not self.ends.is_set():
            now = time.time()
            due, last = due + (now - last) * self.per_second, now
            while sent < int(due):
                sent += 1
                task = asyncio.create_task(self.pay() if sent % 2 else self.look())
                self.open.add(task)
                task.add_done_callback(self.open.discard)
            await asyncio.sleep(0.01)
        if self.open:
            await asyncio.wait(self.open)
        self.attempts.close()
        self.payments.close()


async def main():
    """Parses the arguments and runs."""
    parser = argparse.ArgumentParser(prog="customers")
    for name, kind in (("folder", str), ("domain", str), ("dns", str), ("https", int), ("ca", str), ("rate", float), ("per-second", float)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    crowd = Crowd(parser.parse_args())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, crowd.ends.set)
    for number, change in ((signal.SIGUSR1, crowd.start_anew), (signal.SIGUSR2, crowd.less)):
        asyncio.get_running_loop().add_signal_handler(number, change)
    await crowd.run()


if __name__ == "__main__":
    asyncio.run(main())
