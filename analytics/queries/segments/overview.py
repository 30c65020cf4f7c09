"""Interest groups: who they are, how they buy, what became of them since the last run."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Exists, OuterRef

from analytics.charts.segments import Centre, Leaning, MapPoint
from analytics.queries.segments.ties import rules_of, weights_of
from recommendations.engine.interests.segment import top_categories
from recommendations.models import BlendWeights, Category, LiveProfile, Rule, Segment
from recommendations.services.operations.segments import Picture

ATTRIBUTES_SHOWN = 5
ATTRIBUTES_OF_ONE = 15
MOST_POINTS = 1_500
BUSIEST = 8
MOVED_FAR = 0.1  # 1 − cosine of the interests
KEPT_FEW = 0.6  # share of the members
EVERYBODY = slice(None)


@dataclass(frozen=True, kw_only=True)
class Buying:
    """Buying per member over the whole history, but ``active``: share of members with an event in its last 28 days."""

    active: float
    acts: float
    baskets: float
    spend: float
    basket: float  # spend of one basket


@dataclass(frozen=True, kw_only=True)
class SegmentChange:
    """Change of a segment since the last run; None where there was nothing to compare."""

    size_before: int
    kept: float | None
    moved: float | None
    grown: float | None  # share by which the size changed

    @property
    def unstable(self) -> bool:
        return (self.kept is not None and self.kept < KEPT_FEW) or (self.moved or 0) > MOVED_FAR


@dataclass(frozen=True, kw_only=True)
class SegmentRow:
    segment: Segment
    share: float  # of all customers with a segment
    attributes: Sequence[Leaning]
    buying: Buying | None
    change: SegmentChange | None

    @property
    def percent(self) -> float:
        return round(100 * self.share, 2)

    @property
    def today(self) -> str:
        """The two categories that set it apart most, where its automatic name is that of others; else empty."""
        most = list(dict.fromkeys(each["name"] for each in self.segment.top_categories))[:2]
        named = {" & ".join(most), " & ".join(reversed(most))}
        return "" if self.segment.name or self.segment.automatic_name in named else " & ".join(most)


@dataclass(frozen=True, kw_only=True)
class SegmentRows:
    """Segments, the largest first; ``everybody`` is None where the version has no picture."""

    groups: Sequence[SegmentRow]
    everybody: Buying | None
    compared: bool  # with an earlier run

    def of(self, number: int) -> SegmentRow | None:
        return next((group for group in self.groups if group.segment.number == number), None)


def groups(model: int | None, picture: Picture | None) -> SegmentRows:
    """Segments of a version; what only the picture knows is None without one."""
    segments = list(Segment.objects.filter(version=model).order_by("-size", "number")) if model else []
    total = sum(segment.size for segment in segments)
    rows = {number: row for row, number in enumerate(picture.numbers.tolist())} if picture else {}
    keys = [each["category"] for segment in segments for each in segment.top_categories]
    categories = _categories(keys)
    segment_rows = []
    for segment in segments:
        row = rows.get(segment.number)
        there = picture if row is not None else None
        segment_rows.append(
            SegmentRow(
                segment=segment,
                share=segment.size / total if total else 0.0,
                attributes=_attributes(segment, there, categories),
                buying=_buying(there, row),
                change=_change(there, row, size=segment.size),
            )
        )
    compared = any(group.change is not None and group.change.size_before >= 0 for group in segment_rows)
    return SegmentRows(groups=segment_rows, everybody=_buying(picture, EVERYBODY), compared=compared)


def centres(found: SegmentRows, picture: Picture) -> list[Centre]:
    at = {number: row for row, number in enumerate(picture.numbers.tolist())}
    return [
        Centre(
            number=group.segment.number,
            words=str(group.segment),
            size=group.segment.size,
            x=float(picture.projection.centres[at[group.segment.number], 0]),
            y=float(picture.projection.centres[at[group.segment.number], 1]),
        )
        for group in found.groups
        if group.segment.number in at
    ]


def points(picture: Picture) -> list[MapPoint]:
    """Some of the customers, evenly spread."""
    drawn = picture.projection.users
    some = np.linspace(0, len(drawn) - 1, min(MOST_POINTS, len(drawn))).astype(np.int64)
    numbers = picture.of_users[drawn[some]].tolist()
    places = picture.projection.points[some].tolist()
    return [MapPoint(number=number, x=x, y=y) for number, (x, y) in zip(numbers, places, strict=True) if number >= 0]


def attributes(number: int, picture: Picture) -> list[Leaning]:
    """Categories that set one segment apart, most first."""
    row = int(np.flatnonzero(picture.numbers == number)[0])
    shares = picture.interests[row]
    columns = top_categories(shares[None], picture.overall, n=ATTRIBUTES_OF_ONE)[0]
    keys = picture.categories[columns].tolist()
    names = _told_apart(keys, _categories(keys))
    return [
        Leaning(words=names[key], share=float(shares[column]), overall=float(picture.overall[column]))
        for key, column in zip(keys, columns.tolist(), strict=True)
        if shares[column] > picture.overall[column]
    ]


def uses(segment: Segment) -> dict[str, Any]:
    """Context of what is tailored to a segment, and its busiest customers."""
    busiest = LiveProfile.objects.filter(segment=segment)
    rows = busiest.order_by("-weight").select_related("customer")[:BUSIEST]
    return {
        "rules": rules_of([segment.number])[segment.number],
        "weights": weights_of([segment.number])[segment.number],
        "busiest": [row.customer for row in rows],
    }


def gone_but_used() -> list[Segment]:
    """Segments that the live version no longer has, and for which there are rules or weights of their own."""
    rules = Rule.objects.unarchived().filter(segment=OuterRef("pk"))
    weights = BlendWeights.objects.defaults().filter(segment=OuterRef("pk"))
    return list(Segment.objects.exclude(version__is_live=True).filter(Exists(rules) | Exists(weights)))


def _categories(keys: Collection[int]) -> dict[int, tuple[str, str | None]]:
    """Name of each category, and that of its parent."""
    rows = Category.objects.filter(pk__in=keys).values_list("pk", "name", "parent__name")
    return {key: (name, parent) for key, name, parent in rows}


def _told_apart(keys: Sequence[int], categories: Mapping[int, tuple[str, str | None]]) -> dict[int, str]:
    """Words of categories that stand together: where two have one name, each with the name of its parent."""
    there = {key: categories.get(key, ("", None)) for key in keys}
    often = Counter(name for name, _parent in there.values())
    return {key: f"{name} ({parent})" if parent and often[name] > 1 else name for key, (name, parent) in there.items()}


def _attributes(
    segment: Segment, picture: Picture | None, categories: Mapping[int, tuple[str, str | None]]
) -> list[Leaning]:
    stored: Sequence[Mapping[str, Any]] = segment.top_categories[:ATTRIBUTES_SHOWN]
    overall = dict(zip(picture.categories.tolist(), picture.overall.tolist(), strict=True)) if picture else {}
    words = _told_apart([each["category"] for each in stored], categories)
    return [
        Leaning(
            words=words[each["category"]] or each["name"],
            share=each["share"],
            overall=overall.get(each["category"]),
        )
        for each in stored
    ]


def _buying(picture: Picture | None, row: int | slice | None) -> Buying | None:
    """Buying in one segment, or in all of them; None where nobody is in it."""
    if picture is None or row is None:
        return None
    behaviour = picture.behaviour
    sums = (behaviour.members, behaviour.active, behaviour.acts, behaviour.baskets, behaviour.spend)
    members, active, acts, baskets, spend = (float(np.sum(values[row])) for values in sums)
    if not members:
        return None
    return Buying(
        active=active / members,
        acts=acts / members,
        baskets=baskets / members,
        spend=spend / members,
        basket=spend / baskets if baskets else 0.0,
    )


def _change(picture: Picture | None, row: int | None, *, size: int) -> SegmentChange | None:
    if picture is None or row is None:
        return None
    before, retention, moved = (
        values[row].item() for values in (picture.drift.size_before, picture.drift.kept, picture.drift.moved)
    )
    return SegmentChange(
        size_before=before,
        kept=None if np.isnan(retention) else retention,
        moved=None if np.isnan(moved) else moved,
        grown=size / before - 1 if before > 0 else None,
    )
