"""TLS as load balancers speak it, to clients and to their targets."""

import ssl
import tempfile


def server(authority, names):
    """What a server of these names speaks with: TLS 1.2 and 1.3, as the policies of the load balancers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate, key = authority.issue(names)
    # Python takes a key from a file alone.
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate + key)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def client(authority):
    """What trusts the authority; names are not compared, since clients of ours call loopback addresses."""
    context = ssl.create_default_context(cafile=str(authority.file))
    context.check_hostname = False
    return context


def anybody():
    """What trusts everybody: a load balancer does not look at the certificates of its targets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
