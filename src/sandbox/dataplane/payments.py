"""What the services do in their database. Blue has decimal amounts and one letter for a state, green whole minor units and words."""

import hashlib
import json
from decimal import Decimal, InvalidOperation

import asyncpg

# Currencies whose minor unit is not a hundredth (ISO 4217).
DECIMALS = {"JPY": 0, "KRW": 0, "ISK": 0, "CLP": 0, "BHD": 3, "KWD": 3, "TND": 3, "JOD": 3, "OMR": 3}
AUTHORIZED, CAPTURED = {False: "A", True: "authorized"}, {False: "C", True: "captured"}
FIND = "SELECT payment_id, {amount}::text AS amount, currency, {state}::text AS state FROM payments WHERE reference = $1"
BLUE, GREEN = {"amount": "amount", "state": "state"}, {"amount": "amount_minor", "state": "status"}


def columns(is_green):
    """The names that differ."""
    return GREEN if is_green else BLUE


def parsed(body):
    """(merchant, minor units, currency, description) of a request; ValueError names what is wrong."""
    try:
        document = json.loads(body)
        merchant, currency = int(document["merchant_id"]), document["currency"]
        if not (isinstance(currency, str) and len(currency) == 3 and currency.isupper()):
            raise ValueError("currency: it takes an ISO 4217 code")
        scale = DECIMALS.get(currency, 2)
        minor = document.get("amount_minor")
        if minor is None:
            shifted = Decimal(str(document["amount"])).scaleb(scale)
            if shifted != shifted.to_integral_value():
                raise ValueError(f"amount: {currency} has {scale} decimals")
            minor = int(shifted)
        if not (isinstance(minor, int) and 0 < minor < 10**14):
            raise ValueError("amount: it takes a positive number")
        return merchant, minor, currency, document.get("description")
    except (KeyError, TypeError, InvalidOperation) as bad:
        raise ValueError(f"a payment has merchant_id, amount or amount_minor, and currency ({bad})") from bad


def shown(row, is_green):
    """A payment as the service answers it, the same from both sides."""
    currency = row["currency"]
    scale = DECIMALS.get(currency, 2)
    minor = int(row["amount"]) if is_green else int(Decimal(row["amount"]).scaleb(scale))
    words = {"N": "new", "A": "authorized", "C": "captured", "R": "refunded", "F": "failed"}
    return {"payment_id": row["payment_id"], "amount_minor": minor, "currency": currency, "status": words.get(row["state"], row["state"])}


async def write(connection, is_green, key, payment, client):
    """(payment, whether it is new): one row in one transaction. The same key of a merchant is the same payment, also when two
    requests come at once: the second one waits for the first."""
    merchant, minor, currency, description = payment
    names = columns(is_green)
    amount = minor if is_green else Decimal(minor).scaleb(-DECIMALS.get(currency, 2))
    lock = int.from_bytes(hashlib.sha256(f"{merchant} {key}".encode()).digest()[:8], "big", signed=True)
    columns_of = f"payment_id, {names['amount']}::text AS amount, currency, {names['state']}::text AS state"
    sql = (
        f"WITH found AS (SELECT {columns_of} FROM payments WHERE merchant_id = $1 AND reference = $4), "
        f"made AS (INSERT INTO payments (merchant_id, {names['amount']}, currency, {names['state']}, reference, description, client_ip) "
        f"SELECT $1, $2, $3, '{AUTHORIZED[is_green]}', $4, $5, $6 WHERE NOT EXISTS (SELECT FROM found) RETURNING {columns_of}) "
        "SELECT *, false AS is_new FROM found UNION ALL SELECT *, true FROM made LIMIT 1"
    )
    # Three ways to the database in place of five.
    await connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock({lock})")
    try:
        row = await connection.fetchrow(sql, merchant, amount, currency, key, description, client)
    except asyncpg.PostgresError:
        # PostgreSQL refused it, and the connection is as good as before.
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
        raise
    except BaseException:
        connection.terminate()
        raise
    await connection.execute("COMMIT")
    return shown(row, is_green), row["is_new"]


async def read(connection, is_green, key, merchant=None):
    """A payment by its key, or `None`. With its merchant an index finds it."""
    sql = FIND.format(**columns(is_green)) + (" AND merchant_id = $2" if merchant is not None else "") + " LIMIT 1"
    row = await connection.fetchrow(sql, key, *([merchant] if merchant is not None else []))
    return None if row is None else shown(row, is_green)


async def capture(connection, is_green, most):
    """Authorized payments are captured, the oldest of the last hours first; answers how many."""
    state = columns(is_green)["state"]
    sql = (
        f"UPDATE payments SET {state} = '{CAPTURED[is_green]}', captured_at = now() WHERE (payment_id, created_at) IN ("
        f"SELECT payment_id, created_at FROM payments WHERE {state} = '{AUTHORIZED[is_green]}' "
        "AND created_at BETWEEN now() - interval '6 hours' AND now() - interval '1 second' "
        "ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)"
    )
    done = await connection.execute(sql, most)
    return int(done.split()[-1])


async def report(connection, is_green):
    """Payments of the last day: state, how many."""
    state = columns(is_green)["state"]
    rows = await connection.fetch(f"SELECT {state}::text AS state, count(*) AS n FROM payments WHERE created_at > now() - interval '1 day' GROUP BY 1")
    return {row["state"]: row["n"] for row in rows}


READ_ONLY = asyncpg.ReadOnlySQLTransactionError
REFUSED = (asyncpg.ForeignKeyViolationError, asyncpg.CheckViolationError, asyncpg.DataError)
