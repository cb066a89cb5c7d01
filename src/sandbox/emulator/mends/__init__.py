"""One module per service and theme; importing a module registers its mends."""

import importlib

# In order: what comes first is outermost around an operation.
MODULES = [
    "validation",
    "ec2_describes",
    "tgw_gateways",
    "tgw_routing",
]


def load():
    """Imports every module."""
    for module in MODULES:
        importlib.import_module(f"{__name__}.{module}")
