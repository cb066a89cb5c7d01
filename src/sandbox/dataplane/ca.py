"""The authority that signs certificates of load balancers and databases: `ca.pem` in the folder is what clients trust."""

import datetime
import ipaddress
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FILE = "ca.pem"


class Authority:
    """Made once for a folder; certificates are kept there, one for each set of names."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.file = self.folder / FILE
        key = self.folder / "ca.key"
        if self.file.exists() and key.exists():
            self._key = serialization.load_pem_private_key(key.read_bytes(), None)
            self._certificate = x509.load_pem_x509_certificate(self.file.read_bytes())
            return
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Data plane of the sandbox")])
        builder = _builder(name, name, self._key.public_key()).add_extension(x509.BasicConstraints(True, None), critical=True)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        subject = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = builder.add_extension(usage, critical=True).add_extension(subject, critical=False)
        self._certificate = builder.sign(self._key, hashes.SHA256())
        _write(key, _pem(self._key))
        _write(self.file, self._certificate.public_bytes(serialization.Encoding.PEM))

    def issued(self, names):
        """The files of a certificate for these names, the first one's common name first: (certificate, key). Nobody but us may
        read the key."""
        names = list(dict.fromkeys(names))
        stem = self.folder / "certificates" / ("".join(c if c.isalnum() or c in ".-" else "_" for c in names[0]) + f"-{len(names)}")
        certificate, key = stem.with_name(stem.name + ".pem"), stem.with_name(stem.name + ".key")
        if not (certificate.exists() and key.exists() and _names(certificate) == names):
            own = ec.generate_private_key(ec.SECP256R1())
            # A common name has 64 characters at most; clients look at the other names.
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
            builder = _builder(subject, self._certificate.subject, own.public_key())
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
            builder = builder.add_extension(authority, critical=False)
            signed = builder.sign(self._key, hashes.SHA256())
            certificate.parent.mkdir(parents=True, exist_ok=True)
            _write(key, _pem(own))
            _write(certificate, signed.public_bytes(serialization.Encoding.PEM))
        return certificate, key

    def server(self, names):
        """What a TLS server of these names speaks with: 1.2 and 1.3, as the policies of the load balancers."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(*self.issued(names))
        return context

    def client(self, check_name=False):
        """What trusts this authority."""
        context = ssl.create_default_context(cafile=str(self.file))
        context.check_hostname = check_name
        return context


def anybody():
    """What trusts everybody: a load balancer does not look at the certificates of its targets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _names(file):
    extension = x509.load_pem_x509_certificate(file.read_bytes()).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(one.value) for one in extension.value]


def _general(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject, issuer, key):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=3650))


def _pem(key):
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(file, content):
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
