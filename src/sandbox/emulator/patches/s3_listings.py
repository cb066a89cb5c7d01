"""Keys in listings with `encoding-type=url`."""

from urllib.parse import quote_plus

from moto.s3.responses import S3Response

from ..moto_parts import replaces

LISTINGS = ("ListObjectVersions", "ListMultipartUploads")
WORDS = ("Key", "Prefix", "Delimiter", "KeyMarker", "NextKeyMarker")


def _encode(entry):
    for word in WORDS:
        if entry.get(word):
            entry[word] = quote_plus(entry[word], safe="/")


@replaces(S3Response, "serialized")
def _listings(original):
    """AWS: keys are percent-encoded, spaces are `+`, when the caller asks for it (XML 1.0 cannot carry all characters that
    keys may have). moto: only in listings of objects."""

    def serialized(self, result):
        if self.data.get("Action") in LISTINGS and self.querystring.get("encoding-type") == ["url"]:
            listing = result.result
            for kind in ("Versions", "DeleteMarkers", "Uploads", "CommonPrefixes"):
                for entry in listing.get(kind, []):
                    _encode(entry)
            _encode(listing)
            listing["EncodingType"] = "url"
        return original(self, result)

    return serialized
