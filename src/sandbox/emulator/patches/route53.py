"""Public zones, their records, health checks."""

import datetime
import uuid

import moto.backends
from moto.route53.models import RecordSet

from ..call import patch, refuse
from ..store import store_of

# A domain that is delegated to nobody: what a deployment without a domain of its own uses here.
DEFAULT_ZONE = "sandbox.example."
ZONE_ID = "Z0SANDBOX0SANDBOX000"
MADE = "route53-default-zone"
# Kinds of records beside which no CNAME can stand.
ANSWERS = ("A", "AAAA", "CNAME", "MX", "TXT")


@patch("route53", "*")
def default_zone(call):
    """An account of the sandbox has a public zone from the start: a new one of AWS has none."""
    table = _store(call).table(MADE)
    if not table:
        table["made"] = True
        zone = call.backend.create_hosted_zone(DEFAULT_ZONE, private_zone=False, comment="")
        # The same in every account, so that two of them can be compared.
        del call.backend.zones[zone.resource_id]
        zone.resource_id = ZONE_ID
        call.backend.zones[ZONE_ID] = zone
    return call.forward()


@patch("route53", "CreateHostedZone")
def create_zone(call):
    """AWS: a reference is used once. moto: makes a second zone."""
    reference = call.params["CallerReference"]
    if any(zone.caller_reference == reference for zone in call.backend.zones.values()):
        refuse("HostedZoneAlreadyExists", f"A hosted zone has already been created with the specified caller reference: {reference}", 409)
    return call.forward()


@patch("route53", "DeleteHostedZone")
def delete_zone(call):
    """AWS: refused while there are records besides those that AWS made. moto: deletes them with it."""
    zone = call.backend.zones.get(call.params["Id"].split("/")[-1])
    own = [(_plain(zone.name), kind) for kind in ("NS", "SOA")] if zone else []
    if zone and any((_plain(record.name), record.type) not in own for record in zone.rrsets):
        refuse("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.", 400)
    return call.forward()


def _store(call):
    """The records of the account: this service has no regions, whatever region its requests are signed for."""
    return store_of(call.account, "aws")


def _plain(name):
    return name.rstrip(".").lower()


def _key(record):
    return _plain(record["Name"]), record["Type"], record.get("SetIdentifier")


def _shown(record):
    """A record set of moto with the members of the service model."""
    members = {
        "Name": record.name,
        "Type": record.type,
        "SetIdentifier": record.set_identifier,
        "Weight": record.weight,
        "TTL": record.ttl,
        "HealthCheckId": record.health_check_id,
        "AliasTarget": record.alias_target,
        "ResourceRecords": record.resource_records,
        "Failover": record.failover,
        "Region": record.region,
        "GeoLocation": record.geo_location,
        "MultiValueAnswer": record.multi_value_answer,
    }
    return {key: value for key, value in members.items() if value not in (None, [])}


def _values(record):
    """What a DELETE must repeat."""
    alias = record.get("AliasTarget")
    return (
        int(record["TTL"]) if record.get("TTL") is not None else None,
        sorted(item["Value"] for item in record.get("ResourceRecords", [])),
        (alias["HostedZoneId"], _plain(alias["DNSName"]), str(alias["EvaluateTargetHealth"]).lower()) if alias else None,
        int(record["Weight"]) if record.get("Weight") is not None else None,
        record.get("HealthCheckId"),
        record.get("Failover"),
        record.get("Region"),
    )


def _named(record):
    identifier = f", set identifier='{record['SetIdentifier']}'" if "SetIdentifier" in record else ""
    return f"[name='{record['Name']}', type='{record['Type']}'{identifier}]"


def _invalid(message):
    refuse("InvalidChangeBatch", f"[{message}]", 400)


@patch("route53", "ChangeResourceRecordSets")
def change_records(call):
    """AWS: all changes of a batch or none; CREATE of what is there, DELETE of what is not there or has other values are
    refused, and so are mixed and conflicting sets. moto: checks some of it against a journal, and deletes every set with
    an identifier."""
    zone = call.backend.get_hosted_zone(call.params["HostedZoneId"].split("/")[-1])
    sets = {_key(shown): shown for shown in map(_shown, zone.rrsets)}
    for change in call.params["ChangeBatch"]["Changes"]:
        _apply(call, zone, sets, change["Action"], dict(change["ResourceRecordSet"]))
    for record in sets.values():
        _check_neighbours(sets, record)
    zone.rrsets = [_kept(record) for record in sets.values()]
    now = datetime.datetime.now(datetime.timezone.utc)
    name = f"C{uuid.uuid4().hex[:20].upper()}"
    _store(call).table(CHANGES)[name] = call.clock.wall()
    return {"ChangeInfo": {"Id": f"/change/{name}", "Status": "PENDING", "SubmittedAt": now}}


@patch("route53", "GetChange")
def get_change(call):
    """AWS: pending until all servers answer the change. moto: in sync at once; so does the sandbox without a data plane."""
    answer = call.forward()
    made = _store(call).table(CHANGES).get(call.params["Id"].split("/")[-1])
    plane = store_of("sandbox", "control").table("data-plane")
    if made is not None and call.clock.wall() < made + float(plane.get("dns_delay", 0)):
        answer.data["ChangeInfo"]["Status"] = "PENDING"
    return answer


def _apply(call, zone, sets, action, record):
    name, key = _plain(record["Name"]), _key(record)
    own = _plain(zone.name)
    if name != own and not name.endswith(f".{own}"):
        _invalid(f"RRSet with DNS name {name}. is not permitted in zone {zone.name}")
    record["Name"] = f"{name}."
    if action == "DELETE":
        if key not in sets:
            _invalid(f"Tried to delete resource record set {_named(record)} but it was not found")
        if _values(sets[key]) != _values(record):
            _invalid(
                f"Tried to delete resource record set {_named(record)} but the values provided do not match the current values"
            )
        del sets[key]
        return
    if action == "CREATE" and key in sets:
        _invalid(f"Tried to create resource record set {_named(record)} but it already exists")
    check = record.get("HealthCheckId")
    if check and check not in call.backend.health_checks:
        _invalid(f"The specified health check {check} does not exist")
    if record.get("SetIdentifier") and record.get("Weight") is not None and not 0 <= int(record["Weight"]) <= 255:
        _invalid("Weight must be between 0 and 255")
    sets[key] = record


def _check_neighbours(sets, record):
    same_name = [other for other in sets.values() if _plain(other["Name"]) == _plain(record["Name"])]
    same = [other for other in same_name if other["Type"] == record["Type"]]
    if len({"Weight" in other for other in same}) > 1:
        _invalid(
            f"RRSet with DNS name {record['Name']}, type {record['Type']} cannot be created as a non-weighted set exists with the same name and type"
        )
    if record["Type"] == "CNAME" and any(other["Type"] != "CNAME" for other in same_name if other["Type"] in ANSWERS):
        _invalid(f"RRSet of type CNAME with DNS name {record['Name']} is not permitted as it conflicts with other records")


def _kept(record):
    kept = dict(record)
    if "ResourceRecords" in kept:
        kept["ResourceRecords"] = [item["Value"] for item in kept["ResourceRecords"]]
    if "AliasTarget" in kept:
        kept["AliasTarget"] = dict(kept["AliasTarget"]) | {"DNSName": f"{_plain(kept['AliasTarget']['DNSName'])}."}
    return RecordSet(kept)


REFERENCES = "route53-references"
CHANGES = "route53-changes"  # when a change was made, by the fast clock


ALARMS = "route53-alarms"  # what a check that follows an alarm has of it
COPIED = "EvaluationPeriods Threshold ComparisonOperator Period MetricName Namespace Statistic Dimensions".split()


def _alarm(call, identifier, data):
    """What a check copies of an alarm: one metric, a plain statistic."""
    watched = moto.backends.get_backend("cloudwatch")[call.account][identifier["Region"]].alarms.get(identifier["Name"])
    if watched is None:
        refuse("InvalidInput", f"The alarm {identifier['Name']} in {identifier['Region']} does not exist")
    if not watched.metric_name or not watched.statistic:
        refuse("InvalidInput", "A health check follows an alarm of one metric with a standard statistic")
    values = (
        watched.evaluation_periods,
        watched.threshold,
        watched.comparison_operator,
        watched.period,
        watched.metric_name,
        watched.namespace,
        watched.statistic,
        [{"Name": one.name, "Value": one.value} for one in watched.dimensions],
    )
    return {
        "AlarmIdentifier": dict(identifier),
        "InsufficientDataHealthStatus": data or "LastKnownStatus",
        "copied": dict(zip(COPIED, values)),
    }


def _followed(call, shown):
    """A check as AWS shows it: with its alarm. moto: loses that."""
    alarm = _store(call).table(ALARMS).get(shown["Id"])
    config = shown["HealthCheckConfig"]
    if alarm:
        for key in ("Port", "RequestInterval", "FailureThreshold", "MeasureLatency", "EnableSNI"):
            config.pop(key, None)
        config.update({key: alarm[key] for key in ("AlarmIdentifier", "InsufficientDataHealthStatus")})
        shown["CloudWatchAlarmConfiguration"] = alarm["copied"]
    return shown


@patch("route53", "ListHealthChecks", "GetHealthCheck")
def with_alarms(call):
    """AWS: the alarm of a check. moto: loses it."""
    answer = call.forward()
    for shown in answer.data.get("HealthChecks", []) or [answer.data[key] for key in ("HealthCheck",) if key in answer.data]:
        _followed(call, shown)
    return answer


@patch("route53", "CreateHealthCheck")
def create_check(call):
    """AWS: the same reference with the same settings answers the existing check, with others or that of a deleted one it is
    refused. moto: makes another one."""
    reference, config = call.params["CallerReference"], call.params["HealthCheckConfig"]
    known = _store(call).table(REFERENCES).get(reference)
    if known:
        name, before = known
        if name not in call.backend.health_checks or before != config:
            refuse("HealthCheckAlreadyExists", f"A health check with caller reference {reference} exists already.")
        return {"HealthCheck": _followed(call, _check(call, name)), "Location": f"https://route53.amazonaws.com/2013-04-01/healthcheck/{name}"}
    follows = config["Type"] == "CLOUDWATCH_METRIC"
    if follows and "AlarmIdentifier" not in config:
        refuse("InvalidInput", "A health check of this type needs an alarm")
    alarm = _alarm(call, config["AlarmIdentifier"], config.get("InsufficientDataHealthStatus")) if follows else None
    answer = call.forward()
    name = answer.data["HealthCheck"]["Id"]
    _store(call).table(REFERENCES)[reference] = (name, config)
    if alarm:
        _store(call).table(ALARMS)[name] = alarm
        _followed(call, answer.data["HealthCheck"])
    return answer


def _check(call, name):
    check = call.backend.health_checks[name]
    config = {key: value for key, value in check.health_check_config.items() if value is not None}
    return {
        "Id": check.id,
        "CallerReference": check.caller_reference,
        "HealthCheckConfig": config,
        "HealthCheckVersion": check.health_check_version,
    }


@patch("route53", "UpdateHealthCheck")
def update_check(call):
    """AWS: each update makes a new version, and what is not given stays. moto: stays at 1, and takes children and regions
    away."""
    check = call.backend.health_checks.get(call.params["HealthCheckId"])
    alarms = _store(call).table(ALARMS)
    known = alarms.get(call.params["HealthCheckId"])
    if known:
        identifier = call.params.get("AlarmIdentifier", known["AlarmIdentifier"])
        data = call.params.get("InsufficientDataHealthStatus", known["InsufficientDataHealthStatus"])
        # Only who names the alarm has it copied again.
        copied = _alarm(call, identifier, data) if "AlarmIdentifier" in call.params else known
        alarms[check.id] = copied | {"InsufficientDataHealthStatus": data}
    before = (check.children, check.regions) if check else (None, None)
    answer = call.forward()
    if "ChildHealthChecks" not in call.params:
        check.children = before[0]
    if "Regions" in call.params.get("ResetElements", []):
        check.set_regions([])
    elif "Regions" not in call.params:
        check.regions = before[1]
    check.health_check_version += 1
    answer.data["HealthCheck"] = _check(call, check.id)
    _followed(call, answer.data["HealthCheck"])
    return answer


@patch("route53", "DeleteHealthCheck")
def delete_check(call):
    """AWS: one that a calculated check uses is refused, an unknown one too; the tags go with it. moto: none of it."""
    name = call.params["HealthCheckId"]
    if name not in call.backend.health_checks:
        refuse("NoSuchHealthCheck", f"A health check with id {name} does not exist.")
    if any(name in (check.children or []) for check in call.backend.health_checks.values()):
        refuse("HealthCheckInUse", f"The health check {name} is in use by a calculated health check.")
    answer = call.forward()
    call.backend.resource_tags.pop(name, None)
    _store(call).table(ALARMS).pop(name, None)
    return answer


@patch("route53", "ListTagsForResource", "ListTagsForResources", "ChangeTagsForResource")
def tags_of_unknown(call):
    """AWS: NoSuchHealthCheck for an unknown check. moto: answers no tags."""
    if call.params.get("ResourceType") == "healthcheck":
        for name in call.params.get("ResourceIds") or [call.params.get("ResourceId")]:
            if name not in call.backend.health_checks:
                refuse("NoSuchHealthCheck", f"A health check with id {name} does not exist.")
    return call.forward()


@patch("route53", "ListHostedZonesByVPC")
def zones_by_vpc(call):
    """AWS: refuses a VPC that is not there; ids without a path. moto: answers nothing; ids with it."""
    vpc, region = call.params["VPCId"], call.params["VPCRegion"]
    ec2 = moto.backends.get_backend("ec2")[call.account][region]
    if vpc not in ec2.vpcs:
        refuse("InvalidVPCId", f"The VPC {vpc} in region {region} that you provided is not authorized to make the association.")
    answer = call.forward()
    for zone in answer.data.get("HostedZoneSummaries", []):
        zone["HostedZoneId"] = zone["HostedZoneId"].rsplit("/", 1)[-1]
    answer.data["MaxItems"] = str(call.params.get("MaxItems", 100))
    return answer
