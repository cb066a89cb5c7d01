"""The way from a target group to what answers behind it, as far as it goes over AWS's network: an address of an endpoint leads over
its endpoint service and a Network Load Balancer to the load balancer that is its target (the bridge)."""

from dataclasses import dataclass

from . import names


@dataclass(frozen=True)
class Place:
    """Where a target is found: a loopback address and port, with TLS or without; from which address it is called, so that it
    sees the private address of the network interface that calls it."""

    id: str
    host: str
    port: int
    tls: bool = False
    source: str | None = None


class Network:
    """What the model has of it, by what it is looked up with."""

    def __init__(self, model, table, tasks):
        self._names, self._tasks = table, tasks
        self.balancers = {one["arn"]: one for one in model.get("balancers", [])}
        self.groups = {one["arn"]: one for one in model.get("groups", [])}
        self._listeners = {(one["balancer"], one["port"]): one for one in model.get("listeners", [])}
        self._endpoints = {address: one for one in model.get("endpoints", []) for address in one["addresses"]}
        self._services = {one["name"]: one for one in model.get("endpoint_services", [])}

    def places(self, arn):
        """The targets of a group: [(id, `Place`, or `None` when no way leads there)]."""
        group = self.groups.get(arn)
        if group is None:
            return []
        tls = group["protocol"] == "HTTPS"
        found = [(one["id"], self._registered(group, one, at, tls)) for at, one in enumerate(group["targets"])]
        return found + [(place.id, place) for place in self._tasks(arn)]

    def _registered(self, group, target, at, tls):
        if group["type"] == "alb":
            callers = [self.balancers[arn] for arn in group["balancers"] if arn in self.balancers]
            own = callers[0]["addresses"] if callers else []
            return self._balancer(target, self._names.interface(own[0]) if own else None)
        endpoint = self._endpoints.get(target["id"])
        if endpoint is None or endpoint["vpc"] != group["vpc"]:
            return None
        service = self._services.get(endpoint["service"])
        for arn in service["balancers"] if service else []:
            place = self._through(arn, target["port"], at)
            if place is not None:
                return Place(target["id"], place.host, place.port, tls, place.source)
        return None

    def _through(self, arn, port, at):
        """Over a Network Load Balancer, from one of its own addresses."""
        balancer, listener = self.balancers.get(arn), self._listeners.get((arn, port))
        if balancer is None or listener is None or balancer["state"] != "active":
            return None
        group = self.groups.get(listener["actions"][0].get("TargetGroupArn")) if listener["actions"] else None
        own = balancer["addresses"]
        source = self._names.interface(own[at % len(own)]) if own else None
        if group is None or group["type"] != "alb" or not group["targets"]:
            return None
        return self._balancer(group["targets"][0], source)

    def _balancer(self, target, source):
        balancer = self.balancers.get(target["id"])
        if balancer is None or (target["id"], target["port"]) not in self._listeners:
            return None
        return Place(target["id"], self._names.address(balancer["dns_name"]), names.port(target["port"]), True, source)
