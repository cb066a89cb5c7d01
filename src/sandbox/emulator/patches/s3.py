"""Buckets: what a fresh one has, policies, logging, lifecycle, inventories and analytics."""

import json

from moto.s3.models import FakeBucket, PublicAccessBlock
from moto.s3.utils import bucket_policy_is_public

from .. import policies
from ..call import patch, refuse
from ..moto_parts import replaces

AES256 = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}}
LIFECYCLE, LOGGING, ANALYTICS = "s3-lifecycle", "s3-logging", "s3-analytics"


@replaces(FakeBucket, "__init__")
def _fresh_bucket(original):
    """AWS: a fresh bucket has SSE-S3, the full public access block and owner-enforced objects. moto: none of it."""

    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.encryption = json.loads(json.dumps(AES256))
        self.public_access_block = PublicAccessBlock(True, True, True, True)
        self.ownership_rule = "BucketOwnerEnforced"

    return init


@replaces(FakeBucket, "get_permission")
def _permission(original):
    """AWS evaluates conditions; the loopback endpoint stands for TLS 1.3. moto: takes any Deny as unconditional."""

    def get_permission(self, action, resource):
        if self.policy is None:
            return original(self, action, resource)
        context = {
            "aws:SecureTransport": "true",
            "s3:TlsVersion": "1.3",
            "aws:PrincipalAccount": self.account_id,
            "aws:SourceAccount": self.account_id,
        }
        kept = [s for s in policies.statements(self.policy) if policies.conditions_hold(s, context)]
        if not kept:
            from moto.iam.access_control import PermissionResult

            return PermissionResult.NEUTRAL
        whole = self.policy
        try:
            self.policy = json.dumps({"Version": "2012-10-17", "Statement": kept}).encode()
            return original(self, action, resource)
        finally:
            self.policy = whole

    return get_permission


@replaces(FakeBucket, "_log_permissions_enabled_policy")
def _may_log(original):
    """AWS: any statement that lets the logging service write counts. moto: 500 for `"Principal": "*"`, and an exact shape."""

    def permitted(target_bucket, target_prefix):
        if not target_bucket.policy:
            return False
        arn = f"arn:{target_bucket.partition}:s3:::{target_bucket.name}/{target_prefix or ''}x"
        for statement in policies.statements(target_bucket.policy):
            writer = {"*", "logging.s3.amazonaws.com"} & set(policies.principals(statement, "Service"))
            if (
                statement.get("Effect") == "Allow"
                and writer
                and policies.covers(statement, "Action", "s3:PutObject")
                and policies.covers(statement, "Resource", arn)
            ):
                return True
        return False

    return staticmethod(permitted)


def _bucket(call):
    return call.backend.get_bucket(call.params["Bucket"])


@patch("s3", "CreateBucket")
def create_bucket(call):
    """AWS: CreateBucketConfiguration.Tags tags the bucket at creation. moto: ignores them."""
    answer = call.forward()
    tags = (call.params.get("CreateBucketConfiguration") or {}).get("Tags") or []
    if tags:
        call.backend.put_bucket_tagging(call.params["Bucket"], {tag["Key"]: tag["Value"] for tag in tags})
    return answer


@patch("s3", "DeleteBucket")
def delete_bucket(call):
    """AWS: tags go with their bucket. moto: gives them to the next one of that name. The sandbox's records go too."""
    arn = _bucket(call).arn
    answer = call.forward()
    call.backend.tagger.delete_all_tags_for_resource(arn)
    for table in (LIFECYCLE, LOGGING, ANALYTICS):
        call.store.table(table).pop(call.params["Bucket"], None)
    return answer


@patch("s3", "DeleteBucketEncryption")
def delete_encryption(call):
    """AWS: the bucket goes back to SSE-S3; there is no bucket without. moto: none."""
    answer = call.forward()
    _bucket(call).encryption = json.loads(json.dumps(AES256))
    return answer


@patch("s3", "PutBucketPolicy")
def put_policy(call):
    """AWS: a malformed policy is refused; a public one is while the public access block says so. moto: takes both."""
    bucket, text = _bucket(call), call.request.body
    try:
        listed = policies.statements(text)
        well_formed = bool(listed) and all(
            s.get("Effect") in ("Allow", "Deny")
            and "Principal" in s
            and ("Action" in s or "NotAction" in s)
            and ("Resource" in s or "NotResource" in s)
            for s in listed
        )
    except (ValueError, AttributeError):
        refuse("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
    if not well_formed:
        refuse("MalformedPolicy", "Missing required field in a statement: Effect, Principal, Action or Resource")
    arn = f"arn:aws:s3:::{bucket.name}"
    for statement in listed:
        for resource in policies.as_list(statement.get("Resource")):
            if resource != arn and not resource.startswith(arn + "/") and resource != "*":
                refuse("MalformedPolicy", "Policy has invalid resource")
    block = bucket.public_access_block
    if block and block.block_public_policy and bucket_policy_is_public(text):
        refuse(
            "AccessDenied",
            f'User: arn:aws:iam::{call.account}:user/sandbox is not authorized to perform: s3:PutBucketPolicy on resource: "{arn}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.',
            403,
        )
    return call.forward()


@patch("s3", "PutBucketLifecycleConfiguration")
def put_lifecycle(call):
    """AWS: a rule needs an action; everything set reads back. moto: takes a rule without, loses parts."""
    wanted = call.params.get("LifecycleConfiguration") or {}
    actions = (
        "Expiration",
        "Transitions",
        "NoncurrentVersionTransitions",
        "NoncurrentVersionExpiration",
        "AbortIncompleteMultipartUpload",
    )
    for rule in wanted.get("Rules", []):
        if not any(rule.get(action) for action in actions):
            refuse("InvalidRequest", "At least one action needs to be specified in a rule.")
        _check_transitions(rule)
    answer = call.forward()
    size = call.params.get("TransitionDefaultMinimumObjectSize") or "all_storage_classes_128K"
    call.store.table(LIFECYCLE)[call.params["Bucket"]] = {
        "Rules": [_as_shown(rule) for rule in wanted.get("Rules", [])],
        "TransitionDefaultMinimumObjectSize": size,
    }
    return answer


def _check_transitions(rule):
    for transition in rule.get("Transitions", []):
        if transition.get("StorageClass") in ("STANDARD_IA", "ONEZONE_IA") and int(transition.get("Days") or 30) < 30:
            refuse(
                "InvalidArgument",
                "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'",
            )
    days = [int(transition["Days"]) for transition in rule.get("Transitions", []) if transition.get("Days") is not None]
    expiry = (rule.get("Expiration") or {}).get("Days")
    if expiry and days and int(expiry) <= max(days):
        refuse(
            "InvalidArgument", "'Days' in the Expiration action must be greater than 'Days' in the Transition action"
        )


def _as_shown(rule):
    """AWS answers an id for a rule that was given none, and an empty prefix for an empty filter."""
    shown = {key: value for key, value in rule.items() if value not in (None, [])}
    if "Filter" in rule and not rule["Filter"]:
        shown["Filter"] = {"Prefix": ""}
    shown.setdefault("ID", "sandbox-rule")
    return shown


@patch("s3", "GetBucketLifecycleConfiguration")
def get_lifecycle(call):
    """What was put, whole."""
    kept = call.store.table(LIFECYCLE).get(call.params["Bucket"])
    answer = call.forward()
    return kept if kept else answer


@patch("s3", "DeleteBucketLifecycle")
def delete_lifecycle(call):
    """Forgets what was put."""
    call.store.table(LIFECYCLE).pop(call.params["Bucket"], None)
    return call.forward()


@patch("s3", "PutBucketLogging")
def put_logging(call):
    """AWS: TargetObjectKeyFormat reads back. moto: loses it."""
    answer = call.forward()
    call.store.table(LOGGING)[call.params["Bucket"]] = (call.params.get("BucketLoggingStatus") or {}).get(
        "LoggingEnabled"
    )
    return answer


@patch("s3", "GetBucketLogging")
def get_logging(call):
    """What was put, whole."""
    answer = call.forward()
    kept = call.store.table(LOGGING).get(call.params["Bucket"])
    return {"LoggingEnabled": kept} if kept else answer


@patch("s3", "GetBucketNotificationConfiguration")
def get_notifications(call):
    """AWS: what was put, EventBridge too. moto: shows all but that."""
    answer = call.forward()
    kept = _bucket(call).notification_configuration
    if kept is not None and kept.event_bridge is not None:
        answer.data["EventBridgeConfiguration"] = {}
    return answer


def _gone(configurations, call):
    if configurations.pop(call.params["Id"], None) is None:
        refuse("NoSuchConfiguration", "The specified configuration does not exist.", 404)
    return {}


@patch("s3", "DeleteBucketInventoryConfiguration")
def delete_inventory(call):
    """AWS: takes that inventory away. moto: the whole bucket."""
    return _gone(_bucket(call).inventory_configs, call)


def _analytics(call):
    """The configurations of a bucket that is there, by id. moto has none."""
    return call.store.table(ANALYTICS).setdefault(_bucket(call).name, {})


@patch("s3", "PutBucketAnalyticsConfiguration")
def put_analytics(call):
    """AWS: see the others. moto: takes it for CreateBucket."""
    _analytics(call)[call.params["Id"]] = call.params["AnalyticsConfiguration"]
    return {}


@patch("s3", "GetBucketAnalyticsConfiguration")
def get_analytics(call):
    """moto: takes it for a listing of objects."""
    kept = _analytics(call).get(call.params["Id"])
    return {"AnalyticsConfiguration": kept} if kept else _gone({}, call)


@patch("s3", "ListBucketAnalyticsConfigurations")
def list_analytics(call):
    """moto: takes it for a listing of objects."""
    return {"IsTruncated": False, "AnalyticsConfigurationList": list(_analytics(call).values())}


@patch("s3", "DeleteBucketAnalyticsConfiguration")
def delete_analytics(call):
    """moto: takes it for DeleteBucket."""
    return _gone(_analytics(call), call)
