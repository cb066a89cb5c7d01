"""Subscriptions to events of databases."""

from ..call import patch, refuse


def _existing(call):
    name = call.params["SubscriptionName"]
    known = call.backend.event_subscriptions.get(name)
    return known if known else refuse("SubscriptionNotFound", f"Subscription {name} not found.", 404)


# "Amazon RDS event categories and event messages": parameter groups know one.
CATEGORIES = {"db-parameter-group": ["configuration change"]}


def _check_source(call, kind, source):
    rds = call.backend
    known = {
        "db-cluster": rds.clusters,
        "db-instance": rds.databases,
        "db-parameter-group": rds.db_parameter_groups,
    }.get(kind)
    if known is not None and source not in known:
        refuse("SourceNotFound", f"Source {source} not found.", 404)


def _check_categories(kind, categories):
    for category in categories:
        if category not in CATEGORIES.get(kind, [category]):
            refuse("SubscriptionCategoryNotFound", f"Category {category} does not exist for {kind}.", 404)


def _shown(call):
    found = call.ask("DescribeEventSubscriptions", SubscriptionName=call.params["SubscriptionName"])
    return {"EventSubscription": found["EventSubscriptionsList"][0]}


@patch("rds", "CreateEventSubscription")
def create(call):
    """AWS: the topic, the sources and the categories must exist. moto: takes any."""
    topic = call.params["SnsTopicArn"]
    if topic not in call.backend_of("sns").topics:
        refuse("SNSTopicArnNotFound", "The SNS topic ARN does not exist.", 404)
    kind = call.params.get("SourceType")
    for source in call.params.get("SourceIds", []):
        _check_source(call, kind, source)
    _check_categories(kind, call.params.get("EventCategories", []))
    return call.forward()


@patch("rds", "ModifyEventSubscription")
def modify(call):
    """moto: not implemented."""
    one = _existing(call)
    _check_categories(call.params.get("SourceType", one.source_type), call.params.get("EventCategories", []))
    for param, attribute in (
        ("SnsTopicArn", "sns_topic_arn"),
        ("SourceType", "source_type"),
        ("EventCategories", "event_categories"),
        ("Enabled", "enabled"),
    ):
        if param in call.params:
            setattr(one, attribute, call.params[param])
    return _shown(call)


@patch("rds", "AddSourceIdentifierToSubscription")
def add_source(call):
    """moto: not implemented."""
    one = _existing(call)
    _check_source(call, one.source_type, call.params["SourceIdentifier"])
    one.source_ids = [*one.source_ids, call.params["SourceIdentifier"]]
    return _shown(call)


@patch("rds", "RemoveSourceIdentifierFromSubscription")
def remove_source(call):
    """moto: not implemented."""
    one = _existing(call)
    one.source_ids = [source for source in one.source_ids if source != call.params["SourceIdentifier"]]
    return _shown(call)
