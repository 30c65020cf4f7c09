"""The guard before a version goes live: what is so unusual about its data that a person should look first.

The gate compares settings on one history; the guard compares histories, and it looks at every version. A shop that has
hardly begun changes from run to run: below a hundred customers it looks only at the segments that rules hang on.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.loop import gate
from recommendations.loop.context import RunContext
from recommendations.loop.evaluate import Configuration
from recommendations.loop.risers import Demand
from recommendations.models import Audience, BlendWeights, ModelVersion, RunStage, SegmentState
from recommendations.store.audiences.members import segments_of
from recommendations.store.models import live_version, measurements, weight_versions
from recommendations.store.models.artefacts import of_one_edition
from recommendations.store.rules.conditions import FrozenRule, default_book
from recommendations.terms import TASKS, Stage
from recommendations.watch_terms import GuardCheck

FEWEST = 100  # customers of the live version
TIMES = 2.0
LESS_TRUTH = 0.5
LESS_CONFIRMED = 0.2
SET_ASIDE = 0.05
WEAK = 0.1  # share of the trending list
DEVIATIONS = 1.96  # of a mean: 95 %


class Unusual(NamedTuple):
    """One thing that is unusual: a number, and what it is in the live version."""

    check: GuardCheck
    before: float
    now: float


def unusual(context: RunContext, now: Demand, before: Demand | None) -> list[Unusual]:
    """What is unusual about the version against the live one; nothing where none is live."""
    live = live_version.live_version()
    if live is None:
        return []
    findings = [*_of_segments(context.version, live, now=context.run.now)]
    if before is None or live.users < FEWEST:
        return findings
    made, served = _counts(context.version), _counts(live)
    findings += [*_of_sizes(made, served), *_of_people(made, served)]
    findings += of_one_edition(live.pk, lambda _edition: list(_of_accuracy(context.version, live)))
    if now.weak >= WEAK and now.weak > before.weak:
        findings.append(Unusual(GuardCheck.TRENDING, before.weak, now.weak))
    return findings


def _counts(version: ModelVersion) -> Mapping[str, Any]:
    stage = RunStage.objects.get(run__model_version=version, stage=Stage.PREPROCESS)
    return dict(stage.counts)


def _of_sizes(made: Mapping[str, Any], served: Mapping[str, Any]) -> Iterator[Unusual]:
    for check, name in (
        (GuardCheck.CUSTOMERS, "live_users"), (GuardCheck.ITEMS, "live_items"), (GuardCheck.EVENTS, "kept"),
    ):  # fmt: skip
        before, now = float(served.get(name) or 0), float(made.get(name) or 0)
        if before and not before / TIMES < now < before * TIMES:
            yield Unusual(check, before, now)
    before, now = (float(counts.get("test_home_users") or 0) for counts in (served, made))
    if now < LESS_TRUTH * before:
        yield Unusual(GuardCheck.TRUTH, before, now)


def _of_people(made: Mapping[str, Any], served: Mapping[str, Any]) -> Iterator[Unusual]:
    before, now = _confirmed(served), _confirmed(made)
    if before is not None and now is not None and now < before - LESS_CONFIRMED:
        yield Unusual(GuardCheck.CONFIRMED, before, now)
    aside = float(made.get("set_aside") or 0) / max(float(made.get("kept") or 0), 1)
    if aside > SET_ASIDE:
        yield Unusual(GuardCheck.SET_ASIDE, 0.0, aside)


def _confirmed(counts: Mapping[str, Any]) -> float | None:
    """Share of the confirmed among the customers who are known; None before there were levels."""
    if "confirmed" not in counts:
        return None
    return float(counts["confirmed"]) / max(float(counts["confirmed"]) + float(counts["seen"]), 1)


def _of_segments(version: ModelVersion, live: ModelVersion, *, now: datetime) -> Iterator[Unusual]:
    """Segments with rules or weights of their own that serve, which the live version has and this one has not."""
    before, after = (
        set(SegmentState.objects.filter(version=one).values_list("segment__number", flat=True))
        for one in (live, version)
    )
    tied = before & _tied_to(now)
    if tied - after:
        yield Unusual(GuardCheck.SEGMENTS, len(tied), len(tied - after))


def _tied_to(now: datetime) -> set[int]:
    """Numbers of the segments for which rules or weights of their own serve, or that an audience of theirs asks for."""
    book = default_book()
    rules = [rule for rule in (book.rules if book else ()) if rule["segment"] is not None]
    weights = BlendWeights.objects.defaults().exclude(segment=None).values_list("segment__number", flat=True)
    asked = {number for one in Audience.objects.in_use() for number in segments_of(one.conditions)}
    return {rule["segment"] for rule in rules if not _has_ended(rule, now)} | set(weights) | asked


def _has_ended(rule: FrozenRule, now: datetime) -> bool:
    return rule["ends_at"] is not None and datetime.fromisoformat(rule["ends_at"]) <= now


def _of_accuracy(version: ModelVersion, live: ModelVersion) -> Iterator[Unusual]:
    """Distance of the default weights to the best baseline, where each version's interval lies apart, and below.

    Each version has test weeks of its own, harder or easier for every list: NDCG@10 itself says nothing across them.
    """
    for task, blend in TASKS.items():
        default = weight_versions.default_weights(blend)
        measured = [measurements.load_per_user(one.pk, task) for one in (version, live)]
        baselines = [name for name in gate.BASELINES if all(_is_measured(each, name) for each in measured)]
        if default is None or not baselines:
            continue
        best = max(baselines, key=lambda name: float(measured[1][name].mean()))
        now, before = (
            lead(gate.figures_of(one.pk, task, Configuration.of(default)).accuracy, each[best])
            for one, each in zip((version, live), measured, strict=True)
        )
        if now.is_below(before):
            yield Unusual(GuardCheck.ACCURACY, before.value, now.value)


def _is_measured(figures: Mapping[str, NDArray[np.float32]], name: str) -> bool:
    """Whether a baseline can be compared with: two customers or more, and it is right for some."""
    return name in figures and len(figures[name]) > 1 and bool(figures[name].any())


class Advantage(NamedTuple):
    value: float  # as a share of the baseline's mean
    reach: float  # half of the 95 % interval

    def is_below(self, other: "Advantage") -> bool:
        """Whether both intervals lie apart, this one below."""
        return self.value + self.reach < other.value - other.reach


def lead(ours: NDArray[np.float32], baseline: NDArray[np.float32]) -> Advantage:
    """Advantage over a baseline, customer by customer."""
    differences, base = ours - baseline, float(baseline.mean())
    reach = DEVIATIONS * float(np.std(differences)) / len(differences) ** 0.5
    return Advantage(float(differences.mean()) / base, reach / base)
