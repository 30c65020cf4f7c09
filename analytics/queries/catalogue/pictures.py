"""Pictures that no browser of the dashboard loads: their hosts are not among ``PICTURE_HOSTS``."""

from collections import Counter
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from recommendations.services.catalogue.picture_counts import picture_origins


class StrangeHost(NamedTuple):
    """A host that pictures may not come from, and how many items on sale have theirs there."""

    host: str
    items: int


def strange_hosts(own: str, *, mark: str) -> list[StrangeHost]:
    """Hosts of pictures that the browser does not ask, the most items first; ``own``: address of the dashboard.

    ``mark``: state of the catalogue (``quality.Flaws``).
    """
    strange = Counter[str]()
    for origin, items in picture_origins(mark).items():
        if not any(_covers(source, origin, own=own) for source in (own, *settings.PICTURE_HOSTS)):
            strange[urlsplit(origin).netloc] += items
    return [StrangeHost(*each) for each in sorted(strange.items(), key=lambda each: (-each[1], each[0]))]


def _covers(source: str, origin: str, *, own: str) -> bool:
    """Whether a source of the content security policy covers an origin."""
    page = urlsplit(own).scheme
    allowed, asked = urlsplit(source if "//" in source else f"//{source}", page), urlsplit(origin, page)
    if asked.scheme not in {allowed.scheme, "https"}:
        return False
    if allowed.netloc.startswith("*."):
        return asked.netloc.endswith(allowed.netloc[1:].lower())
    return asked.netloc == allowed.netloc.lower()
