"""The story: a migration from the first command to the last, with what goes wrong on the way."""

import json
import time
from pathlib import Path

from . import databases, guide, measure
from .load import Load
from .stage import Unexpected

DOMAIN = "dev.sandbox.example"
HERE = Path(__file__).resolve().parent
BAKE = 5
STEPS, SHORT_STEPS = "10,25,50,75,100", "25,50,100"
# How often the load may be halved.
MOST_SLOW = 2
# Median of what a request takes beside its database.
WORK_MS = 200


def configure(stage, mode):
    """`deployer.toml` and the mapping of the worked example, with its invariants and a mode of a split."""
    mapping = json.loads((HERE / "mappings" / "default.json").read_text(encoding="utf-8"))
    mapping.pop("$schema", None)
    mapping |= json.loads((HERE / "mappings" / "invariants.json").read_text(encoding="utf-8")) | {"mode": mode}
    (stage.folder / "mapping.json").write_text(json.dumps(mapping, indent=1), encoding="utf-8")
    # Nobody counts calls here, as AWS does.
    sections = {"routing": f'domain = "{DOMAIN}"', "run": "api_limits = 1000", "migration": 'mapping = "mapping.json"'}
    text = "\n".join(f"[{name}]\n{line}\n" for name, line in sections.items())
    (stage.folder / "deployer.toml").write_text(text, encoding="utf-8")


def play(stage, per_second, short, keep):
    """All acts."""
    stage.act("A machine, an account, and today's system: blue")
    configure(stage, "two-way" if short else "read-only")
    stage.up()
    stage.run("doctor", (0, 2))
    stage.run("permissions --for rollback", quiet=True)
    stage.run("apply --env blue --yes")
    stage.until("blue's database", lambda: databases.ready(stage, "blue"))
    databases.tables(stage, "blue")
    databases.seed(stage)
    working(stage)
    stage.load = Load(stage, DOMAIN, per_second)
    stage.event("note", f"customers send {per_second:g} requests a second, half of them payments")

    stage.act("Green is built beside it; nobody sees it")
    stage.run("apply --env green --yes")
    stage.run("apply --yes")
    stage.until("green's database", lambda: databases.ready(stage, "green"))
    working(stage)
    stage.run("migrate plan", 8)
    schema(stage)
    stage.run("migrate plan")

    stage.act("The data is copied while blue works")
    stage.run("migrate start --yes")
    began = time.time()
    stage.until("the copy", lambda: follows(stage), 120, 1.0)
    stage.figure("copy of blue's data until green follows", time.time() - began, "s")
    # The mode of the split is proven by `prepare`, below.
    document = stage.json("migrate verify", 7)["verify"]
    stage.check("no row differs", document["mismatches"] == 0 and document["verdict"] == "incomplete", document["verdict"])

    if not short:
        patiently(stage, reading)
    two_ways(stage, switch=not short)
    steps = SHORT_STEPS if short else STEPS
    patiently(stage, first_shift, steps, short)
    patiently(stage, dead_green)
    if not short:
        patiently(stage, alone)
    patiently(stage, second_shift, steps)
    cutovers(stage, short)
    ending(stage, keep)
    if not keep:
        missing = guide.missing(stage, short)
        stage.check(f"{'what was played of the guide' if short else 'every command of the guide was played, and'} printed what the guide says", not missing, "; ".join(missing))


def working(stage, *green):
    """Both sides' services take the time that services take; green's payment-api as it is asked to."""
    all_of = {name: {"work_ms": WORK_MS} for name in stage.ask("/state")["service"]}
    if green:
        all_of["green/payment-api"].update(green)
    stage.ask("/services", {name: None for name in all_of})
    stage.ask("/services", all_of)


def schema(stage):
    """The application's image makes green's tables; the story plays the image."""
    stage.emulator("/tasks", {"payment-api": {}})
    task = stage.start("migrate schema --service payment-api --command 'bin/migrate up' --yes")
    databases.tables(stage, "green")
    stage.emulator("/tasks", {"payment-api": {"exit": 0, "log": ["green's tables are made"]}})
    stage.wait(task)
    stage.emulator("/tasks", {"payment-api": None})


def follows(stage):
    """True when the copy is complete and green follows."""
    status = stage.json("migrate status", (0, 2))
    sync = status.get("sync") or {}
    return sync.get("phase") == "following" and sync.get("consistent", True)


def verified(stage):
    """Both sides are equal, or will be: rows in motion are looked at again."""
    for _ in range(8):
        document = stage.json("migrate verify", (0, 2, 7))
        verdict = document["verify"]["verdict"]
        if document["verify"]["ok"]:
            break
        time.sleep(1)
    stage.check("verify finds both sides equal", document["verify"]["ok"], f"{verdict} {'; '.join(document['verify'].get('problems') or [])[:200]}")


def prepared(stage):
    """The way back exists and is proven before green takes a request."""
    lost = stage.json("migrate plan")["control"]["irreversible"]
    stage.run(f"migrate cutover --prepare --accept {','.join(lost)} --yes")
    verified(stage)


def reading(stage):
    """A part of the customers reads from green; payments go to blue from both."""
    stage.act("A split in which green only reads")
    prepared(stage)
    measure.quiet(stage)
    began = time.time()
    whole(stage, f"traffic shift --steps 25 --bake {BAKE} --yes")
    stage.run("traffic status", (0, 2))
    measure.share(stage, "green", began + (time.time() - began) / 2, time.time(), "look", 25)
    measure.refused(stage, began, "while green only reads")
    stage.run("traffic rollback --reason 'the read-only part is over'")


def two_ways(stage, switch):
    """Both sides take payments from now on."""
    stage.act("Both sides may take payments: data flows both ways")
    if switch:
        configure(stage, "two-way")
        stage.run("apply --yes")
    prepared(stage)


class Slow(Exception):
    """The gate sent everybody back, as it should when green is slow or refuses requests, and the story had not made it so."""


def reached(stage, shift, wanted, seconds):
    """Waits until green has a weight; a shift that ends before is a surprise."""
    stage.until(f"weight {wanted}", lambda: weight(stage) == wanted or shift.poll() is not None, seconds)
    if shift.poll() is not None and weight(stage) != wanted:
        sent_back(stage, shift)
    # Once resolvers have the new weights.
    time.sleep(60 / stage.rate)
    stage.load.start_anew()


def sent_back(stage, shift):
    """A shift that ended by itself: sent back by the gate, or the story cannot go on."""
    stage.wait(shift, expect=5)
    raise Slow


def whole(stage, line):
    """A shift to its end."""
    shift = stage.start(line)
    stage.wait(shift, expect=(0, 5))
    if shift.returncode == 5:
        raise Slow


def patiently(stage, play, *more):
    """Plays an act; again with half the load when this machine was too slow for it."""
    while True:
        measure.bearable(stage)
        try:
            return play(stage, *more)
        except Slow:
            stage.slow += 1
            if stage.slow > MOST_SLOW:
                raise Unexpected("this machine is too slow for the load: the gate has sent everybody back again and again") from None
            stage.load.less()
            stage.event("note", "this machine was too slow, and the gate saw it: half the load, once more")
            live(stage)
            verified(stage)


def first_shift(stage, steps, short):
    """Green fails at a quarter of the traffic; the gate takes it back."""
    stage.act("A shift, and green fails at 25 %")
    shift = stage.start(f"traffic shift --steps {steps} --bake {BAKE} --yes")
    reached(stage, shift, 25, 240)
    time.sleep(60 / stage.rate)
    failed = time.time()
    # Who had no answer sends the payment again, to blue if that is where the name leads by then.
    working(stage, ("fail", 0.4), ("fail_after", 0.0 if short else 0.1))
    stage.event("bad", "green's payment-api fails 40 % of its requests" + ("" if short else ", and some only after it has written them"))
    stage.wait(shift, expect=5)
    back = measure.moment(stage, "rollback_started", failed)
    stage.figure("from the first failures to the gate's verdict, in minutes of the shift", (back - failed) * stage.rate / 60, "min")
    measure.rollback(stage, back)
    stage.event("note", "the fault is repaired")
    live(stage)


def dead_green(stage):
    """Green is gone at once; probes see it within seconds."""
    stage.act("A shift, and green's services die at 10 %")
    shift = stage.start(f"traffic shift --steps 10,100 --bake {BAKE} --yes")
    reached(stage, shift, 10, 120)
    time.sleep(60 / stage.rate)
    died = time.time()
    die(stage)
    stage.wait(shift, expect=5)
    back = measure.moment(stage, "rollback_started", died)
    stage.figure("dead green: until the verdict", back - died, "s", 5)
    measure.rollback(stage, back)
    live(stage)


def die(stage):
    """Green's services are gone."""
    stage.ask("/services", {f"green/{name}": {"dead": True} for name in ("payment-api", "transaction-processor", "reporting")})
    stage.event("bad", "green's services refuse every connection")


def live(stage):
    """They are there again, and everybody sees it."""
    working(stage)
    stage.until("green's services", lambda: healthy(stage), 60)
    measure.quiet(stage)
    decide(stage)


def decide(stage):
    """What green wrote right before it died, its answer lost, was sent to blue again: both sides have a payment for one key. It is held,
    and a person decides."""
    twice = databases.used_twice(stage)
    if twice:
        problems = "; ".join(stage.json("migrate verify", (0, 2, 7))["verify"]["problems"] or [])
        stage.check("a key that was used on both sides is held and named", "could not go back" in problems, problems[:200])
        stage.event("note", f"{len(twice)} keys were used on both sides; green's payments, which nobody got an answer for, are taken out")
        databases.void(stage, twice)
        stage.until("what was held to be free", lambda: not measure.held(stage), 60, 1.0)
        verified(stage)


def alone(stage):
    """No process of ours runs when green is gone: Route 53 and a guard take it out."""
    stage.act("A shift, and its process and green's services die")
    shift = stage.start(f"traffic shift --steps 25,100 --bake {BAKE} --yes")
    reached(stage, shift, 25, 120)
    stage.kill(shift)
    stage.event("bad", "the process that shifts was killed")
    died = time.time()
    die(stage)
    stage.until("blue for everybody who looks the name up", lambda: measure.blue_by_name(stage, died + 1), 600 / stage.rate + 30, 1.0)
    stage.figure("dead green and no process: until Route 53 answers blue alone", round((time.time() - 3 - died) * stage.rate / 60, 1), "min of the clock")
    stage.until("a guard", lambda: measure.guards(stage), 900 / stage.rate + 30, 1.0)
    began = time.time()
    stage.run("traffic resume", 5)
    stage.check("what the guard did is a recorded rollback", weight(stage) == 0)
    measure.rollback(stage, measure.moment(stage, "rollback_started", began))
    live(stage)


def second_shift(stage, steps):
    """To the end, past a killed process and a new password."""
    stage.act("The shift again: a process is killed, a password is new, and green gets everything")
    verified(stage)
    shift = stage.start(f"traffic shift --steps {steps} --bake {BAKE} --yes")
    reached(stage, shift, 50, 300)
    stage.kill(shift)
    stage.event("bad", "the process that shifts was killed")
    rotated(stage)
    began = time.time()
    whole(stage, "traffic resume")
    stage.check("green has all weight", weight(stage) == 100)
    measure.refused(stage, began, "during the last steps")


def rotated(stage):
    """RDS gives green's owner another password."""
    place = databases.shown(stage, "green")
    databases.aws(stage, "secretsmanager").rotate_secret(SecretId=place["secret"])
    stage.event("note", "green's password was rotated")


def cutovers(stage, short):
    """Green alone takes the writes; and back; and again."""
    stage.act("The cutover: green alone takes payments")
    cutover(stage, "go")
    if not short:
        stage.act("Second thoughts: the reverse cutover")
        cutover(stage, "reverse")
        stage.act("The cutover again")
        cutover(stage, "go")


def cutover(stage, way):
    """One cutover, measured at the customers."""
    began = time.time()
    stage.run(f"migrate cutover --{way}" + ("" if way == "reverse" else " --yes"))
    writer = {"go": "green", "reverse": "blue"}[way]
    stage.until(f"payments on {writer}", lambda: measure.last_side(stage) == writer, 30)
    stage.figure(f"cutover --{way}: payments refused", measure.outage(stage, began, "pay"), "s", 3)
    measure.refused(stage, began, f"during cutover --{way}", "look")


def ending(stage, keep):
    """Every payment is where it belongs, and nothing is left."""
    stage.act("The end of the way back")
    stage.figure("acts that were played again, with half the load, because this machine was too slow", stage.slow)
    stage.load.end()
    time.sleep(1)
    stage.until("both streams", lambda: measure.is_quiet(stage), 60, 1.0)
    measure.payments(stage)
    stage.run("migrate cutover --finish --yes")
    for side in ("blue", "green"):
        left = databases.slots(stage, side)
        stage.check(f"no replication slot is left on {side}", not left, ", ".join(left))
    if keep:
        return
    stage.act("Everything is torn down")
    stage.run("destroy --env blue --yes --destroy-data")
    stage.run("destroy --yes --destroy-data --ignore-migration")
    left = [one["ResourceARN"] for page in databases.aws(stage, "resourcegroupstaggingapi").get_paginator("get_resources").paginate(
        TagFilters=[{"Key": "Service", "Values": ["payment-processing"]}]) for one in page["ResourceTagMappingList"]]  # fmt: skip
    left = [one for one in left if ":kms:" not in one]
    stage.check("nothing with the platform's tags is left, but keys that wait for their deletion", not left, ", ".join(left[:5]))


def weight(stage):
    """Green's weight in the zone."""
    records = [record for zone in stage.emulator("/model")["zones"] for record in zone["records"]]
    mine = [one for one in records if one["Type"] == "A" and one["Name"] == f"{DOMAIN}." and "green" in one.get("SetIdentifier", "")]
    return int(mine[0]["Weight"]) if mine else None


def healthy(stage):
    """True when every target of green is healthy."""
    groups = stage.ask("/state")["health"]["targets"]
    mine = [targets for name, targets in groups.items() if "green" in name and "bridge" not in name]
    return bool(mine) and all(all(targets.values()) for targets in mine)
