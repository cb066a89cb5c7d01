"""What customers saw, and what the histories say."""

import datetime
import time

from . import databases
from .stage import Unexpected

# Requests that are looked at together, and from where to where the next ones are: seconds.
WINDOW, STEP = 1.0, 0.1
# Real seconds until everybody must be on blue, on a machine as slow as it may be.
PATIENCE = 90
# A good answer takes longer on a machine that is too slow only: milliseconds.
SLOW_MS = 2000
# The load is halved so often at most, after a look of so many seconds.
MOST_HALVES, LOOK = 3, 3.0
# What an attempt of a kind is.
REQUESTS = {"pay": "payment", "look": "read"}
# After a rollback customers are watched for so many seconds.
SEEN = 15.0


def failed(attempt):
    """True for an attempt without a good answer."""
    return attempt["status"] == 0 or attempt["status"] >= 500


def since(stage, began, kind=None, until=None):
    """Attempts from that moment on."""
    end = until if until is not None else time.time() + 1
    return [one for one in stage.load.attempts() if began <= one["at"] < end and kind in (None, one["kind"])]


def share(stage, side, began, until, kind, wanted):
    """The share of a side among the answers, shown beside the wanted one."""
    answered = [one for one in since(stage, began, kind, until) if one["side"]]
    mine = sum(one["side"] == side for one in answered)
    percent = 100 * mine / max(1, len(answered))
    stage.figure(f"{side}'s share of what is looked up at weight {wanted}", round(percent, 1), "%")
    stage.check(f"{side} answers customers at weight {wanted}", mine > 0, f"{mine} of {len(answered)}")


def refused(stage, began, when, kind=None):
    """No customer was refused; on a machine that was too slow, how many were."""
    seen = since(stage, began, kind)
    bad, name = [one for one in seen if failed(one)], "request" if kind is None else REQUESTS[kind]
    if stage.slow or is_slow(seen):
        stage.figure(f"{name}s that failed {when}, on a machine that was too slow", len(bad), "", 0)
        return
    stage.check(f"no {name} failed {when}", not bad, f"{len(bad)} failed: {_kinds(bad)}" if bad else "")


def is_slow(attempts):
    """True when the machine was too slow for what it was asked: one of twenty good answers took too long."""
    took = sorted(one["ms"] for one in attempts if not failed(one))
    return bool(took) and took[len(took) * 19 // 20] > SLOW_MS


def bearable(stage):
    """Halves the load until this machine bears it."""
    for _ in range(MOST_HALVES):
        time.sleep(LOOK)
        if not is_slow(since(stage, time.time() - LOOK)):
            return
        stage.load.less()
        stage.event("note", "this machine is too slow for so many customers: half the load from here on")


def _kinds(attempts):
    kinds = {}
    for one in attempts:
        name = f"{one['kind']} {one['status']} {one['side'] or ''}".strip()
        kinds[name] = kinds.get(name, 0) + 1
    return ", ".join(f"{number} x {name}" for name, number in sorted(kinds.items()))


def outage(stage, began, kind):
    """Seconds from the first bad answer to the last one; 0 when all were good."""
    bad = [one["at"] + one["ms"] / 1000 for one in since(stage, began, kind) if failed(one)]
    return round(max(bad) - min(bad), 2) if bad else 0.0


def last_side(stage):
    """Where the newest acknowledged payment was written."""
    done = [one for one in stage.load.payments()[-20:] if one["at"]]
    return done[-1]["side"] if done else None


def history(stage):
    """The traffic's history, with real times."""
    lines = stage.json("traffic history")["lines"]
    for line in lines:
        line["real"] = stage.real(datetime.datetime.fromisoformat(line["at"].replace("Z", "+00:00")).timestamp())
    return lines


def moment(stage, event, after):
    """When an event of the traffic's history came about, in real time."""
    found = [line["real"] for line in history(stage) if line["event"] == event and line["real"] >= after - 0.1]
    if not found:
        raise Unexpected(f"the history has no {event}")
    return found[0]


def rollback(stage, back):
    """How soon customers were on blue after a rollback began, those included that never look a name up again."""
    lines = history(stage)
    verdict = [line for line in lines if line["real"] < back][-1:]
    if verdict and verdict[0]["event"] == "gate":
        stage.figure("rollback: from the verdict until Route 53 has taken it", round(back - verdict[0]["real"], 2), "s", 1)
    before = since(stage, 0, None, back)
    greens = {one["address"] for one in before if one["side"] == "green"}
    last = {one["customer"]: one["address"] for one in before if one["keeps"]}
    kept = {customer for customer, address in last.items() if address in greens}
    stage.figure("rollback: customers on green that never look the name up again", len(kept))
    time.sleep(max(0.0, back + SEEN - time.time()))
    named = _callers(stage)
    stage.figure("rollback: of these, named by `traffic status`", len(named & kept))
    stage.figure("rollback: others that are named", len(named - kept), "", 0)
    attempts = [one for one in since(stage, back) if one["at"] + WINDOW <= time.time()]
    on_blue = [(one["at"], one["side"] == "blue") for one in attempts if one["side"] or failed(one)]
    seconds = reached(on_blue, back, 0.95)
    stage.figure("rollback: until 95 % of all requests are answered by blue", seconds, "s", 10)
    stage.until("blue for everybody", lambda: _all_on_blue(stage), PATIENCE, 1.0)
    # Who looks the name up sees what DNS alone does: the bridge does not change an address.
    there = {one["address"] for one in attempts if not one["keeps"] and one["side"] == "blue" and one["at"] > back + SEEN - WINDOW}
    by_name = [(one["at"], one["address"] in there) for one in attempts if not one["keeps"] and one["address"]]
    stage.figure("rollback: until 99 % of those who look the name up have blue's address", reached(by_name, back, 0.99) * stage.rate, "s of the clock", 130)


def _all_on_blue(stage):
    """True when blue gave each good answer of the last two seconds."""
    seen = [one for one in since(stage, time.time() - 3, None, time.time() - 1) if one["side"]]
    return bool(seen) and all(one["side"] == "blue" for one in seen)


def _callers(stage):
    """Clients that `traffic status` names; their lines come a moment later."""
    for _ in range(5):
        callers = stage.json("traffic status", (0, 2))["callers"] or {"most": []}
        if callers["most"]:
            break
        time.sleep(1)
    return {one["address"] for one in callers["most"]}


def reached(seen, began, wanted):
    """Seconds from `began` until this share of what is seen is good, and stays so: [(moment, good)]."""
    last, at = began, began
    end = max((moment for moment, _ in seen), default=began)
    while at + STEP <= end:
        inside = [good for moment, good in seen if at <= moment < at + WINDOW]
        if not inside or sum(inside) / len(inside) < wanted:
            last = at + STEP
        at += STEP
    return round(last - began, 2)


def guards(stage):
    """Guards of green that are in alarm."""
    alarms = databases.aws(stage, "cloudwatch").describe_alarms(AlarmNamePrefix="alarm-guard")["MetricAlarms"]
    return [one["AlarmName"] for one in alarms if "-green-" in one["AlarmName"] and one["StateValue"] == "ALARM" and one["ActionsEnabled"]]


def quiet(stage):
    """Waits until no guard of green is in alarm any more."""

    def none():
        loud = guards(stage)
        if loud:
            stage.say(f"waiting: {', '.join(loud)}")
        return not loud

    stage.until("quiet guards", none, 900 / stage.rate + 30, 2.0)


def blue_by_name(stage, after):
    """True when for two seconds since that moment blue has answered everybody who looks the name up."""
    first = time.time() - 3
    seen = [one for one in since(stage, first, None, first + 2) if not one["keeps"]]
    return first > after and bool(seen) and all(one["side"] == "blue" for one in seen)


def held(stage):
    """Rows that one of the two streams holds."""
    return sum(one.get("quarantined") or 0 for one in _streams(stage))


def is_quiet(stage):
    """True when neither stream has anything left to carry: nothing was applied between two looks, and both are up to date."""
    before = _streams(stage)
    time.sleep(1)
    after = _streams(stage)
    applied = [[one.get("changesApplied") for one in streams] for streams in (before, after)]
    return applied[0] == applied[1] and all((one.get("lagBytes") or 0) < 65_536 and (one.get("lagSeconds") or 0) < 5 for one in after)


def _streams(stage):
    control = stage.json("migrate status", (0, 2)).get("control") or {}
    return [control.get(way) or {} for way in ("forward", "reverse")]


def payments(stage):
    """Every acknowledged payment is on both sides exactly once, as it was sent; and no other one is there."""
    done = stage.load.payments()
    acknowledged = {one["key"]: (one["merchant_id"], one["amount_minor"], one["currency"]) for one in done if one["at"]}
    unknown = {one["key"] for one in done if not one["at"]}
    stage.figure("payments that were acknowledged", len(acknowledged))
    for side in ("blue", "green"):
        there = databases.sent(stage, side)
        lost = [key for key in acknowledged if key not in there]
        twice = [key for key, rows in there.items() if len(rows) > 1]
        changed = [key for key, value in acknowledged.items() if there.get(key) and tuple(there[key][0]) != value]
        foreign = [key for key in there if key not in acknowledged and key not in unknown]
        stage.figure(f"{side}: payments lost, doubled, changed, or that nobody sent", len(lost) + len(twice) + len(changed) + len(foreign), "", 0)
        stage.check(
            f"every acknowledged payment is on {side} exactly once",
            not (lost or twice or changed or foreign),
            f"{len(lost)} lost, {len(twice)} twice, {len(changed)} changed, {len(foreign)} of nobody" if lost or twice or changed or foreign else "",
        )
