"""Topics and their subscriptions."""

from ..call import patch, refuse

PENDING = "sns-pending-subscriptions"
# Attributes of topics that moto does not show, and those that it does.
KEPT = "sns-topic-attributes"
DEFAULTS = {("TracingConfig", "PassThrough"), ("SignatureVersion", "1")}
SHOWN = ("ContentBasedDeduplication", "DeliveryPolicy", "DisplayName", "FifoTopic", "KmsMasterKeyId", "Policy")
# A person, or a server, has to confirm before anything is sent to them.
ASKED = ("email", "email-json", "http", "https")


def _pending(call):
    return call.store.table(PENDING)


@patch("sns", "CreateTopic")
def create_topic(call):
    """AWS: a topic of this name with other attributes or tags is refused. moto: answers it whatever it has."""
    arn = call.arn(call.params["Name"])
    topic = call.backend.topics.get(arn)
    if topic is not None:
        tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or []}
        if tags and tags != topic._tags:
            refuse("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")
        key = (call.params.get("Attributes") or {}).get("KmsMasterKeyId", "")
        if key != topic.kms_master_key_id:
            refuse("InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes")
    answer = call.forward()
    for name, value in (call.params.get("Attributes") or {}).items():
        _keep(call, arn, name, value)
    return answer


def _keep(call, arn, name, value):
    kept = call.store.table(KEPT).setdefault(arn, {})
    kept[name] = value
    if not value or name in SHOWN or (name, value) in DEFAULTS:
        del kept[name]


@patch("sns", "SetTopicAttributes")
def set_attribute(call):
    """AWS: what is set is shown. moto: keeps the roles of its logs, tracing and the like, and shows none of them."""
    answer = call.forward()
    _keep(call, call.params["TopicArn"], call.params["AttributeName"], call.params.get("AttributeValue"))
    return answer


@patch("sns", "GetTopicAttributes")
def attributes(call):
    """See above."""
    answer = call.forward()
    answer.data["Attributes"].update(call.store.table(KEPT).get(call.params["TopicArn"], {}))
    return answer


@patch("sns", "DeleteTopic")
def delete_topic(call):
    """What is kept of a topic goes with it."""
    call.store.table(KEPT).pop(call.params["TopicArn"], None)
    return call.forward()


@patch("sns", "SetSubscriptionAttributes")
def set_subscription(call):
    """AWS: an empty filter, and any other policy without a value, is none. moto: shows it as it is."""
    name, value = call.params["AttributeName"], call.params.get("AttributeValue")
    if name == "RedrivePolicy" and value == "":
        refuse("InvalidParameter", "Invalid parameter: RedrivePolicy: failed to parse JSON.")
    answer = call.forward()
    if value in (None, "", "{}"):
        call.backend.subscriptions[call.params["SubscriptionArn"]].attributes.pop(name, None)
    return answer


@patch("sns", "Subscribe")
def subscribe(call):
    """AWS: e-mail and HTTP are pending until somebody confirms. moto: everybody is subscribed at once."""
    known = set(call.backend.subscriptions)
    answer = call.forward()
    arn = answer.data["SubscriptionArn"]
    if call.params["Protocol"] in ASKED and arn not in known:
        _pending(call)[arn] = True
    if arn in _pending(call) and str(call.params.get("ReturnSubscriptionArn")).lower() != "true":
        answer.data["SubscriptionArn"] = "pending confirmation"
    return answer


@patch("sns", "ConfirmSubscription")
def confirm(call):
    """AWS: takes the token that was sent. moto: takes any, and confirms nothing. Here the token is the endpoint, or what was
    subscribed last."""
    pending = [arn for arn in _pending(call) if arn in call.backend.subscriptions]
    mine = [arn for arn in pending if call.backend.subscriptions[arn].topic.arn == call.params["TopicArn"]]
    named = [arn for arn in mine if call.backend.subscriptions[arn].endpoint == call.params["Token"]]
    if not named:
        refuse("InvalidParameter", "Invalid parameter: Token")
    del _pending(call)[named[0]]
    return {"SubscriptionArn": named[0]}


@patch("sns", "ListSubscriptions", "ListSubscriptionsByTopic")
def list_subscriptions(call):
    """AWS: shows no ARN of what is pending. moto: always one."""
    answer = call.forward()
    for one in answer.data.get("Subscriptions") or []:
        if one["SubscriptionArn"] in _pending(call):
            one["SubscriptionArn"] = "PendingConfirmation"
    return answer


@patch("sns", "Unsubscribe")
def unsubscribe(call):
    """AWS: what is pending can't be unsubscribed. moto: takes anything."""
    arn = call.params["SubscriptionArn"]
    if not arn.startswith("arn:") or arn in _pending(call):
        refuse("InvalidParameter", "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements")
    return call.forward()


@patch("sns", "TagResource", "UntagResource", "ListTagsForResource")
def tags_of_unknown(call):
    """AWS: the topic must exist."""
    if call.params["ResourceArn"] not in call.backend.topics:
        refuse("ResourceNotFound", "Resource does not exist", 404)
    return call.forward()
