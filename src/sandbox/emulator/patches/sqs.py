"""Queues."""

from ..call import patch, refuse

DELETED = "sqs-deleted-queues"


@patch("sqs", "CreateQueue")
def create_queue(call):
    """AWS: the name of a deleted queue is taken for a while; a queue that exists keeps its tags. moto: neither."""
    name = call.params["QueueName"]
    free_at = call.store.table(DELETED).get(name, 0)
    if free_at > call.clock.now():
        refuse(
            "AWS.SimpleQueueService.QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
        )
    queue = call.backend.queues.get(name)
    tags = None if queue is None else dict(queue.tags)
    answer = call.forward()
    if tags is not None:
        queue.tags = tags
    return answer


@patch("sqs", "DeleteQueue")
def delete_queue(call):
    """AWS: see CreateQueue."""
    name = call.params["QueueUrl"].rsplit("/", 1)[-1]
    answer = call.forward()
    call.store.table(DELETED)[name] = call.clock.ready_at("sqs/queue deletion")
    return answer


@patch("sqs", "SetQueueAttributes")
def set_attributes(call):
    """AWS: an attribute that is not named stays. moto: the policy goes."""
    queue = call.backend.queues.get(call.params["QueueUrl"].rsplit("/", 1)[-1])
    before = None if queue is None else queue.policy
    answer = call.forward()
    if queue is not None and "Policy" not in call.params["Attributes"]:
        queue.policy = before
    return answer


@patch("sqs", "GetQueueAttributes")
def attributes(call):
    """AWS: which queues may send what nobody could deal with reads back. moto: keeps it, and does not show it."""
    answer = call.forward()
    queue = call.backend.queues.get(call.params["QueueUrl"].rsplit("/", 1)[-1])
    allowed = getattr(queue, "redrive_allow_policy", None)
    if allowed and "All" in (call.params.get("AttributeNames") or []):
        answer.data.setdefault("Attributes", {})["RedriveAllowPolicy"] = allowed
    return answer
