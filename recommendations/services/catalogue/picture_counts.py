"""Pictures of the catalogue in figures, counted once for each state of it (``mark``, as ``quality.Flaws`` has it)."""

from collections import Counter
from typing import NamedTuple

import numpy as np
from django.db.models import CharField, Count, F, Func, Q, Value
from django.db.models.functions import Lower

from recommendations.models import Category
from recommendations.services.catalogue.quality import on_sale
from recommendations.store.live import fetch
from recommendations.store.live.array_cache import Arrays, cached
from recommendations.terms import PATH_SEPARATOR

ORIGIN = "^(?:https?:)?//[^/?#]+"
SEEN = Q(seen_picture__fault="", seen_picture__url=F("image_url")) & ~Q(image_url="")
"""Filter for items whose picture was looked at, and has no fault."""


class DepartmentPictures(NamedTuple):
    """A first level of the tree: its items on sale, and those of them whose picture was seen."""

    path: str
    name: str
    items: int
    seen: int

    @property
    def share(self) -> float:
        return self.seen / self.items

    @property
    def percent(self) -> float:
        """Share in percent, for a bar."""
        return round(100 * self.share, 2)

    @property
    def unseen(self) -> int:
        return self.items - self.seen


def picture_origins(mark: str) -> Counter[str]:
    """Where pictures of items on sale lie: scheme and host of each, in small letters, and how many."""
    counts = cached(f"origins:{mark}", _origins)
    return Counter(dict(zip(counts["origins"].tolist(), counts["items"].tolist(), strict=True)))


def department_pictures(mark: str) -> list[DepartmentPictures]:
    """Departments, the one with the smallest share of seen pictures first; an item of two counts in both."""
    named = (fetch.state_of(None, since=None).changed or {}).get(fetch.Changed.CATALOGUE)  # a new name changes no item
    counts = cached(f"departments:{mark}:{named}", _departments)
    columns = (counts[name].tolist() for name in ("paths", "names", "items", "seen"))
    return sorted((DepartmentPictures(*row) for row in zip(*columns, strict=True)), key=lambda each: each.share)


def _origins() -> Arrays:
    origin = Func(Lower("image_url"), Value(ORIGIN), function="substring", output_field=CharField())
    rows = on_sale().filter(image_url__iregex=ORIGIN).annotate(origin=origin).values("origin")
    counts = list(rows.annotate(items=Count("pk")).values_list("origin", "items"))
    return {
        "origins": np.array([origin for origin, _items in counts], np.str_),
        "items": np.array([items for _origin, items in counts], np.int64),
    }


def _departments() -> Arrays:
    top = Func(F("categories__path"), Value(PATH_SEPARATOR), Value(1), function="split_part", output_field=CharField())
    rows = on_sale().filter(categories__isnull=False).annotate(top=top).values("top").order_by("top")
    counts = list(
        rows.annotate(items=Count("pk", distinct=True), seen=Count("pk", distinct=True, filter=SEEN)).values_list(
            "top", "items", "seen"
        )
    )
    names = dict(Category.objects.filter(parent=None).values_list("path", "name"))
    return {
        "paths": np.array([path for path, _items, _seen in counts], np.str_),
        "names": np.array([names.get(path, path) for path, _items, _seen in counts], np.str_),
        "items": np.array([items for _path, items, _seen in counts], np.int64),
        "seen": np.array([seen for _path, _items, seen in counts], np.int64),
    }
