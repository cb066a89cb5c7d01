"""The certificate authority of the data plane: `FOLDER/ca.pem` is the root that clients trust."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT, KEY = "ca.pem", "ca.key"
DAYS = 30


class Authority:
    """The root and its key, made when the folder has none."""

    def __init__(self, folder):
        self.file = Path(folder) / ROOT
        key = Path(folder) / KEY
        if self.file.exists() and key.exists():
            self._key = serialization.load_pem_private_key(key.read_bytes(), None)
            self._root = x509.load_pem_x509_certificate(self.file.read_bytes())
            return
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sandbox data plane")])
        self._root = _certificate(name, name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self._root = self._root.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False).add_extension(
            _usage(signs=True), critical=True
        )
        self._root = self._root.sign(self._key, hashes.SHA256())
        _write(key, _pem(self._key))
        _write(self.file, self._root.public_bytes(serialization.Encoding.PEM))

    def issue(self, names):
        """A certificate and its key, both in PEM, for DNS names (with or without a star) and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sandbox data plane")])
        made = _certificate(subject, self._root.subject, key.public_key())
        made = made.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=True)
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        signed = made.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM), _pem(key)


def _usage(signs):
    return x509.KeyUsage(not signs, False, False, False, False, signs, signs, False, False)


def _certificate(subject, issuer, public):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    return builder.not_valid_after(now + datetime.timedelta(days=DAYS))


def _general(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _write(file, content):
    file.touch(mode=0o600 if file.name == KEY else 0o644)
    file.write_bytes(content)
