"""Plays: what one is worth by the share that was played, once a session, and from when on it takes the item."""

from typing import Any

import numpy as np
import pytest

from recommendations.domains.articles import ARTICLES
from recommendations.domains.music import MUSIC
from recommendations.domains.protocol import Domain
from recommendations.domains.video import VIDEO
from recommendations.engine.evaluation.split import truths
from recommendations.engine.frames import Interactions
from recommendations.engine.preprocess.matrix import EventWeights, snapshot
from recommendations.event_types import EventName
from recommendations.terms import Task
from tests.engine.preprocess.events import DAY, act, attributes, frame

CUT = DAY + 10


def play(share: float, *, item: int = 1, basket: int = 1, **known: Any) -> dict[str, Any]:
    return act(1, item, EventName.PLAY, rating=share, basket=basket, **known)


def learned(domain: Domain, *rows: dict[str, Any]) -> Interactions:
    weights = EventWeights(points=domain.points, domain=domain)
    return snapshot(frame(rows), attributes([1, 2, 3]), cut=CUT, weights=weights).training.interactions


@pytest.mark.parametrize(
    ("domain", "share", "strength", "bought"),
    [
        (MUSIC, 0.0, [0.2], [False]), (MUSIC, 0.25, [0.4], [False]), (MUSIC, 0.5, [0.6], [True]),
        (MUSIC, 1.0, [1.0], [True]), (MUSIC, np.nan, [1.0], [True]),
        (VIDEO, 0.09, [], []), (VIDEO, 0.5, [0.5], [False]), (VIDEO, 0.9, [0.9], [True]),
        (VIDEO, np.nan, [1.0], [True]),
        (ARTICLES, 0.5, [0.5], [False]),
    ],
)  # fmt: skip
def test_a_play_counts_by_its_share(domain: Domain, share: float, strength: list[float], bought: list[bool]) -> None:
    rows = learned(domain, play(share))
    assert rows.strength.tolist() == pytest.approx(strength)
    assert rows.bought.tolist() == bought


def test_an_item_is_played_once_a_session_and_the_longest_play_counts() -> None:
    rows = learned(
        MUSIC, play(0.25), play(1.0, at=DAY + 0.01), play(0.5, at=DAY + 0.02), play(0.5, basket=2), play(0, item=2)
    )
    assert rows.item.tolist() == [0, 1, 0]
    assert rows.quantity.tolist() == [1, 1, 1]
    assert rows.strength.tolist() == pytest.approx([1.0, 0.2, 0.6])


def test_a_skip_takes_half_a_play_back() -> None:
    skip = act(1, 1, EventName.SKIP, basket=1, at=DAY + 0.01)
    kept = learned(MUSIC, play(1.0), skip)
    assert (kept.strength * kept.quantity).tolist() == pytest.approx([0.5])
    alone = learned(MUSIC, skip)
    assert (alone.strength.tolist(), alone.bought.tolist()) == (pytest.approx([-0.5]), [False])


def test_what_takes_an_item_is_the_truth_of_a_window() -> None:
    weights = EventWeights(points=VIDEO.points, domain=VIDEO)
    past = [play(1.0, item=item, basket=item) for item in (1, 2, 3)]
    later = [
        play(0.95, item=1, at=CUT + 1), play(0.5, item=2, at=CUT + 1),
        act(1, 3, EventName.RATE_ITEM, at=CUT + 1, rating=0.2), act(1, 2, EventName.PURCHASE, at=CUT + 1),
    ]  # fmt: skip
    events = frame([*past, *later])
    made = snapshot(events, attributes([1, 2, 3]), cut=CUT, weights=weights)
    truth = truths(events, made, window=(CUT, CUT + 28), weights=weights)
    assert truth[Task.HOME].spent.indices.tolist() == [0, 2]
    assert truth[Task.DISCOVER].spent.nnz == 0
