"""Setting of where the parts of a large run are done: on this machine, or by a Spark that there is."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from recsite import env

LOCAL = "local"


def engine_address() -> str:
    """``local``, or the address of a Spark Connect server."""
    told = env.text("ENGINE", default=LOCAL)
    if told == LOCAL:
        return told
    parts = urlsplit(told)
    if parts.scheme != "sc" or not parts.hostname:
        raise ImproperlyConfigured("ENGINE must be local, or the address of Spark Connect, such as sc://spark:15002.")
    return told


ENGINE = engine_address()
