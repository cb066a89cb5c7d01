"""What boto3 sees of an account, a module per part of the platform."""
