"""Both databases, as somebody with a client of PostgreSQL sees them."""

import asyncio
import json
import ssl
from pathlib import Path

import asyncpg
import boto3

HERE = Path(__file__).resolve().parent
# Enough of yesterday's data that a copy is one.
SEED = """
INSERT INTO customers (full_name, email, phone, street, postcode, city, country)
  SELECT 'Anna Muster' || i, 'a' || i || '@example.com', NULL, 'Weg ' || i, '8000', 'Zürich', 'CH' FROM generate_series(1, 200) i;
INSERT INTO cards (customer_id, pan, cvv, holder, expiry, network)
  SELECT customer_id, '4111111111111111', '123', full_name, '09/29', 'visa' FROM customers;
INSERT INTO merchants (legal_name, mcc, country) SELECT 'Shop ' || i, '5411', 'CH' FROM generate_series(1, 20) i;
INSERT INTO merchant_accounts (merchant_id, iban, currency, balance)
  SELECT merchant_id, 'CH9300762011623852957', 'CHF', 100.50 FROM merchants;
INSERT INTO payments (created_at, merchant_id, customer_id, card_id, amount, currency, state, reference, internal_note)
  SELECT now() - (i || ' minutes')::interval, 1 + i % 20, 1 + i % 200, 1 + i % 200, (i % 10000 + 1) / 100.0, 'CHF',
         (ARRAY['N', 'A', 'C'])[1 + i % 3]::payment_state, 'seed-' || i, 'note' FROM generate_series(1, 20000) i;
"""
# Reference, merchant, minor units and currency of what customers sent.
SENT = {
    "blue": "SELECT reference, merchant_id, round(amount * 100)::bigint, currency FROM payments WHERE reference NOT LIKE 'seed-%'",
    "green": "SELECT reference, merchant_id, amount_minor::bigint, currency FROM payments WHERE reference NOT LIKE 'seed-%'",
}

OWN = "SELECT reference, payment_id FROM payments WHERE reference NOT LIKE 'seed-%'"


def aws(stage, service):
    """A client of AWS's own kit."""
    region = stage.environment["AWS_REGION"]
    return boto3.client(service, endpoint_url=stage.environment["AWS_ENDPOINT_URL"], region_name=region,
                        aws_access_key_id="sandbox", aws_secret_access_key="sandbox")  # fmt: skip


def shown(stage, side):
    """What the data plane says of a side's database, or `None`."""
    found = stage.ask("/state")["databases"]
    return next((one for name, one in found.items() if f"-{side}-" in name), None)


def ready(stage, side):
    """True when it takes connections."""
    found = shown(stage, side)
    return bool(found and found["ready"])


def run(stage, side, work):
    """`await work(connection)` as the database's owner."""
    place = shown(stage, side)
    secret = aws(stage, "secretsmanager").get_secret_value(SecretId=place["secret"])["SecretString"]
    context = ssl.create_default_context(cafile=place["ca"])
    context.check_hostname = False

    async def go():
        connection = await asyncpg.connect(
            host=place["address"], port=place["port"], user=place["user"], password=json.loads(secret)["password"],
            database=place["database"], ssl=context,
        )  # fmt: skip
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(go())


def tables(stage, side):
    """The side's tables, from the worked example."""
    script = (HERE / "ddl" / f"{side}.sql").read_text(encoding="utf-8")
    run(stage, side, lambda connection: connection.execute(script))


def seed(stage):
    """Yesterday's data on blue."""
    run(stage, "blue", lambda connection: connection.execute(SEED))


def sent(stage, side):
    """What customers sent, as the side has it: reference -> list of (merchant, minor units, currency)."""
    found = {}
    for reference, *rest in run(stage, side, lambda connection: connection.fetch(SENT[side])):
        found.setdefault(reference, []).append(tuple(rest))
    return found


def used_twice(stage):
    """References of customers that both sides have a payment of their own for."""
    ids = [dict(run(stage, side, lambda connection: connection.fetch(OWN))) for side in ("blue", "green")]
    return sorted(reference for reference, own in ids[0].items() if ids[1].get(reference, own) != own)


def void(stage, references):
    """Green's payments of these go away, as a team decides that has seen that no money was moved by them."""
    run(stage, "green", lambda connection: connection.execute("DELETE FROM payments WHERE reference = ANY($1)", references))


def slots(stage, side):
    """Replication slots that are there."""
    rows = run(stage, side, lambda connection: connection.fetch("SELECT slot_name FROM pg_replication_slots"))
    return [row[0] for row in rows]
