"""EventBridge keeps to AWS's rules where moto does not."""

import json

from support import ACCOUNT, REGION, Case, client

EVENTS = client("events")
PATTERN = json.dumps({"source": ["aws.ecs"]})
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"


class Rules(Case):
    def test_a_rule_keeps_its_tags_and_is_not_deleted_with_targets(self):
        arn = EVENTS.put_rule(Name="one", EventPattern=PATTERN, Tags=[{"Key": "A", "Value": "b"}])["RuleArn"]
        EVENTS.put_rule(Name="one", EventPattern=PATTERN, State="DISABLED", Tags=[{"Key": "A", "Value": "c"}])
        self.assertEqual(EVENTS.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "A", "Value": "b"}])
        self.assertEqual(EVENTS.describe_rule(Name="one")["State"], "DISABLED")
        EVENTS.put_targets(Rule="one", Targets=[{"Id": str(n), "Arn": TOPIC} for n in range(5)])
        with self.refused("LimitExceededException"):
            EVENTS.put_targets(Rule="one", Targets=[{"Id": "more", "Arn": TOPIC}])
        with self.refused("ValidationException"):
            EVENTS.delete_rule(Name="one")
        EVENTS.remove_targets(Rule="one", Ids=[str(n) for n in range(5)])
        EVENTS.delete_rule(Name="one")
        with self.refused("ResourceNotFoundException"):
            EVENTS.list_targets_by_rule(Rule="one")

    def test_a_pattern_is_an_object_of_lists(self):
        for pattern in ("x", "[]", "{}", json.dumps({"source": "aws.ecs"})):
            with self.refused("InvalidEventPatternException"):
                EVENTS.put_rule(Name="two", EventPattern=pattern)
