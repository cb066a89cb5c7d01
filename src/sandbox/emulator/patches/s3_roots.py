"""The outermost element of S3's XML answers."""

from moto.core.serialize import S3Serializer

from ..moto_parts import replaces

# "Response Syntax" of each action in the S3 API reference. botocore does not look at the name, strict clients do.
ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketAnalyticsConfiguration": "AnalyticsConfiguration",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketInventoryConfiguration": "InventoryConfiguration",
    # moto's name of GetBucketNotificationConfiguration.
    "GetBucketNotification": "NotificationConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketReplication": "ReplicationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}


@replaces(S3Serializer, "_serialize_body")
def _roots(original):
    """AWS: `<VersioningConfiguration>` and kin. moto: `<GetBucketVersioningResponse>`, after the operation."""

    def serialize_body(self, body):
        name = self.operation_model.name
        root = ROOTS.get(name)
        if root and f"{name}Response" in body:
            body = {root: body[f"{name}Response"]}
        return original(self, body)

    return serialize_body
