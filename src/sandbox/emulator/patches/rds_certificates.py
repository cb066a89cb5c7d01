"""Certificate authorities of database servers ("Using SSL/TLS to encrypt a connection to a DB cluster")."""

import datetime
import hashlib

from moto.rds.models import DBInstance

from ..call import patch, refuse
from ..moto_parts import adds

DEFAULT = "rds-ca-rsa2048-g1"
FROM = datetime.datetime(2021, 5, 21, 22, tzinfo=datetime.UTC)
# The authorities that AWS offers, and the year in which they end.
TILL = {DEFAULT: 2061, "rds-ca-rsa4096-g1": 2121, "rds-ca-ecc384-g1": 2121}


def _till(name):
    return FROM.replace(year=TILL[name]) if name in TILL else None


# AWS: every instance shows until when its certificate's authority is valid. moto: none does.
adds(
    DBInstance,
    "certificate_details",
    property(
        lambda self: {
            "CAIdentifier": self.ca_certificate_identifier,
            "ValidTill": _till(self.ca_certificate_identifier),
        }
    ),
)


@patch("rds", "CreateDBInstance", "ModifyDBInstance")
def choose(call):
    """AWS: an unknown authority is refused, rds-ca-rsa2048-g1 is the default. moto: any, and rds-ca-default."""
    params = dict(call.params)
    if call.operation == "CreateDBInstance":
        params.setdefault("CACertificateIdentifier", DEFAULT)
    _known(params.get("CACertificateIdentifier", DEFAULT))
    return call.forward(params)


def _known(name):
    if name not in TILL:
        refuse("CertificateNotFound", f"Certificate not found: {name}")


@patch("rds", "DescribeCertificates")
def describe(call):
    """AWS: all authorities of the region, or one. moto: not implemented."""
    wanted = call.params.get("CertificateIdentifier")
    if wanted:
        _known(wanted)
    return {
        "DefaultCertificateForNewLaunches": DEFAULT,
        "Certificates": [
            {
                "CertificateIdentifier": name,
                "CertificateType": "CA",
                "Thumbprint": hashlib.sha1(name.encode()).hexdigest(),
                "ValidFrom": FROM,
                "ValidTill": _till(name),
                "CertificateArn": f"arn:aws:rds:{call.region}::cert:{name}",
                "CustomerOverride": False,
            }
            for name in TILL
            if wanted in (None, name)
        ],
    }
