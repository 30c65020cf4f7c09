"""Events in parts of whole customers teach, bit for bit, what they teach as a whole."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recommendations.engine.evaluation.leaks import shared_baskets
from recommendations.engine.feedback.act_outcomes import act_outcomes
from recommendations.engine.preprocess import levels, suspects
from recommendations.engine.preprocess.clean import Cleaning, Removed
from recommendations.engine.preprocess.levels import Levels
from recommendations.engine.preprocess.matrix import ActRows, EventWeights, TrainingSnapshot, snapshot_of
from recommendations.event_types import EventName
from recommendations.terms import SuspicionRule, Trust
from tests.engine.preprocess.events import DAY, SECOND, attributes, frame

CUT, BEFORE = DAY + 60, DAY + 32
N_USERS, N_ITEMS = 300, 60
ROBOT, EVEN, GANG = 17, 310, [*range(320, 332)]  # acts all day; acts at even moments; ask for the same rare items
NAMES = [
    EventName.PURCHASE, EventName.PURCHASE, EventName.VIEW_ITEM, EventName.VIEW_ITEM, EventName.ADD_TO_CART,
    EventName.DISLIKE_ITEM, EventName.REFUND, EventName.PLAY, EventName.RATE_ITEM, EventName.SEARCH,
]  # fmt: skip


def history(seed: int) -> pd.DataFrame:
    """What customers do within two months, some of it twice, impossible, or as no customer does; oldest first."""
    draw = np.random.default_rng(seed)
    n = 9_000
    at = DAY + 60.1 * draw.random(n)
    acts = {
        "user": draw.integers(-1, N_USERS, n), "item": np.minimum(draw.zipf(1.3, n), N_ITEMS) - 1,
        "name": draw.choice(NAMES, n), "at": at, "basket": np.where(draw.random(n) < 0.5, draw.integers(0, 20, n), -1),
        "quantity": draw.integers(-1, 4, n), "price": np.nan, "amount": draw.random(n) * 9,
        "rating": draw.random(n), "trust": draw.choice([*Trust], n),
    }  # fmt: skip
    rows = pd.DataFrame(acts)
    twice = rows.sample(400, random_state=seed).assign(trust=Trust.SERVER)
    twice["at"] += np.where(draw.random(400) < 0.5, 0.5 * SECOND, 0)
    robot = views(ROBOT, np.arange(900) % N_ITEMS, DAY + 9 + np.arange(900) / 2_000)
    even = views(EVEN, 1, DAY + 20 + np.arange(80) / 240)
    gang = views(np.repeat(GANG, 3), np.tile([90, 91, 92], len(GANG)), DAY + 58).assign(name=EventName.ADD_TO_CART)
    every = pd.concat([rows, twice, robot, even, gang], ignore_index=True).sort_values("at", kind="stable")
    return frame(every.assign(day=np.floor(every["at"])).to_dict("records"))


def views(user: object, item: object, at: object) -> pd.DataFrame:
    """Views of an imported file, whose customers are seen."""
    known = {"name": EventName.VIEW_ITEM, "basket": -1, "quantity": 1, "price": 1.0, "amount": 0.0, "rating": np.nan}
    return pd.DataFrame({"user": user, "item": item, "at": at}).assign(**known, trust=Trust.IMPORT)


def cut_up(events: pd.DataFrame, n: int) -> Sequence[pd.DataFrame]:
    """The events in so many parts of customers one after the other, those of nobody in the first."""
    user = events["user"].to_numpy()
    part = np.searchsorted(np.linspace(0, max(GANG), n + 1)[1:-1], user, side="right")
    return [events[part == number].reset_index(drop=True) for number in range(n)]


def learned(parts: Sequence[pd.DataFrame]) -> tuple[Levels, Cleaning, TrainingSnapshot]:
    people = levels.levels(parts)
    cleaning = Cleaning(parts, until=CUT, people=people)
    weights = EventWeights()
    known = replace(attributes([*range(N_ITEMS)]), departments=np.arange(N_ITEMS, dtype=np.int32) % 7)
    acts = [ActRows.of(part, cut=BEFORE, weights=weights) for part in cleaning]
    return people, cleaning, snapshot_of(acts, known, cut=BEFORE)


def the_same(one: object, other: object) -> None:
    for left, right in zip(one, other, strict=True):  # type: ignore[call-overload]
        assert left.dtype == right.dtype
        assert left.tobytes() == right.tobytes()


@pytest.mark.parametrize("n", [2, 7, 64])
@pytest.mark.parametrize("seed", range(2))
def test_parts_teach_what_the_whole_teaches(seed: int, n: int) -> None:
    events = history(seed)
    (people, whole, made), (people_too, parts, made_too) = learned([events]), learned(cut_up(events, n))
    the_same(people, people_too)
    for name, value in vars(whole.report).items():
        np.testing.assert_array_equal(value, getattr(parts.report, name), err_msg=name)
    assert whole.report.removed[Removed.BURST] >= 900
    assert [reason for reason, n in whole.report.removed.items() if not n] == [Removed.NEW]
    the_same([made.users.ids, made.items.ids], [made_too.users.ids, made_too.items.ids])
    one, other = made.training.interactions, made_too.training.interactions
    columns = [name for name in vars(one) if not name.startswith("n_") and isinstance(getattr(one, name), np.ndarray)]
    the_same(*([getattr(each, name) for name in columns] for each in (one, other)))
    for name in ("data", "indices", "indptr"):
        the_same(*([getattr(each.disliked, name)] for each in (made, made_too)))


@pytest.mark.parametrize("n", [2, 7, 64])
def test_who_is_suspected_what_came_of_acts_and_what_leaks_does_not_depend_on_the_parts(n: int) -> None:
    events = history(5)
    (people, whole, _), (_, parts, _) = learned([events]), learned(cut_up(events, n))
    assert set(whole.report.bursts[:, 0]) == {ROBOT}
    found = [suspects.suspicions(each, people, until=CUT) for each in (whole, parts)]
    assert {one.rule for one in found[0]} >= {SuspicionRule.PACE, SuspicionRule.TWINS}
    for one, other in zip(*found, strict=True):
        assert (one.rule, one.since) == (other.rule, other.since)
        the_same([one.people, one.items], [other.people, other.items])
    outcomes = [act_outcomes(each, cut=BEFORE, draw=np.random.default_rng(3)) for each in (whole, parts)]
    the_same(*([getattr(each, name) for name in ("customer", "act", "popularity", "bought")] for each in outcomes))
    leaks: Callable[..., str] = lambda each: str(*shared_baskets(each, cut=BEFORE, until=CUT, where="test"))  # noqa: E731
    assert leaks(whole) == leaks(parts)
    assert "of the window's baskets" in leaks(whole)
