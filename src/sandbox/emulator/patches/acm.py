"""Certificates of Certificate Manager."""

from moto.acm.models import CertBundle

from ..call import patch, refuse
from ..moto_parts import replaces


@replaces(CertBundle, "check")
def _no_clock_of_its_own(_original):
    """AWS: a certificate is issued once the records of all its names are in public DNS. moto: after a time."""
    return lambda self: None


def _proved(call, certificate):
    """Whether a public zone has every record that the certificate asks for."""
    every = [zone for zone in call.backend_of("route53").zones.values() if not zone.private_zone]
    zones = [zone for zone in every if _delegated(zone, every)]
    there = {
        (record.name.rstrip(".").lower(), str(value).rstrip(".").lower())
        for zone in zones
        for record in zone.rrsets
        if record.type == "CNAME"
        for value in record.records
    }
    options = certificate.describe()["Certificate"]["DomainValidationOptions"]
    wanted = {
        (option["ResourceRecord"]["Name"].rstrip(".").lower(), option["ResourceRecord"]["Value"].rstrip(".").lower())
        for option in options
    }
    return wanted <= there


def _delegated(zone, every):
    """AWS asks public DNS: a zone below another one answers only when the other one names its servers. What is above the zones of
    the account is taken for delegated."""
    own = zone.name.rstrip(".").lower()
    above = [one for one in every if own.endswith("." + one.name.rstrip(".").lower())]
    if not above:
        return True
    nearest = max(above, key=lambda one: len(one.name))
    named = {
        str(server).rstrip(".").lower()
        for record in nearest.rrsets
        if record.type == "NS" and record.name.rstrip(".").lower() == own
        for server in record.records
    }
    servers = {str(server).rstrip(".").lower() for server in zone.delegation_set.name_servers}
    return bool(named) and named <= servers and _delegated(nearest, every)


@patch("acm", "DescribeCertificate", "ListCertificates")
def validate(call):
    """See above. The answer to the read that finds the records shows the state before."""
    answer = call.forward()
    for certificate in call.backend._certificates.values():
        if certificate.status == "PENDING_VALIDATION" and not getattr(certificate, "validating", False):
            if _proved(call, certificate):
                certificate.validating = True
                call.clock.later("acm/validation", _issue(certificate))
    return answer


def _issue(certificate):
    def issue():
        certificate.status = "ISSUED"

    return issue


def _used_by(call, arn):
    return [
        listener.arn
        for balancer in call.backend_of("elbv2").load_balancers.values()
        for listener in balancer.listeners.values()
        if arn in listener.certificates or arn == listener.certificate
    ]


@patch("acm", "DeleteCertificate")
def delete_certificate(call):
    """AWS: refused while a listener uses it. moto: deletes it."""
    arn = call.params["CertificateArn"]
    if _used_by(call, arn):
        refuse("ResourceInUseException", f"Certificate {arn} in account {call.account} is in use.")
    return call.forward()


@patch("acm", "RequestCertificate")
def request_certificate(call):
    """AWS: names of 64 characters at most come first. moto: takes longer ones."""
    if len(call.params["DomainName"]) > 64:
        refuse("ValidationException", "The first domain name can be no longer than 64 octets, including periods")
    return call.forward()
