"""The tagging API shows what is tagged, of every service that the deployer tags."""

from support import Case, client

TAGGING, ECR, SSM, LOGS = client("resourcegroupstaggingapi"), client("ecr"), client("ssm"), client("logs")
OURS = [{"Key": "Sweep", "Value": "one"}]
FILTER = [{"Key": "Sweep", "Values": ["one"]}]


def shown(**more):
    """ARNs and tags of all pages, and how many pages there were."""
    found, token, pages = {}, "", 0
    while True:
        page = TAGGING.get_resources(TagFilters=FILTER, PaginationToken=token, **more)
        pages += 1
        for one in page["ResourceTagMappingList"]:
            found[one["ResourceARN"]] = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        token = page["PaginationToken"]
        if not token:
            return found, pages


class Sweeps(Case):
    def test_everything_that_is_tagged_is_shown_page_by_page(self):
        ecr = ECR.create_repository(repositoryName="swept", tags=OURS)["repository"]["repositoryArn"]
        for number in range(3):
            SSM.put_parameter(Name=f"/swept/{number}", Value="v", Type="String", Tags=OURS)
        SSM.put_parameter(Name="/swept/other", Value="v", Type="String", Tags=[{"Key": "Sweep", "Value": "two"}])
        found, pages = shown(ResourcesPerPage=2)
        self.assertEqual(pages, 2)
        self.assertEqual(len(found), 4)
        self.assertEqual(found[ecr], {"Sweep": "one"})
        self.assertEqual(len([arn for arn in found if ":parameter/swept/" in arn]), 3)
        ECR.untag_resource(resourceArn=ecr, tagKeys=["Sweep"])
        self.assertNotIn(ecr, shown()[0])
        with self.refused("InvalidParameterException"):
            TAGGING.get_resources(ResourcesPerPage=101)
        with self.refused("PaginationTokenExpiredException"):
            TAGGING.get_resources(PaginationToken="x")

    def test_log_groups_are_shown_by_a_list_of_names(self):
        for name in ("swept-a", "swept-b"):
            LOGS.create_log_group(logGroupName=name)
        groups = LOGS.describe_log_groups(logGroupIdentifiers=["swept-a", "swept-b", "swept-none"])["logGroups"]
        self.assertEqual([group["logGroupName"] for group in groups], ["swept-a", "swept-b"])
