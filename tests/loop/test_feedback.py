"""What a run measures of how people look at lists: η and κ from the record, and the last ones where there is little."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from recommendations.loop.context import RunContext
from recommendations.loop.feedback import measure_feedback
from recommendations.models import ModelVersion, Run, Slate, SlateOutcome
from recommendations.store.models.feedback import (
    LearnedFeedback,
    feedback_of,
    ranked_answers,
    repeated_showings,
    save_feedback,
)
from recommendations.terms import VersionStatus, Way

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
SLOTS = 4


def version(status: VersionStatus = VersionStatus.READY) -> ModelVersion:
    return ModelVersion.objects.create(run=Run.objects.create(now=NOW), status=status)


def answers(
    customers: list[int], clicked: list[list[int]], *, places: list[list[int]] | None = None, **more: object
) -> None:
    """An answer to each of these, of items 1 … 4, seen whole, with clicks at slots."""
    slates, outcomes = [], []
    first = Slate.objects.count()
    for number, (customer, slots) in enumerate(zip(customers, clicked, strict=True), first):
        at = NOW - timedelta(days=1, seconds=number)
        own = places[number - first] if places else list(range(SLOTS))
        slates.append(
            Slate(
                served_at=at, recommendation_id=f"r-{number}", customer_id=customer, placement="home", source="model",
                personalised=True, items=[1 + place for place in own], scores=[0.0] * SLOTS, propensities=[1.0] * SLOTS,
                places=own, way=Way.SHUFFLED, weights_version=1,
            )
        )  # fmt: skip
        given = {"replay": False, "listed": True, **more}
        outcomes.append(
            SlateOutcome(
                recommendation_id=f"r-{number}", placement="home", at=at, seen=[1, 2, 3, 4], clicked=slots, carted=[],
                bought=[], revenues=[], purchases=0, **given,
            )
        )  # fmt: skip
    Slate.objects.bulk_create(slates)
    SlateOutcome.objects.bulk_create(outcomes)


def run(made: ModelVersion) -> LearnedFeedback:
    context = RunContext(run=made.run, version=made, cut=None, windows=None, report=lambda *_a, **_k: None)  # type: ignore[arg-type]
    measure_feedback(context)
    return feedback_of(made.pk)


def test_repeated_showings_are_counted_by_pair_and_slot() -> None:
    """One saw four items twice and clicked the second once; another saw them once, which tells nothing."""
    answers([7, 7, 8], [[], [2], []], places=[[0, 1, 2, 3], [1, 0, 2, 3], [0, 1, 2, 3]])
    repeated = repeated_showings(until=NOW)
    rows = sorted(zip(repeated.clicks.tolist(), repeated.ignored[:, :SLOTS].tolist(), strict=True))
    assert rows == [(0, [0, 0, 0, 2]), (0, [0, 0, 2, 0]), (0, [1, 1, 0, 0]), (1, [1, 0, 0, 0])]


def test_what_the_replay_showed_nobody_saw() -> None:
    answers([7, 7], [[1], []], replay=True)
    assert not len(repeated_showings(until=NOW).clicks)
    assert not len(ranked_answers(until=NOW).places)


def test_cards_do_not_tell_attention() -> None:
    answers([7, 8, 9], [[1], [2], []])
    Slate.objects.filter(customer_id=8).update(way=Way.CARDS)
    Slate.objects.filter(customer_id=9).update(way=Way.AS_RANKED)
    ranked = ranked_answers(until=NOW)
    assert (len(ranked.places), ranked.clicks.sum()) == (2, 1)


def test_too_little_leaves_what_the_last_version_has() -> None:
    assert run(version(VersionStatus.BUILDING)) == LearnedFeedback(kappa=20.0, eta=0.6)
    save_feedback(version(), LearnedFeedback(kappa=7.5, eta=0.9, pairs=9_000, kappa_measured=True, eta_measured=True))
    answers([7, 7], [[1], []])
    learned = run(version(VersionStatus.BUILDING))
    assert learned == LearnedFeedback(kappa=7.5, eta=0.9, pairs=4, answers=2)


def test_enough_answers_measure_attention_and_patience() -> None:
    """η = 1 planted, 5,200 shuffled answers; four to a customer, all with the same four items."""
    draw = np.random.default_rng(3)
    customers = np.repeat(np.arange(1, 1_301), 4).tolist()
    places = [draw.permutation(SLOTS).tolist() for _ in customers]
    relevance = dict.fromkeys(range(SLOTS), 0.4)
    clicked = [[slot for slot, place in enumerate(own, 1) if draw.random() < relevance[place] / slot] for own in places]
    answers(customers, clicked, places=places)
    learned = run(version(VersionStatus.BUILDING))
    assert (learned.answers, learned.pairs) == (5_200, 5_200)
    assert learned.eta_measured
    assert learned.kappa_measured
    assert learned.eta == pytest.approx(1, abs=0.2)
    assert learned.kappa > 50  # all are alike: a look without a click tells next to nothing
