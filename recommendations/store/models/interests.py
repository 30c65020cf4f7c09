"""Segments and association rules of a version, from arrays into the record and back."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from operator import or_
from typing import Any

import numpy as np
from django.db.models import Exists, OuterRef
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ids import IdMap
from recommendations.engine.interests.association import Pairs, p_values
from recommendations.engine.interests.segment import agreement
from recommendations.models import (
    AssociationRule,
    Category,
    ModelVersion,
    Segment,
    SegmentState,
)
from recommendations.store.models.artefacts import load_arrays, save_arrays
from recommendations.store.temp_tables import copying
from recommendations.terms import Cut

LEARNED = (SegmentState, AssociationRule)


def forget(version: ModelVersion) -> None:
    """Delete what the stage left in the record, also of an interrupted try."""
    for model in LEARNED:
        model.objects.filter(version=version).delete()


def forget_old_versions() -> None:
    """Forget the versions whose files are gone, which can go live no more."""
    ended = ModelVersion.objects.filter(is_live=False, run__finished_at__isnull=False, artefacts=None)
    learned = (Exists(model.objects.filter(version=OuterRef("pk"))) for model in LEARNED)
    for version in ended.filter(reduce(or_, learned)):
        forget(version)


@dataclass(frozen=True, kw_only=True)
class PreviousSegments:
    """The segments of the version before, so that a segment of now can go on as the same one."""

    numbers: IntArray  # lasting number per row of ``interests``
    interests: FloatArray  # [segments, categories] over the columns of now
    users: IdMap
    membership: IntArray  # lasting number per user, −1 = none
    highest: int  # number ever given
    version: int | None = None

    @property
    def sizes(self) -> IntArray:
        """Members of each segment."""
        return np.array([np.count_nonzero(self.membership == number) for number in self.numbers.tolist()], np.int32)

    def rows_of(self, users: IdMap) -> IntArray:
        """The row in ``numbers`` of each user's segment then, −1 = none."""
        row_of = {number: row for row, number in enumerate(self.numbers.tolist())}
        known = np.array([row_of.get(number, -1) for number in self.membership.tolist()] + [-1], np.int32)
        return known[self.users.rows(users.ids)]  # a row of −1, of who was not known, is the last one

    def numbers_after(self, forerunners: IntArray) -> IntArray:
        """Lasting numbers of the segments of now, of which ``forerunners`` are rows in ``numbers``, −1 = new."""
        new = forerunners < 0
        fresh = self.highest + np.cumsum(new)
        return np.where(new, fresh, np.append(self.numbers, 0)[forerunners]).astype(np.int32)

    def common(self, users: IdMap, membership: IntArray) -> tuple[IntArray, IntArray]:
        """Lasting number now and before of the customers of both versions."""
        rows = self.users.rows(users.ids)
        both = rows >= 0
        return membership[both], self.membership[rows[both]]

    def agreement(self, users: IdMap, membership: IntArray) -> float | None:
        """Adjusted Rand index over the customers of both versions; None where there was none before."""
        now, before = self.common(users, membership)
        return round(agreement(now, before), 4) if len(now) else None


def previous_segments(version: ModelVersion, *, columns: IdMap) -> PreviousSegments:
    highest = Segment.objects.order_by("-number").values_list("number", flat=True).first() or 0
    before = ModelVersion.objects.ready().filter(pk__lt=version.pk).order_by("-is_live", "-pk").first()
    arrays = load_arrays(before.pk, Cut.LIVE, prefix=("segments/", "ids/users")) if before else {}
    if before is None or "segments/interests" not in arrays:
        nothing = np.empty(0, np.int32)
        return PreviousSegments(
            numbers=nothing, interests=np.empty((0, len(columns)), np.float32),
            users=IdMap(ids=np.empty(0, np.int64)), membership=nothing, highest=highest,
        )  # fmt: skip
    interests = np.zeros((len(arrays["segments/interests"]), len(columns)), np.float32)
    at = columns.rows(arrays["segments/categories"])
    interests[:, at[at >= 0]] = arrays["segments/interests"][:, at >= 0]
    return PreviousSegments(
        numbers=arrays["segments/numbers"], interests=interests,
        users=IdMap(ids=arrays["ids/users"]), membership=arrays["segments/of_users"], highest=highest,
        version=before.pk,
    )  # fmt: skip


def save_segments(
    version: ModelVersion,
    *,
    categories: IdMap,
    numbers: IntArray,
    membership: IntArray,
    shares: FloatArray,
    top: IntArray,
) -> None:
    """Save segments by lasting number; they are shown once the version is live."""
    names = dict(Category.objects.values_list("pk", "name"))
    given = {str(segment) for segment in Segment.objects.exclude(version=None)}
    sizes = {int(number): int(np.count_nonzero(membership == number)) for number in numbers}
    for row, number in enumerate(numbers.tolist()):
        described = [
            {"category": int(categories.ids[column]), "name": names[int(categories.ids[column])],
             "share": round(float(shares[row, column]), 4)}
            for column in top[row].tolist()
        ]  # fmt: skip
        name = _name([names[category] for category in categories.ids[top[row]].tolist()], given)
        segment, _ = Segment.objects.get_or_create(number=number, defaults={"automatic_name": name})
        given.add(str(segment))
        SegmentState.objects.create(
            version=version, segment=segment, size=sizes[number], top_categories=described
        )  # fmt: skip
    save_arrays(
        version,
        Cut.LIVE,
        {"segments/interests": shares, "segments/numbers": numbers, "segments/categories": categories.ids},
    )


def _name(categories: Sequence[str], given: Collection[str]) -> str:
    """Name for a segment that begins: the first two of its categories that together name no other one."""
    different = list(dict.fromkeys(categories))
    names = [" & ".join(pair) for pair in combinations(different, min(2, len(different)))]
    return next((name for name in names if name not in given), names[0])


def segments_of(version_id: int) -> tuple[IdMap, IntArray]:
    """The customers of a version's live cut, and the lasting number of each one's segment (−1 = none)."""
    arrays = load_arrays(version_id, Cut.LIVE, prefix=("ids/users", "segments/of_users"))
    users = IdMap(ids=arrays["ids/users"])
    return users, arrays.get("segments/of_users", np.full(len(users), -1, np.int32))


def segments_by_customer(version_id: int, customers: NDArray[np.int64]) -> IntArray:
    """The lasting number of each customer's segment, −1 = none."""
    users, numbers = segments_of(version_id)
    rows = users.rows(customers)
    return np.where(rows >= 0, np.append(numbers, -1)[rows], -1).astype(np.int32)


def save_rules(version: ModelVersion, *, items: IdMap, pairs: Pairs, most: int) -> None:
    """Save the rules with the greatest lift; each says "who takes the first takes the second"."""
    strongest = np.argsort(-pairs.lift, kind="stable")[:most]
    chosen = pairs.where(np.isin(np.arange(len(pairs)), strongest))
    columns: Sequence[NDArray[Any]] = (
        items.ids[chosen.first], items.ids[chosen.second], chosen.together,
        chosen.support, chosen.confidence, chosen.lift, p_values(chosen),
    )  # fmt: skip
    rows = (
        (version.pk, [first], second, baskets, support, min(confidence, 1.0), lift, p_value)
        for first, second, baskets, support, confidence, lift, p_value in zip(
            *(column.tolist() for column in columns), strict=True
        )
    )
    _copy(
        "recommendations_associationrule"
        " (version_id, antecedents, consequent_id, baskets, support, confidence, lift, p_value)",
        rows,
    )


def _copy(target: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with copying(f"COPY {target} FROM STDIN") as copied:
        for row in rows:
            copied.write_row(row)
