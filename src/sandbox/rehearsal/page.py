"""The page of a rehearsal: one HTML file without anything from elsewhere."""

import datetime
import html as escaping
import json

# Pixels.
WIDTH, LEFT, HEIGHT, GAP = 1160, 70, 130, 46
BIN = 2.0
COLORS = {"blue": "#2f6fde", "green": "#2f9e44", "bad": "#d6336c", "line": "#868e96"}
STYLE = """
:root { color-scheme: light dark; --text: #212529; --soft: #6c757d; --back: #ffffff; --grid: #dee2e6; }
@media (prefers-color-scheme: dark) { :root { --text: #e9ecef; --soft: #adb5bd; --back: #16191d; --grid: #343a40; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 1240px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--grid); vertical-align: top }
td.n { text-align: right; white-space: nowrap } .soft { color: var(--soft) } .bad { color: #d6336c } .good { color: #2f9e44 } code { font-size: .9em }
li { white-space: pre-wrap } svg text { fill: var(--text); font-size: 12px } svg .grid { stroke: var(--grid) } svg .soft { fill: var(--soft) } .chart { overflow-x: auto }
@media print { body { max-width: none; margin: 0 } .chart { overflow: visible } svg { width: 100%; height: auto } }
"""


def html(stage):
    """The whole page."""
    attempts = stage.load.attempts() if stage.load else []
    end = max([stage.began + 1, *(event["at"] for event in stage.events)])
    weights = _weights(stage)
    out = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>A rehearsed migration</title><style>{STYLE}</style>",
        "<h1>A rehearsed migration</h1>",
        f"<p class=soft>{datetime.datetime.fromtimestamp(stage.began, datetime.UTC):%Y-%m-%d %H:%M} UTC, {end - stage.began:.0f} seconds; "
        f"{len(attempts)} requests of customers; a minute of the shifts passes in {60 / stage.rate:g} s.</p>",
        _verdict(stage),
        "<h2>What customers saw</h2><div class=chart>",
        _charts(stage, attempts, weights, end),
        "</div><h2>Figures</h2>",
        _figures(stage),
        "<h2>What happened</h2>",
        _events(stage),
        "</html>",
    ]
    return "\n".join(out)


def _verdict(stage):
    if not stage.failures:
        return "<p class=good><b>Everything that was promised was seen.</b></p>"
    items = "".join(f"<li>{_text(one)}</li>" for one in stage.failures)
    return f"<p class=bad><b>Not as promised:</b></p><ul class=bad>{items}</ul>"


def _text(text):
    return escaping.escape(str(text))


def _weights(stage):
    """(real time, green's weight) at every change."""
    path = stage.folder / "state" / "dev.traffic.jsonl"
    if not path.exists() or stage.plane is None:
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        after = entry.get("after")
        if after and entry["event"] in ("weight_sent", "rollback_started", "cutover_done"):
            at = datetime.datetime.fromisoformat(entry["at"].replace("Z", "+00:00")).timestamp()
            found.append((stage.real(at), after["green"]))
    return found


def _charts(stage, attempts, weights, end):
    """Weights, shares and errors one below the other, with the acts as lines."""
    began = stage.began
    scale = (WIDTH - LEFT - 10) / max(1.0, end - began)
    x = lambda at: LEFT + (at - began) * scale  # noqa: E731
    bins = {}
    for one in attempts:
        entry = bins.setdefault(int((one["at"] - began) / BIN), {"blue": 0, "green": 0, "bad": 0, "slow": []})
        if one["status"] == 0 or one["status"] >= 500:
            entry["bad"] += 1
        elif one["side"] in entry:
            entry[one["side"]] += 1
        entry["slow"].append(one["ms"])
    charts = [
        ("green's weight, %", 100, [("green", _steps(weights, began, end))]),
        ("answered by green, %", 100, [("green", [(began + at * BIN, 100 * one["green"] / max(1, one["blue"] + one["green"])) for at, one in sorted(bins.items())])]),
        ("answers a second", None, [("blue", [(began + at * BIN, one["blue"] / BIN) for at, one in sorted(bins.items())]),
                                    ("green", [(began + at * BIN, one["green"] / BIN) for at, one in sorted(bins.items())])]),
        ("failed requests a second", None, [("bad", [(began + at * BIN, one["bad"] / BIN) for at, one in sorted(bins.items())])]),
        ("seconds behind: blue to green (green), green to blue (blue)", None, [("green", stage.lags.get("blue to green", [])), ("blue", stage.lags.get("green to blue", []))]),
        ("slowest of twenty, ms", None, [("line", [(began + at * BIN, sorted(one["slow"])[int(len(one["slow"]) * 0.95)]) for at, one in sorted(bins.items())])]),
    ]  # fmt: skip
    whole = 30 + len(charts) * (HEIGHT + GAP)
    out = [f"<svg width={WIDTH} height={whole} viewBox='0 0 {WIDTH} {whole}' role=img aria-label='weights, shares and errors over time'>"]
    acts = [event for event in stage.events if event["kind"] == "act"]
    for number, event in enumerate(acts):
        out.append(f"<line class=grid x1={x(event['at']):.1f} x2={x(event['at']):.1f} y1=18 y2={whole - 20}></line>")
        out.append(f"<text class=soft x={x(event['at']) + 3:.1f} y=14>{number + 1}<title>{_text(event['text'])}</title></text>")
    for number, (name, most, lines) in enumerate(charts):
        top = 40 + number * (HEIGHT + GAP)
        highest = most or max([1.0, *(value for _, points in lines for _, value in points)]) * 1.05
        y = lambda value, top=top, highest=highest: top + HEIGHT - min(value, highest) / highest * HEIGHT  # noqa: E731
        out.append(f"<text x={LEFT} y={top - 6}>{name}</text>")
        for part in (0, 0.5, 1):
            out.append(f"<line class=grid x1={LEFT} x2={WIDTH - 10} y1={y(part * highest):.1f} y2={y(part * highest):.1f}></line>")
            out.append(f"<text class=soft x={LEFT - 8} y={y(part * highest) + 4:.1f} text-anchor=end>{part * highest:.0f}</text>")
        for color, points in lines:
            path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in points)
            out.append(f"<polyline fill=none stroke='{COLORS[color]}' stroke-width=1.6 points='{path}'></polyline>")
    for seconds in range(0, int(end - began) + 1, 60):
        out.append(f"<text class=soft x={x(began + seconds):.1f} y={whole - 4} text-anchor=middle>{seconds} s</text>")
    out.append("</svg>")
    out.append("<ol>" + "".join(f"<li>{_text(event['text'])}</li>" for event in acts) + "</ol>")
    return "".join(out)


def _steps(weights, began, end):
    points, now = [(began, 0)], 0
    for at, weight in weights:
        points += [(at, now), (at, weight)]
        now = weight
    return [*points, (end, now)]


def _figures(stage):
    rows = []
    for one in stage.figures:
        above = one["limit"] is not None and one["value"] > one["limit"]
        limit = "" if one["limit"] is None else f"at most {one['limit']:g}"
        value = f"{one['value']:.4g}" if isinstance(one["value"], float) else one["value"]
        rows.append(f"<tr><td>{_text(one['name'])}<td class='n{' bad' if above else ''}'>{value} {_text(one['unit'])}<td class=soft>{limit}")
    return f"<table><tr><th>what<th>measured<th>wanted{''.join(rows)}</table>"


def _events(stage):
    rows = []
    for event in stage.events:
        seconds = f"{event['at'] - stage.began:.1f} s"
        text = _text(event["text"])
        if event["kind"] == "act":
            rows.append(f"<tr><td class='n soft'>{seconds}<td><b>{text}</b>")
        elif event["kind"] == "command":
            rows.append(f"<tr><td class='n soft'>{seconds}<td><code>{text}</code> <span class=soft>exit {event['exit']} after {event['seconds']:.1f} s</span>")
        else:
            rows.append(f"<tr><td class='n soft'>{seconds}<td class={event['kind']}>{text}")
    return f"<table>{''.join(rows)}</table>"
