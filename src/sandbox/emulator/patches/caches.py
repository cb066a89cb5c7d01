"""What moto finds out again at every call and never changes: together a quarter of the time that a call takes."""

import functools

from moto import backends
from moto.core import responses

from ..moto_parts import replaces

replaces(backends, "list_of_moto_modules")(
    # moto: lists its own folder, to see whether the host name of the request is that of a service.
    lambda original: functools.cache(lambda: tuple(original()))
)
# moto: goes through all members of the service's class, to see whether it has the operation.
replaces(responses, "method_names_from_class")(lambda original: functools.cache(lambda owner: frozenset(original(owner))))
