"""Which operations change something: by the verbs AWS names its operations with."""

import re

READS = re.compile(
    r"^(Describe|Get|List|Search|Head|Query|Scan|BatchGet|BatchDescribe|TransactGet|Lookup|Select|Filter|Test|Simulate|Validate|Check|"
    r"Assume|Decode|Encrypt|Decrypt|ReEncrypt|GenerateDataKey|GenerateRandom|GenerateMac|VerifyMac|Sign$|Verify$|ExecuteStatement$|"
    r"BatchGetSecretValue|GenerateCredentialReport|Unknown)"
)


def is_write(request):
    """Whether a request changes something; a DryRun does not."""
    if request.protocol == "ec2" and b"DryRun=true" in request.body:
        return False
    return not READS.match(request.operation)
