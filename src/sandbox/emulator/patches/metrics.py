"""Data of metrics: what was put, and what the control path says that AWS's own services measured."""

import datetime
import re

import moto.backends

from ..call import patch, refuse
from ..store import store_of

UTC = datetime.timezone.utc
DAY = 86_400
# "GetMetricData": queries of one call.
MOST = 500
RANGE = re.compile(r"(TC|PR)\(([\d.]*):([\d.]*)\)$")


def table():
    """(namespace, name, dimensions) -> second -> value -> how often. The account does not matter: one sandbox, one platform."""
    return store_of("sandbox", "control").table("metrics")


def _key(namespace, name, dimensions):
    return namespace, name, tuple(sorted(dimensions.items()))


def add(body):
    """`{"namespace", "name", "dimensions": {}, "points": [[second, value or {value: times}]]}`: adds to what is there."""
    there = table().setdefault(_key(body["namespace"], body["name"], body.get("dimensions", {})), {})
    for second, values in body["points"]:
        values = values if isinstance(values, dict) else {values: 1}
        counts = there.setdefault(int(second), {})
        for value, times in values.items():
            counts[float(value)] = counts.get(float(value), 0) + int(times)
    return {"seconds": len(there)}


def clear():
    """Forgets what the control path said."""
    table().clear()


def _put(backend, first, last):
    """What was put in this time: the key of its metric, second and value."""
    found = {}
    for datum in backend.metric_data:
        at = int(datum.timestamp.timestamp())
        if first <= at < last:
            key = _key(datum.namespace, datum.name, {one.name: one.value for one in datum.dimensions})
            found.setdefault(key, []).append((at, float(datum.value)))
    return found


def _points(put, key, first, last):
    """Second -> value -> how often, from both sources."""
    there = table().get(key, {})
    # Days of minutes may be there, and the question is about some of them.
    seconds = range(first, last) if last - first < len(there) else sorted(there)
    found = {at: dict(there[at]) for at in seconds if first <= at < last and at in there}
    for at, value in put.get(key, ()):
        counts = found.setdefault(at, {})
        counts[value] = counts.get(value, 0) + 1
    return found


def _statistic(name, counts):
    """One number from values and how often each came ("CloudWatch statistics definitions")."""
    number = sum(counts.values())
    total = sum(value * times for value, times in counts.items())
    plain = {
        "Sum": total,
        "SampleCount": number,
        "Average": total / number,
        "Minimum": min(counts),
        "Maximum": max(counts),
    }
    if name in plain:
        return plain[name]
    if re.fullmatch(r"p\d{1,2}(\.\d+)?|p100", name):
        wanted = float(name[1:]) / 100 * number
        for value in sorted(counts):
            wanted -= counts[value]
            if wanted <= 1e-9:
                return value
        return max(counts)
    between = RANGE.match(name)
    if between is None:
        refuse("ValidationError", f"The value {name} for parameter MetricDataQueries.member.1.MetricStat.Stat is not a valid statistic.")
    kind, low, high = between.groups()
    within = sum(times for value, times in counts.items() if (not low or value > float(low)) and (not high or value <= float(high)))
    return float(within) if kind == "TC" else 100.0 * within / number


def _series(put, query, first, last):
    stat = query["MetricStat"]
    period = int(stat["Period"])
    if period < 1 or (period >= 60 and period % 60):
        refuse("ValidationError", "Period must be 1, 5, 10, 20, 30, or a multiple of 60.")
    metric = stat["Metric"]
    key = _key(metric["Namespace"], metric["MetricName"], {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])})
    return _periods(put, key, period, stat["Stat"], first, last)


def _periods(put, key, period, statistic, first, last):
    """The second at which a period begins -> the statistic of its values."""
    periods = {}
    for at, counts in _points(put, key, first, last).items():
        bucket = periods.setdefault(at - at % period, {})
        for value, times in counts.items():
            bucket[value] = bucket.get(value, 0) + times
    return {at: _statistic(statistic, counts) for at, counts in periods.items() if counts}


def series(body):
    """For the data plane: `{"first", "last", "queries": [{"account", "region", "namespace", "name", "dimensions", "period",
    "statistic"}]}` answers a list for each query: the second of each period that has data, and its value."""
    every, put, found = moto.backends.get_backend("cloudwatch"), {}, []
    for one in body["queries"]:
        place = one["account"], one["region"]
        if place not in put:
            put[place] = _put(every[place[0]][place[1]], body["first"], body["last"])
        key = _key(one["namespace"], one["name"], one.get("dimensions", {}))
        values = _periods(put[place], key, int(one["period"]), one["statistic"], body["first"], body["last"])
        found.append(sorted(values.items()))
    return {"series": found}


@patch("cloudwatch", "GetMetricData")
def get_data(call):
    """AWS: percentiles, TC and PR, periods from the full minute on. moto: none of them. Expressions are moto's."""
    params = call.params
    queries = params["MetricDataQueries"]
    if any("MetricStat" not in query for query in queries):
        return call.forward()
    if len(queries) > MOST:
        refuse("ValidationError", f"The collection MetricDataQueries must not have a size greater than {MOST}.")
    ids = [query["Id"] for query in queries]
    if len(set(ids)) != len(ids) or not all(re.fullmatch(r"[a-z][a-zA-Z0-9_]*", one) for one in ids):
        refuse("ValidationError", "The values for parameter Id in MetricDataQueries are not unique or do not match ^[a-z][a-zA-Z0-9_]*$.")
    first, last = (_second(params[key]) for key in ("StartTime", "EndTime"))
    if first >= last:
        refuse("ValidationError", "The parameter EndTime must be greater than StartTime.")
    results, put = [], _put(call.backend, first, last)
    for query in queries:
        if query.get("ReturnData") is False:
            continue
        series = _series(put, query, first, last)
        order = sorted(series, reverse=params.get("ScanBy") != "TimestampAscending")
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label") or query["MetricStat"]["Metric"]["MetricName"],
                "Timestamps": [datetime.datetime.fromtimestamp(at, UTC) for at in order],
                "Values": [float(series[at]) for at in order],
                "StatusCode": "Complete",
            }
        )
    return {"MetricDataResults": results, "Messages": []}


def _second(value):
    if isinstance(value, datetime.datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, (int, float)):
        return int(value)
    return int(datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp())
