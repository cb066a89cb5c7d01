"""Topics, repositories, parameters, ECS and its scaling."""

from support import Case, client, control, group, role, subnets, vpc, wish

SNS, ECR, ECS, SCALING, SSM = (client(s) for s in ("sns", "ecr", "ecs", "application-autoscaling", "ssm"))
COUNT = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app"


class Topics(Case):
    def test_people_are_pending_until_they_confirm(self):
        topic = SNS.create_topic(Name="a", Tags=[{"Key": "A", "Value": "b"}])["TopicArn"]
        with self.refused("InvalidParameter", "different tags"):
            SNS.create_topic(Name="a", Tags=[{"Key": "A", "Value": "c"}])
        made = SNS.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com", ReturnSubscriptionArn=True)
        shown = SNS.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        self.assertEqual([s["SubscriptionArn"] for s in shown], ["PendingConfirmation"])
        with self.refused("InvalidParameter"):
            SNS.unsubscribe(SubscriptionArn=made["SubscriptionArn"])
        SNS.confirm_subscription(TopicArn=topic, Token="a@example.com")
        shown = SNS.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        self.assertEqual([s["SubscriptionArn"] for s in shown], [made["SubscriptionArn"]])
        SNS.unsubscribe(SubscriptionArn=made["SubscriptionArn"])
        self.assertEqual(SNS.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"], [])
        with self.refused("ResourceNotFound"):
            SNS.list_tags_for_resource(ResourceArn=topic + "x")


class Images(Case):
    def test_every_image_exists_until_it_is_deleted(self):
        digest = ECR.describe_images(repositoryName="rr", imageIds=[{"imageTag": "1"}])["imageDetails"][0]["imageDigest"]
        self.assertTrue(digest.startswith("sha256:"))
        ECR.batch_delete_image(repositoryName="rr", imageIds=[{"imageTag": "1"}])
        with self.refused("ImageNotFoundException"):
            ECR.describe_images(repositoryName="rr", imageIds=[{"imageTag": "1"}])


class Parameters(Case):
    def test_tags_and_overwrite_exclude_each_other(self):
        tags = [{"Key": "A", "Value": "b"}]
        SSM.put_parameter(Name="/a/b", Type="String", Value="1", Tags=tags)
        with self.refused("ParameterAlreadyExists"):
            SSM.put_parameter(Name="/a/b", Type="String", Value="2")
        with self.refused("ValidationException"):
            SSM.put_parameter(Name="/a/b", Value="2", Overwrite=True, Tags=tags)
        SSM.put_parameter(Name="/a/b", Value="2", Overwrite=True)
        self.assertEqual(SSM.list_tags_for_resource(ResourceType="Parameter", ResourceId="/a/b")["TagList"], tags)
        SSM.delete_parameter(Name="/a/b")
        with self.refused("InvalidResourceId"):
            SSM.list_tags_for_resource(ResourceType="Parameter", ResourceId="/a/b")


class Services(Case):
    def setUp(self):
        control("POST", "moto-api/reset")
        control("POST", "_sandbox/latency", {"latency": "none"})
        network = vpc()
        self.network = {
            "awsvpcConfiguration": {"subnets": subnets(network), "securityGroups": [group(network)]}
        }
        self.role = role("task", "ecs-tasks.amazonaws.com")
        ECS.create_cluster(clusterName="c")

    def register(self, tag, **more):
        container = {"name": "app", "image": self.image(tag), "essential": True}
        settings = {"cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]}
        settings |= {"taskRoleArn": self.role, "executionRoleArn": self.role} | more
        shown = ECS.register_task_definition(family="app", containerDefinitions=[container], **settings)
        return shown["taskDefinition"]["taskDefinitionArn"]

    def image(self, tag):
        shown = ECR.describe_images(repositoryName="app", imageIds=[{"imageTag": tag}])
        return f"{IMAGE}@{shown['imageDetails'][0]['imageDigest']}"

    def create(self, definition, count=3):
        breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
        return ECS.create_service(
            cluster="c",
            serviceName="s",
            taskDefinition=definition,
            desiredCount=count,
            launchType="FARGATE",
            networkConfiguration=self.network,
            deploymentConfiguration={"maximumPercent": 200, "minimumHealthyPercent": 100} | breaker,
        )["service"]

    def shown(self):
        found = ECS.describe_services(cluster="c", services=["s"], include=["TAGS"])
        return found["services"][0] if found["services"] else None

    def primary(self):
        return next(one for one in self.shown()["deployments"] if one["status"] == "PRIMARY")

    def test_a_service_becomes_stable_and_drains(self):
        control("POST", "_sandbox/latency", {"latency": "60"})
        self.create(self.register("1"))
        self.assertEqual(self.primary()["rolloutState"], "IN_PROGRESS")
        self.skip(61)
        self.assertEqual((self.primary()["rolloutState"], self.shown()["runningCount"]), ("COMPLETED", 3))
        self.assertTrue(self.shown()["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"])
        with self.refused("InvalidParameterException", "not idempotent"):
            self.create(self.register("1"))
        with self.refused("ClusterContainsServicesException"):
            ECS.delete_cluster(cluster="c")
        ECS.delete_service(cluster="c", service="s", force=True)
        self.assertEqual(self.shown()["status"], "DRAINING")
        with self.refused("InvalidParameterException", "Draining"):
            self.create(self.register("1"))
        self.skip(61)
        self.assertEqual(self.shown()["status"], "INACTIVE")
        self.assertEqual(ECS.list_services(cluster="c")["serviceArns"], [])
        with self.refused("ServiceNotActiveException"):
            ECS.update_service(cluster="c", service="s", desiredCount=1)
        ECS.delete_cluster(cluster="c")
        self.assertEqual(ECS.describe_clusters(clusters=["c"])["clusters"][0]["status"], "INACTIVE")
        ECS.create_cluster(clusterName="c")
        made = ECS.describe_clusters(clusters=["c"])["clusters"][0]
        self.assertEqual((made["status"], made["capacityProviders"], made["defaultCapacityProviderStrategy"]), ("ACTIVE", [], []))

    def test_a_service_and_a_cluster_keep_what_others_set(self):
        self.create(self.register("1"))
        registries = [{"registryArn": "arn:aws:servicediscovery:eu-central-1:1:service/srv-a"}]
        connect = {"enabled": True, "namespace": "theirs"}
        before = self.primary()["id"]
        update = lambda **more: ECS.update_service(cluster="c", service="s", **more)
        update(serviceRegistries=registries, serviceConnectConfiguration=connect)
        self.assertEqual(self.shown()["serviceRegistries"], registries)
        self.assertEqual(self.primary()["serviceConnectConfiguration"], connect)
        self.assertNotEqual(self.primary()["id"], before)
        before = self.primary()["id"]
        update(serviceConnectConfiguration=connect, placementStrategy=[{"type": "random"}])
        self.assertEqual((self.shown()["placementStrategy"], self.primary()["id"]), ([{"type": "random"}], before))
        update(serviceRegistries=[], placementStrategy=[])
        self.assertEqual((self.shown()["serviceRegistries"], self.shown()["placementStrategy"]), ([], []))
        self.assertEqual(self.primary()["serviceConnectConfiguration"], connect)
        shown = lambda: ECS.describe_clusters(clusters=["c"])["clusters"][0]
        ECS.update_cluster(cluster="c", serviceConnectDefaults={"namespace": "theirs"})
        self.assertEqual(shown()["serviceConnectDefaults"], {"namespace": "theirs"})
        ECS.update_cluster(cluster="c", serviceConnectDefaults={"namespace": ""})
        self.assertNotIn("serviceConnectDefaults", shown())

    def test_the_tasks_of_a_service_have_interfaces_in_its_subnets(self):
        ec2 = client("ec2")
        shown = lambda: ec2.describe_network_interfaces(Filters=wish("description", "arn:aws:ecs:*"))["NetworkInterfaces"]
        self.create(self.register("1"))
        network = self.network["awsvpcConfiguration"]
        self.assertEqual(sorted(one["SubnetId"] for one in shown()), sorted(network["subnets"]))
        for one in shown():
            self.assertEqual([group["GroupId"] for group in one["Groups"]], network["securityGroups"])
            self.assertTrue(one["RequesterManaged"])
            self.assertEqual(one["PrivateIpAddresses"][0]["PrivateIpAddress"], one["PrivateIpAddress"])
        ECS.update_service(cluster="c", service="s", desiredCount=1)
        self.assertEqual(len(shown()), 1)
        ECS.delete_service(cluster="c", service="s", force=True)
        self.assertEqual(shown(), [])

    def test_scheduled_actions_need_a_target_and_go_with_it(self):
        self.create(self.register("1"))
        of = {**COUNT, "ResourceId": "service/c/s"}
        action = {**of, "ScheduledActionName": "a"}
        put = lambda: SCALING.put_scheduled_action(**action, Schedule="rate(1 day)", ScalableTargetAction={"MinCapacity": 1})
        with self.refused("ObjectNotFoundException"):
            put()
        SCALING.register_scalable_target(**of, MinCapacity=1, MaxCapacity=3)
        put()
        SCALING.delete_scheduled_action(**action)
        with self.refused("ObjectNotFoundException"):
            SCALING.delete_scheduled_action(**action)
        put()
        SCALING.register_scalable_target(**of, SuspendedState={"ScheduledScalingSuspended": True})
        target = SCALING.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]
        self.assertEqual((target["MinCapacity"], target["SuspendedState"]["ScheduledScalingSuspended"]), (1, True))
        SCALING.deregister_scalable_target(**of)
        self.assertEqual(SCALING.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"], [])

    def test_a_deployment_whose_image_is_gone_is_rolled_back(self):
        first = self.register("1")
        self.create(first)
        second = self.register("2")
        ECR.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "2"}])
        ECS.update_service(cluster="c", service="s", taskDefinition=second)
        self.assertEqual((self.primary()["taskDefinition"], self.primary()["rolloutState"]), (first, "COMPLETED"))
        self.assertIn("rolling back", " ".join(event["message"] for event in self.shown()["events"]))
        self.assertEqual(self.shown()["runningCount"], 3)

    def test_an_alarm_that_goes_off_ends_a_deployment_and_one_that_is_off_already_does_not(self):
        control("POST", "_sandbox/latency", {"latency": "60"})
        watch = client("cloudwatch")
        watch.put_metric_alarm(
            AlarmName="bad", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=2, Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )
        first = self.register("1")
        self.create(first)
        self.skip(61)
        alarms = {"alarmNames": ["bad"], "enable": True, "rollback": True}
        settings = self.shown()["deploymentConfiguration"] | {"alarms": alarms}
        second = self.register("2")
        ECS.update_service(cluster="c", service="s", taskDefinition=second, deploymentConfiguration=settings)
        self.assertEqual(self.shown()["deploymentConfiguration"]["alarms"], alarms)
        watch.set_alarm_state(AlarmName="bad", StateValue="ALARM", StateReason="test")
        self.skip(61)
        self.assertIn("alarm detected", " ".join(event["message"] for event in self.shown()["events"]))
        self.skip(61)
        self.assertEqual((self.primary()["taskDefinition"], self.primary()["rolloutState"]), (first, "COMPLETED"))
        ECS.update_service(cluster="c", service="s", taskDefinition=second)
        self.skip(61)
        self.assertEqual((self.primary()["taskDefinition"], self.primary()["rolloutState"]), (second, "COMPLETED"))

    def test_a_first_deployment_has_nothing_to_go_back_to(self):
        definition = self.register("1")
        ECR.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "1"}])
        self.create(definition)
        self.assertEqual((self.primary()["rolloutState"], self.shown()["runningCount"]), ("FAILED", 0))

    def test_revisions_count_on_and_fargate_takes_its_sizes(self):
        first, second = self.register("1"), self.register("1")
        self.assertEqual([arn.rsplit(":", 1)[1] for arn in (first, second)], ["1", "2"])
        with self.refused("ClientException", "Fargate"):
            self.register("1", memory="700")
        with self.refused("ClientException", "Role"):
            self.register("1", taskRoleArn="arn:aws:iam::123456789012:role/none")
        for arn in (second, first):
            ECS.deregister_task_definition(taskDefinition=arn)
        with self.refused("ClientException"):
            ECS.describe_task_definition(taskDefinition="app")
        self.assertEqual(ECS.list_task_definition_families(status="ACTIVE")["families"], [])
        ECS.delete_task_definitions(taskDefinitions=[first, second])
        with self.refused("ClientException"):
            ECS.describe_task_definition(taskDefinition=first)
        self.assertEqual(self.register("1").rsplit(":", 1)[1], "3")

    def test_a_range_moves_the_count_and_policies_go_with_it(self):
        self.create(self.register("1"), 0)
        target = {"ResourceId": "service/c/s", **COUNT}
        with self.refused("ObjectNotFoundException"):
            SCALING.deregister_scalable_target(**target)
        tracking = {
            "TargetValue": 50.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        }
        policy = {
            "PolicyName": "cpu",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": tracking,
        }
        with self.refused("ObjectNotFoundException"):
            SCALING.put_scaling_policy(**policy, **target)
        SCALING.register_scalable_target(MinCapacity=3, MaxCapacity=6, **target)
        self.assertEqual((self.shown()["desiredCount"], self.shown()["runningCount"]), (3, 3))
        self.assertEqual(set(SCALING.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]["SuspendedState"].values()), {False})
        SCALING.put_scaling_policy(**policy, **target)
        SCALING.deregister_scalable_target(**target)
        self.assertEqual(SCALING.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"], [])
