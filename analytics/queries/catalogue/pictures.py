"""Pictures that no browser of the dashboard loads: their hosts are not among ``PICTURE_HOSTS``."""

from collections import Counter
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import CharField, Count, Func, Value
from django.db.models.functions import Lower

from recommendations.services.catalogue.quality import on_sale

ORIGIN = "^(?:https?:)?//[^/?#]+"


class StrangeHost(NamedTuple):
    """A host that pictures may not come from, and how many items on sale have theirs there."""

    host: str
    items: int


def strange_hosts(own: str) -> list[StrangeHost]:
    """Hosts of pictures that the browser does not ask, the most items first; ``own``: address of the dashboard."""
    origin = Func(Lower("image_url"), Value(ORIGIN), function="substring", output_field=CharField())
    rows = on_sale().filter(image_url__iregex=ORIGIN).annotate(origin=origin).values("origin")
    strange = Counter[str]()
    for row in rows.annotate(items=Count("pk")).values_list("origin", "items"):
        if not any(_covers(source, row[0], own=own) for source in (own, *settings.PICTURE_HOSTS)):
            strange[urlsplit(row[0]).netloc] += row[1]
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
