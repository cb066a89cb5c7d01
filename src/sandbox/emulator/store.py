"""The sandbox's own records, beside moto's: one `Store` per account and region, wiped by /moto-api/reset."""

_STORES = {}


class Store:
    """Named tables (dicts) that patches create on first use."""

    def __init__(self):
        self._tables = {}

    def table(self, name):
        """The table of that name."""
        return self._tables.setdefault(name, {})


def store_of(account, region):
    """The records of an account and region."""
    return _STORES.setdefault((account, region), Store())


def reset():
    """Forgets everything, as moto's own reset does."""
    _STORES.clear()
