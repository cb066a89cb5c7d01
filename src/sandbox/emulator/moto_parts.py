"""The attributes of moto that patches replace, asserted by name: an upgrade of moto that renames or drops one stops the
sandbox with a list of them, where a patch without effect would only show in a test far away."""

# What was not as expected, such as "moto.s3.models.FakeBucket.get_permission is not there".
PROBLEMS = []


def _name(owner, attribute):
    module = getattr(owner, "__module__", None)
    return f"{module}.{owner.__qualname__}.{attribute}" if module else f"{owner.__name__}.{attribute}"


def replaces(owner, attribute):
    """Decorates a function that gets what moto has there and answers what stands there instead."""

    def replace(make):
        if hasattr(owner, attribute):
            setattr(owner, attribute, make(getattr(owner, attribute)))
        else:
            PROBLEMS.append(f"{_name(owner, attribute)} is not there")
        return make

    return replace


def adds(owner, attribute, value):
    """Adds an attribute that moto's class does not have."""
    if attribute in vars(owner):
        PROBLEMS.append(f"{_name(owner, attribute)} is there now: is the patch still needed?")
    else:
        setattr(owner, attribute, value)


def check():
    """Raises with everything that was not as expected."""
    if PROBLEMS:
        raise RuntimeError("moto is not as the patches expect:\n  " + "\n  ".join(PROBLEMS))
