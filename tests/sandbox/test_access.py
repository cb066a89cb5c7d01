"""Identity policies: what a caller with an access key of IAM may do, in AWS's words."""

import json

import boto3
from support import ACCOUNT, REGION, TAGS, Case, client, control, endpoint, key, role, specification, vpc

IAM = client("iam")
OURS = {"StringEquals": {"aws:ResourceTag/EnvironmentSuffix": "dev"}}
ASKED = {"StringEquals": {"aws:RequestTag/EnvironmentSuffix": "dev"}}


def allow(actions, resource="*", condition=None, effect="Allow", sid=None):
    """A statement."""
    statement = {"Effect": effect, "Action": actions, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {}) | ({"Sid": sid} if sid else {})


class Access(Case):
    """A user with the statements of each test."""

    number = 0

    def setUp(self):
        control("DELETE", "_sandbox/access")

    def holder(self, *statements):
        """A function that gives the clients of a new user with these statements."""
        Access.number += 1
        self.name = f"holder-{Access.number}"
        IAM.create_user(UserName=self.name)
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            IAM.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=document)
        made = IAM.create_access_key(UserName=self.name)["AccessKey"]
        return lambda service: boto3.client(
            service,
            endpoint_url=endpoint(),
            region_name=REGION,
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
        )

    def denied(self, code, action, resource):
        """AWS refuses what is inside, and names user, action and resource."""
        reason = f"user/{self.name} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action"
        return self.refused(code, reason)

    def test_who_has_no_policy_may_nothing_but_ask_who_it_is(self):
        mine = self.holder()
        with self.denied("UnauthorizedOperation", "ec2:DescribeVpcs", "*"):
            mine("ec2").describe_vpcs()
        with self.denied("AccessDenied", "s3:CreateBucket", "arn:aws:s3:::a-dev"):
            mine("s3").create_bucket(Bucket="a-dev", CreateBucketConfiguration={"LocationConstraint": REGION})
        with self.denied("AccessDeniedException", "logs:DescribeLogGroups", "*"):
            mine("logs").describe_log_groups()
        with self.denied("AccessDenied", "iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/a"):
            mine("iam").get_role(RoleName="a")
        self.assertEqual(mine("sts").get_caller_identity()["Arn"], f"arn:aws:iam::{ACCOUNT}:user/{self.name}")
        self.assertEqual(len(control("GET", "_sandbox/access")["denied"]), 4)

    def test_a_create_is_judged_by_the_tags_that_it_asks_for_and_needs_the_right_to_set_them(self):
        new = f"arn:aws:ec2:{REGION}:*:vpc/*"
        tags = {"StringEquals": {"ec2:CreateAction": ["CreateVpc"]}}
        only = self.holder(allow("ec2:CreateVpc", new, ASKED))
        with self.denied("UnauthorizedOperation", "ec2:CreateTags", f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/*"):
            only("ec2").create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification("vpc", EnvironmentSuffix="dev"))
        both = self.holder(allow("ec2:CreateVpc", new, ASKED), allow("ec2:CreateTags", "*", tags))
        for others in ({}, {"TagSpecifications": specification("vpc", EnvironmentSuffix="prod")}):
            with self.denied("UnauthorizedOperation", "ec2:CreateVpc", f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/*"):
                both("ec2").create_vpc(CidrBlock="10.0.0.0/16", **others)
        made = both("ec2").create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification("vpc", EnvironmentSuffix="dev"))
        with self.denied("UnauthorizedOperation", "ec2:CreateTags", f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/{made['Vpc']['VpcId']}"):
            both("ec2").create_tags(Resources=[made["Vpc"]["VpcId"]], Tags=TAGS)

    def test_what_is_there_is_judged_by_its_own_tags(self):
        theirs, ours = vpc(), vpc()
        client("ec2").create_tags(Resources=[ours], Tags=[{"Key": "EnvironmentSuffix", "Value": "dev"}])
        mine = self.holder(allow("ec2:DeleteVpc", f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/*", OURS))
        with self.denied("UnauthorizedOperation", "ec2:DeleteVpc", f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/{theirs}"):
            mine("ec2").delete_vpc(VpcId=theirs)
        mine("ec2").delete_vpc(VpcId=ours)
        arn = key()
        mine = self.holder(allow("kms:DisableKey", "*", OURS))
        with self.denied("AccessDeniedException", "kms:DisableKey", arn):
            mine("kms").disable_key(KeyId=arn)
        client("kms").tag_resource(KeyId=arn, Tags=[{"TagKey": "EnvironmentSuffix", "TagValue": "dev"}])
        mine("kms").disable_key(KeyId=arn)

    def test_a_role_is_passed_to_the_service_that_may_have_it(self):
        arn = role("passed", "lambda.amazonaws.com")
        function = {
            "FunctionName": "f",
            "Runtime": "nodejs18.x",
            "Handler": "i.h",
            "Role": arn,
            "Code": {"S3Bucket": "bucket", "S3Key": "key"},
        }
        create = allow("lambda:CreateFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f")
        to = lambda service: allow("iam:PassRole", arn, {"StringEquals": {"iam:PassedToService": service}})  # noqa: E731
        mine = self.holder(create, to("ecs-tasks.amazonaws.com"))
        with self.denied("AccessDeniedException", "iam:PassRole", arn):
            mine("lambda").create_function(**function)

    def test_a_restore_to_a_point_in_time_needs_the_option_group_of_its_engine(self):
        rds = client("rds")
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName="restored", DBParameterGroupFamily="aurora-postgresql14", Description="d"
        )
        arn = f"arn:aws:rds:{REGION}:{ACCOUNT}"
        kinds = ("cluster", "cluster-pg", "cluster-auto-backup", "subgrp")
        mine = self.holder(allow("rds:*", [f"{arn}:{kind}:*" for kind in kinds]))
        options = f"{arn}:og:default:aurora-postgresql-14"
        with self.denied("AccessDenied", "rds:RestoreDBClusterToPointInTime", options):
            mine("rds").restore_db_cluster_to_point_in_time(
                DBClusterIdentifier="new",
                SourceDBClusterIdentifier="old",
                DBClusterParameterGroupName="restored",
                UseLatestRestorableTime=True,
            )

    def test_a_deny_wins_and_what_cannot_be_judged_is_refused_and_listed(self):
        mine = self.holder(allow("sns:*"), allow("sns:DeleteTopic", "*", effect="Deny"))
        topic = mine("sns").create_topic(Name="t")["TopicArn"]
        with self.refused("AccessDenied", f"on resource: {topic} with an explicit deny in an identity-based policy"):
            mine("sns").delete_topic(TopicArn=topic)
        strange = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
        mine = self.holder(allow("sns:ListTopics", "*", strange, sid="Strange"))
        with self.denied("AccessDenied", "sns:ListTopics", "*"):
            mine("sns").list_topics()
        mine = self.holder(allow("*"))
        with self.refused("AccessDeniedException"):
            mine("dynamodb").list_exports()
        unjudged = control("GET", "_sandbox/access")["unjudged"]
        self.assertEqual(
            unjudged,
            {
                "dynamodb:ListExports: the action dynamodb:ListExports is not in reference.json": 1,
                "sns:ListTopics: Strange: the condition key aws:SourceVpc": 1,
            },
        )

    def test_how_often_a_statement_was_the_only_one_is_counted(self):
        mine = self.holder(allow("sns:ListTopics", sid="One"), allow("sns:List*", sid="Two"), allow("sqs:ListQueues", sid="Three"))
        mine("sns").list_topics()
        mine("sqs").list_queues()
        self.assertEqual(
            control("GET", "_sandbox/access")["statements"],
            {
                "One": {"allowed": 1, "alone": 0},
                "Three": {"allowed": 1, "alone": 1},
                "Two": {"allowed": 1, "alone": 0},
            },
        )

    def test_policies_of_groups_and_of_assumed_roles_count(self):
        mine = self.holder()
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow("sns:ListTopics")]})
        IAM.create_group(GroupName="g")
        IAM.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=document)
        IAM.add_user_to_group(GroupName="g", UserName=self.name)
        mine("sns").list_topics()
        arn = role("assumed", "ec2.amazonaws.com")
        IAM.put_role_policy(RoleName="assumed", PolicyName="p", PolicyDocument=document)
        given = client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
        taken = lambda service: boto3.client(  # noqa: E731
            service,
            endpoint_url=endpoint(),
            region_name=REGION,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
        taken("sns").list_topics()
        with self.refused("AccessDeniedException", f"arn:aws:sts::{ACCOUNT}:assumed-role/assumed/session is not authorized to perform: sqs:ListQueues"):
            taken("sqs").list_queues()

    def test_a_simulation_says_what_the_call_would_be_told(self):
        self.holder(allow("ec2:CreateVpc", "*", ASKED))
        arn = f"arn:aws:iam::{ACCOUNT}:user/{self.name}"
        entry = {"ContextKeyName": "aws:RequestTag/EnvironmentSuffix", "ContextKeyValues": ["dev"], "ContextKeyType": "string"}
        for entries, decision in (([entry], "allowed"), ([], "implicitDeny")):
            found = IAM.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["ec2:CreateVpc"], ContextEntries=entries)
            self.assertEqual([r["EvalDecision"] for r in found["EvaluationResults"]], [decision])
        with self.refused("NoSuchEntity"):
            IAM.simulate_principal_policy(PolicySourceArn=arn + "x", ActionNames=["ec2:CreateVpc"])
