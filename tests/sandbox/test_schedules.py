"""Schedules and their groups, and secrets that nobody but the deployment keeps."""

import json

from support import ACCOUNT, REGION, Case, client, control

SCHEDULER, IAM, SECRETS = client("scheduler"), client("iam"), client("secretsmanager")
TARGET = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:one"


def caller(name="scheduler-role", service="scheduler.amazonaws.com"):
    """A role that this service may take on."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    try:
        return IAM.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    except IAM.exceptions.EntityAlreadyExistsException:
        return IAM.get_role(RoleName=name)["Role"]["Arn"]


def schedule(group, name="one", **more):
    """What makes a schedule."""
    settings = {
        "GroupName": group,
        "Name": name,
        "ScheduleExpression": "rate(1 minute)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": TARGET, "RoleArn": caller()},
    }
    return settings | more


class Slow(Case):
    def slow(self):
        control("POST", "_sandbox/latency", {"latency": "60"})
        self.addCleanup(control, "POST", "_sandbox/latency", {"latency": "none"})


class Groups(Slow):
    def test_a_name_is_taken_once_and_a_token_answers_again(self):
        first = SCHEDULER.create_schedule_group(Name="taken", ClientToken="t1")
        again = SCHEDULER.create_schedule_group(Name="taken", ClientToken="t1")
        self.assertEqual(first["ScheduleGroupArn"], again["ScheduleGroupArn"])
        with self.refused("ConflictException"):
            SCHEDULER.create_schedule_group(Name="taken", ClientToken="t2")
        SCHEDULER.delete_schedule_group(Name="taken")
        with self.refused("ResourceNotFoundException"):
            SCHEDULER.get_schedule_group(Name="taken")
        SCHEDULER.create_schedule_group(Name="taken", ClientToken="t1")
        self.assertEqual(SCHEDULER.get_schedule_group(Name="taken")["State"], "ACTIVE")

    def test_a_group_without_tags_gets_some_later(self):
        arn = SCHEDULER.create_schedule_group(Name="tags")["ScheduleGroupArn"]
        self.assertEqual(SCHEDULER.list_tags_for_resource(ResourceArn=arn)["Tags"], [])
        SCHEDULER.tag_resource(ResourceArn=arn, Tags=[{"Key": "A", "Value": "b"}, {"Key": "C", "Value": "d"}])
        SCHEDULER.untag_resource(ResourceArn=arn, TagKeys=["A"])
        self.assertEqual(SCHEDULER.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "C", "Value": "d"}])
        with self.refused("ResourceNotFoundException"):
            SCHEDULER.list_tags_for_resource(ResourceArn=arn + "-not")

    def test_a_deletion_takes_a_while_and_the_schedules_along(self):
        self.slow()
        SCHEDULER.create_schedule_group(Name="leaving", ClientToken="l1")
        SCHEDULER.create_schedule(**schedule("leaving"))
        SCHEDULER.delete_schedule_group(Name="leaving")
        self.assertEqual(SCHEDULER.get_schedule_group(Name="leaving")["State"], "DELETING")
        listed = SCHEDULER.list_schedule_groups()["ScheduleGroups"]
        self.assertEqual({g["Name"]: g["State"] for g in listed}["leaving"], "DELETING")
        for call in (
            lambda: SCHEDULER.create_schedule_group(Name="leaving", ClientToken="l1"),
            lambda: SCHEDULER.create_schedule(**schedule("leaving", "two")),
            lambda: SCHEDULER.delete_schedule_group(Name="leaving"),
        ):
            with self.refused("ConflictException"):
                call()
        self.skip(61)
        with self.refused("ResourceNotFoundException"):
            SCHEDULER.get_schedule(GroupName="leaving", Name="one")
        with self.refused("ResourceNotFoundException"):
            SCHEDULER.list_schedules(GroupName="leaving")
        SCHEDULER.create_schedule_group(Name="leaving", ClientToken="l1")
        self.assertEqual(SCHEDULER.list_schedules(GroupName="leaving")["Schedules"], [])

    def test_the_default_group_stays(self):
        with self.refused("ValidationException"):
            SCHEDULER.delete_schedule_group(Name="default")
        with self.refused("ResourceNotFoundException"):
            SCHEDULER.delete_schedule_group(Name="never")


class Schedules(Case):
    def setUp(self):
        try:
            SCHEDULER.create_schedule_group(Name="group")
        except SCHEDULER.exceptions.ConflictException:
            pass

    def test_a_token_answers_again_and_a_name_is_taken_once(self):
        once = SCHEDULER.create_schedule(**schedule("group", "token", ClientToken="s1"))
        again = SCHEDULER.create_schedule(**schedule("group", "token", ClientToken="s1"))
        self.assertEqual(once["ScheduleArn"], again["ScheduleArn"])
        with self.refused("ConflictException"):
            SCHEDULER.create_schedule(**schedule("group", "token", ClientToken="s2"))

    def test_the_group_and_the_role_must_be_there(self):
        with self.refused("ResourceNotFoundException"):
            SCHEDULER.create_schedule(**schedule("nowhere"))
        for role in (f"arn:aws:iam::{ACCOUNT}:role/never", caller("lambda-role", "lambda.amazonaws.com")):
            with self.refused("ValidationException"):
                SCHEDULER.create_schedule(**schedule("group", "role", Target={"Arn": TARGET, "RoleArn": role}))

    def test_an_update_replaces_everything(self):
        SCHEDULER.create_schedule(
            **schedule("group", "all", State="DISABLED", Description="one", ActionAfterCompletion="DELETE")
        )
        SCHEDULER.update_schedule(**schedule("group", "all"))
        shown = SCHEDULER.get_schedule(GroupName="group", Name="all")
        self.assertEqual((shown["State"], shown["ActionAfterCompletion"]), ("ENABLED", "NONE"))
        self.assertNotIn("Description", shown)
        self.assertEqual(shown["Target"]["RetryPolicy"]["MaximumRetryAttempts"], 185)

    def test_what_the_model_forbids_is_refused(self):
        for wrong in (
            {"State": "ON"},
            {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}},
            {"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}},
            {"ClientToken": "no spaces"},
            {"Target": {"Arn": TARGET, "RoleArn": caller(), "RetryPolicy": {"MaximumRetryAttempts": 186}}},
        ):
            with self.refused("ValidationException"):
                SCHEDULER.create_schedule(**schedule("group", "wrong", **wrong))


class Secrets(Slow):
    def test_a_secret_without_a_value(self):
        arn = SECRETS.create_secret(Name="empty", Description="one", Tags=[{"Key": "A", "Value": "b"}])["ARN"]
        shown = SECRETS.describe_secret(SecretId=arn)
        self.assertNotIn("VersionIdsToStages", shown)
        with self.refused("ResourceExistsException"):
            SECRETS.create_secret(Name="empty")
        SECRETS.update_secret(SecretId=arn, Description="")
        self.assertFalse(SECRETS.describe_secret(SecretId=arn).get("Description"))
        self.assertEqual(SECRETS.describe_secret(SecretId=arn)["Tags"], [{"Key": "A", "Value": "b"}])

    def test_a_name_is_taken_until_the_deletion_and_can_be_restored(self):
        arn = SECRETS.create_secret(Name="window", SecretString="x")["ARN"]
        SECRETS.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
        self.assertIn("DeletedDate", SECRETS.describe_secret(SecretId="window"))
        with self.refused("InvalidRequestException"):
            SECRETS.create_secret(Name="window")
        SECRETS.restore_secret(SecretId=arn)
        self.assertEqual(SECRETS.get_secret_value(SecretId=arn)["SecretString"], "x")

    def test_a_deletion_without_a_window_takes_a_moment(self):
        self.slow()
        arn = SECRETS.create_secret(Name="forced")["ARN"]
        SECRETS.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
        with self.refused("InvalidRequestException"):
            SECRETS.create_secret(Name="forced")
        with self.refused("ResourceNotFoundException"):
            SECRETS.restore_secret(SecretId=arn)
        self.skip(61)
        with self.refused("ResourceNotFoundException"):
            SECRETS.describe_secret(SecretId=arn)
        SECRETS.create_secret(Name="forced")
