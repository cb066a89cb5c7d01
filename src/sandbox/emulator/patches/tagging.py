"""The tagging API: one listing of all that has tags, over all services of a region."""

import contextlib

from moto.core.resource_tagging import iter_taggable_backends, make_tag_matcher, match_resource_type

from ..call import patch, refuse
from .config import RECORDERS


def _moto(call):
    for backend in iter_taggable_backends(call.account, call.region):
        for one in backend.iter_tagged_resources():
            yield one.arn, one.resource_type, one.tags


def _pairs(tags):
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in tags}


def _more(call):
    """What has tags on AWS and is not among moto's: (ARN, type, tags)."""
    elbv2 = call.backend_of("elbv2")
    for balancer in elbv2.load_balancers.values():
        for listener in balancer.listeners.values():
            tags = elbv2.tagging_service.get_tag_dict_for_resource
            yield listener.arn, "elasticloadbalancing:listener", tags(listener.arn)
            for arn in listener.rules:
                yield arn, "elasticloadbalancing:listener-rule", tags(arn)
    ecr = call.backend_of("ecr")
    for repository in ecr.repositories.values():
        yield repository.arn, "ecr:repository", ecr.tagger.get_tag_dict_for_resource(repository.arn)
    scheduler = call.backend_of("scheduler")
    for group in scheduler.schedule_groups.values():
        yield group.arn, "scheduler:schedule-group", scheduler.tagger.get_tag_dict_for_resource(group.arn)
    waf = call.backend_of("wafv2")
    for kind, things in (("webacl", waf.wacls), ("ipset", waf.ip_sets)):
        for thing in things.values():
            yield thing.arn, f"wafv2:{kind}", waf.tagging_service.get_tag_dict_for_resource(thing.arn)
    rds = call.backend_of("rds")
    for subscription in rds.event_subscriptions.values():
        yield subscription.arn, "rds:es", _pairs(subscription.get_tags())
    for mapping in call.backend_of("lambda")._event_source_mappings.values():
        yield mapping.arn, "lambda:event-source-mapping", mapping.tags or {}
    events = call.backend_of("events")
    for bus in events.event_buses.values():
        for rule in bus.rules.values():
            yield rule.arn, "events:rule", events.tagger.get_tag_dict_for_resource(rule.arn)
    for rule in call.backend_of("config").config_rules.values():
        yield rule.config_rule_arn, "config:config-rule", rule.tags
    for recorder in call.store.table(RECORDERS).values():
        yield recorder["arn"], "config:configuration-recorder", recorder["tags"]


@patch("resourcegroupstaggingapi", "GetResources")
def resources(call):
    """AWS: everything that is tagged, a page of so many resources (50). moto: knows no listeners, rules (of events neither), repositories, groups of
    schedules, web ACLs, event subscriptions, stream mappings and nothing of AWS Config, and ends a page at a hundred tags."""
    known = {}
    for arn, kind, tags in [*_moto(call), *_more(call)]:
        if tags:
            known[arn] = (kind, tags)
    matches = make_tag_matcher(call.params.get("TagFilters"))
    wanted = call.params.get("ResourceARNList") or known
    shown = [
        {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}
        for arn, (kind, tags) in sorted(known.items())
        if arn in wanted and matches(tags) and match_resource_type(kind, call.params.get("ResourceTypeFilters"))
    ]
    size = call.params.get("ResourcesPerPage") or 50
    if not 1 <= size <= 100:
        refuse("InvalidParameterException", "ResourcesPerPage must be between 1 and 100")
    start = 0
    if call.params.get("PaginationToken"):
        with contextlib.suppress(ValueError):
            start = int(call.params["PaginationToken"])
        if not start:
            refuse("PaginationTokenExpiredException", "The pagination token is not one of this request.")
    end = start + size
    return {"ResourceTagMappingList": shown[start:end], "PaginationToken": str(end) if end < len(shown) else ""}
