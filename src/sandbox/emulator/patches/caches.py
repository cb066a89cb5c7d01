"""What moto and the servers beneath it work out again at every call: none of it changes what is answered."""

import functools
import http.client
from xml.sax.saxutils import escape, quoteattr

import xmltodict
from moto import backends
from moto.core import base_backend, errors, responses, serialize
from moto.core.utils import MISSING, get_value
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from ..moto_parts import replaces

replaces(backends, "list_of_moto_modules")(
    # moto: lists its own folder, to see whether the host name of the request is that of a service.
    lambda original: functools.cache(lambda: tuple(original()))
)
# moto: goes through all members of the service's class, to see whether it has the operation.
replaces(responses, "method_names_from_class")(lambda original: functools.cache(lambda owner: frozenset(original(owner))))
# moto: compares the host name with the patterns of all services.
replaces(DomainDispatcherApplication, "get_backend_for_host")(functools.cache)
# moto: sorts a service's errors by their codes for every error that it answers. The model of a service is always the same one.
replaces(errors.ErrorLookupFactory, "_create_error_lut")(lambda original: staticmethod(functools.cache(original)))


@replaces(xmltodict, "unparse")
def _xml(original):
    """The writer of XML: asks of every element and its name what moto never sends."""

    def written(tree, output=None, full_document=True, short_empty_elements=False, pretty=False, **more):
        if output is not None or pretty or more:
            return original(tree, output, full_document=full_document, short_empty_elements=short_empty_elements, pretty=pretty, **more)
        parts = ['<?xml version="1.0" encoding="utf-8"?>\n'] if full_document else []
        for name, value in tree.items():
            _element(parts.append, name, value, short_empty_elements)
        return "".join(parts)

    return written


def _element(write, name, value, short):
    """An element, or one for each of a list."""
    for one in value if isinstance(value, (list, tuple)) else (value,):
        if not isinstance(one, dict):
            one = {} if one is None else {"#text": one}
        inner, attributes = [], ""
        for key, part in one.items():
            if key == "#text":
                continue
            if key.startswith("@"):
                attributes += f" {key[1:]}={quoteattr(_text(part))}"
            else:
                _element(inner.append, key, part, short)
        inner.append(escape(_text(one.get("#text"))))
        body = "".join(inner)
        write(f"<{name}{attributes}/>" if short and not body else f"<{name}{attributes}>{body}</{name}>")


def _text(value):
    return "" if value is None else xmltodict._convert_value_to_string(value)


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

    ends_of = {}

    def ends(transformers, key):
        """Ways of transformers that may end with this member."""
        if not transformers:
            return ()
        # moto adds to some of them at a later call.
        _, known = ends_of.setdefault((id(transformers), len(transformers)), (transformers, {}))
        if key not in known:
            known[key] = [end for end in transformers if end.endswith(key) or key.endswith(end)]
        return known[key]

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
        for end in ends(picker.response_transformers, key):
            if f"{'.'.join(self.path)}.{key}".endswith(end):
                return picker.response_transformers[end](got)
        return got

    return found
