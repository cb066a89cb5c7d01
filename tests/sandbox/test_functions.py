"""Functions: states, interfaces in subnets, settings that moto loses, mappings of streams."""

import io
import json
import zipfile

from support import Case, client, control, group, role, subnets, vpc

FUNCTIONS, EC2, SQS, LOGS, TABLES = (client(s) for s in ("lambda", "ec2", "sqs", "logs", "dynamodb"))


def archive(text="exports.handler = async () => ({})"):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("f.js", text)
    return packed.getvalue()


class Functions(Case):
    def setUp(self):
        control("POST", "moto-api/reset")
        self.addCleanup(control, "POST", "_sandbox/latency", {"latency": "none"})
        network = vpc()
        self.network = {"SubnetIds": subnets(network)[:2], "SecurityGroupIds": [group(network)]}
        self.role = role("f", "lambda.amazonaws.com")
        LOGS.create_log_group(logGroupName="/aws/lambda/f")
        url = SQS.create_queue(QueueName="failed")["QueueUrl"]
        self.queue = SQS.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def make(self, name="f", **more):
        settings = {"Runtime": "nodejs18.x", "Handler": "f.handler", "Role": self.role, "VpcConfig": self.network}
        settings |= {"LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"}}
        settings |= {"DeadLetterConfig": {"TargetArn": self.queue}, "Code": {"ZipFile": archive()}} | more
        return FUNCTIONS.create_function(FunctionName=name, **settings)

    def interfaces(self):
        found = EC2.describe_network_interfaces()["NetworkInterfaces"]
        return [one for one in found if one["Description"].startswith("AWS Lambda VPC ENI")]

    def test_settings_are_kept_and_a_name_is_taken_once(self):
        self.make(Tags={"A": "b"})
        with self.refused("ResourceConflictException", "already exist"):
            self.make()
        shown = FUNCTIONS.get_function(FunctionName="f")
        self.assertEqual(shown["Configuration"]["DeadLetterConfig"]["TargetArn"], self.queue)
        self.assertEqual(shown["Configuration"]["LoggingConfig"]["LogGroup"], "/aws/lambda/f")
        self.assertEqual(shown["Tags"], {"A": "b"})
        with self.refused("ResourceNotFoundException"):
            FUNCTIONS.get_policy(FunctionName="f")
        with self.refused("InvalidParameterValueException", "cannot be assumed"):
            self.make("g", Role="arn:aws:iam::123456789012:role/nobody")
        with self.refused("InvalidParameterValueException", "UnreservedConcurrentExecution"):
            FUNCTIONS.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=901)
        self.assertNotIn("Concurrency", FUNCTIONS.get_function(FunctionName="f"))
        for number in (0, 900):
            FUNCTIONS.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=number)
            shown = FUNCTIONS.get_function(FunctionName="f")["Concurrency"]
            self.assertEqual(shown, {"ReservedConcurrentExecutions": number})

    def test_lambda_lets_the_role_decrypt_the_variables_of_its_function_alone_as_long_as_there_is_one(self):
        keys, named = client("kms"), lambda grants: [(g["GranteePrincipal"], g["Operations"], g["Constraints"]) for g in grants]
        key = keys.create_key()["KeyMetadata"]["Arn"]
        made = self.make(KMSKeyArn=key, Environment={"Variables": {"AB": "b"}})
        self.make("plain", KMSKeyArn=key)
        only = {"EncryptionContextEquals": {"aws:lambda:FunctionArn": made["FunctionArn"]}}
        wanted = [("arn:aws:sts::123456789012:assumed-role/f/f", ["Decrypt", "RetireGrant"], only)]
        self.assertEqual(named(keys.list_grants(KeyId=key)["Grants"]), wanted)
        FUNCTIONS.update_function_configuration(FunctionName="f", Environment={"Variables": {"AB": "c"}})
        self.assertEqual(named(keys.list_grants(KeyId=key)["Grants"]), wanted)
        FUNCTIONS.delete_function(FunctionName="f")
        self.assertEqual(keys.list_grants(KeyId=key)["Grants"], [])

    def test_what_a_change_sets_shows_and_what_it_leaves_out_stays(self):
        self.make()
        theirs = {"TracingConfig": {"Mode": "Active"}, "EphemeralStorage": {"Size": 10240}}
        FUNCTIONS.update_function_configuration(FunctionName="f", **theirs)
        FUNCTIONS.update_function_configuration(FunctionName="f", MemorySize=256)
        shown = FUNCTIONS.get_function_configuration(FunctionName="f")
        self.assertEqual({key: shown[key] for key in theirs}, theirs)

    def test_no_function_runs_and_the_control_path_says_what_one_answers(self):
        with self.refused("ResourceNotFoundException"):
            FUNCTIONS.invoke(FunctionName="f")
        self.make()
        with self.refused("NotImplemented", "runs no function"):
            FUNCTIONS.invoke(FunctionName="f")
        control("POST", "_sandbox/answers", {"f": {"status": "ok"}})
        answer = FUNCTIONS.invoke(FunctionName="f")
        self.assertEqual(json.load(answer["Payload"]), {"status": "ok"})
        self.assertNotIn("FunctionError", answer)
        control("POST", "_sandbox/answers", {"f": {"errorMessage": "no"}})
        self.assertEqual(FUNCTIONS.invoke(FunctionName="f")["FunctionError"], "Unhandled")

    def test_functions_share_interfaces_and_the_last_lets_go_of_them(self):
        self.make("f")
        self.make("g")
        self.assertEqual(len(self.interfaces()), 2)
        nowhere = {"SubnetIds": [], "SecurityGroupIds": []}
        FUNCTIONS.update_function_configuration(FunctionName="f", VpcConfig=nowhere)
        FUNCTIONS.delete_function(FunctionName="f")
        self.assertEqual(len(self.interfaces()), 2)
        with self.refused("OperationNotPermitted"):
            EC2.delete_network_interface(NetworkInterfaceId=self.interfaces()[0]["NetworkInterfaceId"])
        FUNCTIONS.update_function_configuration(FunctionName="g", VpcConfig=nowhere)
        self.assertEqual(self.interfaces(), [])

    def test_urls_and_settings_of_asynchronous_calls_are_listed(self):
        self.make()
        urls = lambda: FUNCTIONS.list_function_url_configs(FunctionName="f")["FunctionUrlConfigs"]
        calls = lambda: FUNCTIONS.list_function_event_invoke_configs(FunctionName="f")["FunctionEventInvokeConfigs"]
        self.assertEqual((urls(), calls()), ([], []))
        with self.refused("ResourceNotFoundException"):
            FUNCTIONS.list_function_url_configs(FunctionName="nobody")
        FUNCTIONS.create_function_url_config(FunctionName="f", AuthType="NONE")
        with self.refused("ResourceConflictException"):
            FUNCTIONS.create_function_url_config(FunctionName="f", AuthType="NONE")
        self.assertEqual([(one["AuthType"], one["FunctionArn"][-2:]) for one in urls()], [("NONE", ":f")])
        FUNCTIONS.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0)
        self.assertEqual([one["MaximumRetryAttempts"] for one in calls()], [0])
        FUNCTIONS.delete_function_url_config(FunctionName="f")
        with self.refused("ResourceNotFoundException"):
            FUNCTIONS.delete_function_url_config(FunctionName="f")
        FUNCTIONS.delete_function_event_invoke_config(FunctionName="f")
        with self.refused("ResourceNotFoundException"):
            FUNCTIONS.delete_function_event_invoke_config(FunctionName="f")
        self.assertEqual((urls(), calls()), ([], []))

    def test_one_change_at_a_time(self):
        control("POST", "_sandbox/latency", {"latency": "5"})
        self.make()
        with self.refused("ResourceConflictException", "Pending"):
            FUNCTIONS.update_function_configuration(FunctionName="f", MemorySize=256)
        self.skip(6)
        FUNCTIONS.update_function_code(FunctionName="f", ZipFile=archive("other"))
        with self.refused("ResourceConflictException", "in progress"):
            FUNCTIONS.update_function_configuration(FunctionName="f", MemorySize=256)
        self.skip(6)
        FUNCTIONS.update_function_configuration(FunctionName="f", MemorySize=256)

    def test_a_stream_has_one_mapping_to_a_function(self):
        self.make()
        made = TABLES.create_table(
            TableName="sessions",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        stream = made["TableDescription"]["LatestStreamArn"]
        settings = {"FunctionName": "f", "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON"}
        mapping = FUNCTIONS.create_event_source_mapping(**settings, Enabled=False, Tags={"A": "b"})
        self.assertEqual(mapping["MaximumRetryAttempts"], -1)
        self.assertEqual(FUNCTIONS.list_tags(Resource=mapping["EventSourceMappingArn"])["Tags"], {"A": "b"})
        with self.refused("ResourceConflictException"):
            FUNCTIONS.create_event_source_mapping(**settings)
        FUNCTIONS.update_event_source_mapping(UUID=mapping["UUID"], MaximumRetryAttempts=3)
        shown = FUNCTIONS.get_event_source_mapping(UUID=mapping["UUID"])
        self.assertEqual((shown["State"], shown["MaximumRetryAttempts"]), ("Disabled", 3))
        control("POST", "_sandbox/latency", {"latency": "5"})
        self.assertEqual(FUNCTIONS.delete_event_source_mapping(UUID=mapping["UUID"])["State"], "Deleting")
        with self.refused("ResourceInUseException"):
            FUNCTIONS.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
        self.skip(6)
        self.assertEqual(FUNCTIONS.list_event_source_mappings()["EventSourceMappings"], [])
