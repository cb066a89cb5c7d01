"""Subscriptions to events of databases."""

from ..call import patch, refuse


def _existing(call):
    name = call.params["SubscriptionName"]
    known = call.backend.event_subscriptions.get(name)
    return known if known else refuse("SubscriptionNotFound", f"Subscription {name} not found.", 404)


def _shown(call):
    found = call.ask("DescribeEventSubscriptions", SubscriptionName=call.params["SubscriptionName"])
    return {"EventSubscription": found["EventSubscriptionsList"][0]}


@patch("rds", "CreateEventSubscription")
def create(call):
    """AWS: the topic must exist. moto: takes any."""
    topic = call.params["SnsTopicArn"]
    if topic not in call.backend_of("sns").topics:
        refuse("SNSTopicArnNotFound", "The SNS topic ARN does not exist.", 404)
    return call.forward()


@patch("rds", "ModifyEventSubscription")
def modify(call):
    """moto: not implemented."""
    one = _existing(call)
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
    one.source_ids = [*one.source_ids, call.params["SourceIdentifier"]]
    return _shown(call)


@patch("rds", "RemoveSourceIdentifierFromSubscription")
def remove_source(call):
    """moto: not implemented."""
    one = _existing(call)
    one.source_ids = [source for source in one.source_ids if source != call.params["SourceIdentifier"]]
    return _shown(call)
