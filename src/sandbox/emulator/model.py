"""What exists, in one document, for the data plane: `GET /_sandbox/model?since=VERSION`.

The document is built again after a write, after something has settled, and every two seconds; it has another version when it
differs. An unchanged one is answered without its content. Each section is a list of plain documents, from all accounts and
regions; each module of sections has a function `sections()` in `SECTIONS`.
"""

import importlib
import time

import moto.backends

from .store import store_of

# Modules here with a function `sections(section)` that answers {"name of a section": [...]}.
SECTIONS = ["model_network", "model_stores"]
# Writes that change nothing which is shown: they come all the time, and what is looked at again costs 20 ms.
QUIET_SERVICES = {"s3", "logs", "kms", "sts", "sns", "iam"}
QUIET = {"PutMetricData", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "Invoke", "SendMessage", "PutDashboard"}
# What changes without a call (moto's own transitions) is seen within so many seconds.
OLDEST = 2.0


def shows(request):
    """Whether a write may change the document."""
    return request.service not in QUIET_SERVICES and request.operation not in QUIET


class Model:
    """The document as it was last."""

    def __init__(self):
        self._sections, self._version, self._seen, self._built = {}, 0, None, 0.0
        # The version goes on from where an earlier process may have been.
        self._first = int(time.time()) * 1000

    def shown(self, gateway, since):
        """The document; without its content when the caller knows it."""
        with gateway.lock:
            gateway.clock.run_due()
            seen = (gateway.changes, gateway.clock.done)
            if seen != self._seen or time.monotonic() - self._built > OLDEST:
                self._build()
                self._seen, self._built = seen, time.monotonic()
            version = self._first + self._version
            if since == version:
                return {"version": version, "unchanged": True}
            return {"version": version, **self._sections}

    def _build(self):
        found = {}
        for module in SECTIONS:
            found.update(importlib.import_module(f"{__package__}.{module}").sections())
        if found != self._sections:
            self._sections, self._version = found, self._version + 1


def each(service):
    """(account, region, backend) of a service, as far as somebody has used it."""
    for account, regions in list(moto.backends.get_backend(service).items()):
        for region, backend in list(regions.items()):
            yield account, region, backend


def section(service, make):
    """A section: what `make(account, region, backend, store)` gives, of all accounts and regions. A document that has no
    account or region gets it."""
    found = []
    for account, region, backend in each(service):
        store = store_of(account, region)
        for document in make(account, region, backend, store):
            found.append({"account": account, "region": region} | document)
    return found
