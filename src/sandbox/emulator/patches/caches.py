"""What moto and the servers beneath it work out again at every call: none of it changes what is answered."""

import functools
import http.client

import xmltodict
from moto import backends
from moto.core import base_backend, responses, serialize
from moto.core.utils import MISSING, get_value
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from ..moto_parts import replaces

replaces(backends, "list_of_moto_modules")(
    # moto: lists its own folder, to see whether the host name of the request is that of a service.
    lambda original: functools.cache(lambda: tuple(original()))
)
# moto: goes through all members of the service's class, to see whether it has the operation.
replaces(responses, "method_names_from_class")(lambda original: functools.cache(lambda owner: frozenset(original(owner))))
# The writer of XML: goes through every letter of every element's name.
replaces(xmltodict, "_validate_name")(functools.cache)


@replaces(http.client, "parse_headers")
def _headers(_original):
    """Python: reads the head of a request with its parser of mail."""

    def parse(fp, _class=http.client.HTTPMessage):
        message = _class()
        for line in http.client._read_headers(fp)[:-1]:
            name, colon, value = line.decode("iso-8859-1").partition(":")
            if not colon or name != name.strip():
                raise http.client.HTTPException(f"not a header: {name[:100]}")
            message[name] = value.strip()
        return message

    return parse


# The services that moto's reset will empty.
REGISTERED = set()


@replaces(base_backend.BackendDict, "__getitem__")
def _backend_of_an_account(original):
    """moto: takes a lock and goes through all services, to see whether this one is among those that a reset will empty."""

    def backend(self, account):
        if self._id in REGISTERED and account in self:
            return dict.__getitem__(self, account)
        REGISTERED.add(self._id)
        return original(self, account)

    return backend


@replaces(base_backend.BackendDict, "reset")
def _reset(original):
    """moto: forgets which services it has emptied; each is registered anew when it is used."""

    def reset(_class=None):
        original()
        REGISTERED.clear()

    return classmethod(reset)


@replaces(TaggedEC2Resource, "get_tags")
def _tags_of_one(_original):
    """moto: compares the id with that of every tag in the region."""

    def tags(self):
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(self.id), "") if self.id else ""
        found = self.ec2_backend.tags.get(self.id) or {}
        return [{"resource_id": self.id, "key": k, "value": v, "resource_type": kind} for k, v in found.items()]

    return tags


@replaces(serialize.ResponseSerializer, "get_value")
def _names_of_a_member(original):
    """moto: works out for every member of every answer which names it may have in the object. They follow from the member
    and the object's class."""

    def names(picker, value, key, shape):
        known = vars(shape).setdefault("_names_by_class", {})
        if type(value) not in known:
            context = serialize.AttributePickerContext(obj=value, key=key, shape=shape)
            known[type(value)] = tuple(dict.fromkeys(picker.get_possible_keys(context)))
        return known[type(value)]

    def found(self, value, key, shape):
        picker = self._value_picker
        if type(picker) is serialize.DefaultAttributePicker:
            return get_value(value, key, None)
        if type(picker) is not serialize.XFormedAttributePicker:
            return original(self, value, key, shape)
        for name in names(picker, value, key, shape):
            got = get_value(value, name, MISSING)
            if got is not MISSING:
                break
        else:
            got = None
        for end, transform in picker.response_transformers.items():
            # The way to here is joined only where the last name fits.
            if (end.endswith(key) or key.endswith(end)) and f"{'.'.join(self.path)}.{key}".endswith(end):
                return transform(got)
        return got

    return found
