"""What a model version does to the segments of the one before it, and what hangs on each of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analytics.queries.segments.ties import rules_of, weights_of
from recommendations.models import BlendWeights, ModelVersion, Rule, Segment
from recommendations.services.operations.segments import load_moves

NOBODYS = -1
PARTS_SHOWN = 2
LEAST_PART = 0.1  # of the members, to be told of


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of a segment's members; ``parts`` are the other segments that took many of them, most first."""

    segment: Segment
    members: int  # of the version before who are known in this one
    now: int  # members of the segment of the same number; 0: it is gone
    kept: float  # share of the members
    parts: Sequence[tuple[Segment, float]]
    rules: Sequence[Rule]
    weights: Sequence[BlendWeights]

    @property
    def gone(self) -> bool:
        return not self.now

    @property
    def tied(self) -> bool:
        """Whether rules or weights of its own hang on it."""
        return bool(self.rules or self.weights)

    @property
    def percent(self) -> float:
        return round(100 * self.kept, 1)


@dataclass(frozen=True, kw_only=True)
class Fates:
    """Segments of the version before, what needs a look first, and the new ones with their members."""

    rows: Sequence[Fate]
    new: Sequence[tuple[Segment, int]]

    @property
    def gone(self) -> int:
        return sum(row.gone for row in self.rows)

    @property
    def stay(self) -> int:
        return len(self.rows) - self.gone

    @property
    def least_kept(self) -> float:
        """Smallest share of its members that a segment which stays has kept."""
        return min((row.kept for row in self.rows if not row.gone), default=1.0)


def fates(version: ModelVersion | None) -> Fates | None:
    """What became of the segments with this version; None where there was no version before it."""
    ways = load_moves(version.pk).tolist() if version else []
    if version is None or not ways:
        return None
    there = {state.segment.number: state for state in version.segment_states.select_related("segment")}
    went: dict[int, dict[int, int]] = defaultdict(dict)
    for before, after, customers in ways:
        if before != NOBODYS:
            went[before][after] = customers
    segments = {each.number: each for each in Segment.objects.filter(number__in=[*went, *there])}
    rules, weights = rules_of(list(went)), weights_of(list(went))
    rows = [
        _fate(
            segments[number], to, segments, now=there[number].size if number in there else 0,
            rules=rules[number], weights=weights[number],
        )
        for number, to in went.items() if number in segments
    ]  # fmt: skip
    rows.sort(key=lambda row: (not row.gone, not row.tied, row.kept))
    new = [(state.segment, state.size) for number, state in there.items() if number not in went]
    return Fates(rows=rows, new=sorted(new, key=lambda pair: -pair[1]))


def _fate(
    segment: Segment,
    to: Mapping[int, int],
    segments: Mapping[int, Segment],
    *,
    now: int,
    rules: Sequence[Rule],
    weights: Sequence[BlendWeights],
) -> Fate:
    members = sum(to.values())
    others = sorted(((count, number) for number, count in to.items() if number != segment.number), reverse=True)
    large = [(segments[number], count / members) for count, number in others if number in segments]
    parts = [(other, share) for other, share in large if share >= LEAST_PART][:PARTS_SHOWN]
    kept = to.get(segment.number, 0) / members
    return Fate(segment=segment, members=members, now=now, kept=kept, parts=parts, rules=rules, weights=weights)
