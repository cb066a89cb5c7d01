place = {"LocationConstraint": "eu-central-1"}
c("ec2").create_vpc(CidrBlock="10.99.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "vpc-green-dev"}]}])
c("s3").create_bucket(Bucket="transaction-logs-green-dev", CreateBucketConfiguration=place)
c("s3").put_object(Bucket="transaction-logs-green-dev", Key="theirs", Body=b"1")
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
c("iam").create_role(RoleName="role-flow-logs-green-dev", AssumeRolePolicyDocument=json.dumps(trust))
c("dynamodb").create_table(TableName="sessions-green-dev", KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
c("logs").create_log_group(logGroupName="flow-logs-green-dev")
key = c("kms").create_key()["KeyMetadata"]["KeyId"]
c("kms").create_alias(AliasName="alias/data-green-dev", TargetKeyId=key)
