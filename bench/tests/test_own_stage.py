"""Trees on files of one's own: they win where they see what no recommender sees, and are left out where they do not."""

import sys
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.files.data import Files, read
from bench.ranking import own_stage as own_stages
from bench.ranking.axes import setting
from bench.ranking.choice import Chosen
from bench.ranking.contest import STAGED, Field, entered, entries
from bench.ranking.own_data import Validation, validated
from bench.ranking.own_stage import OwnStage, own_stage
from bench.tests.files import HEADER, written
from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.item_facts import item_facts
from recommendations.engine.ranking.second_stage import SecondStageUnavailableError
from recommendations.engine.recommenders import buy_again, popularity
from recommendations.engine.recommenders.hybrid import Limits
from recommendations.terms import Task

WEIGHTS = {"buy_again": 0.9, "popularity": 0.1}
USERS = 80
LONG_AGO = 1_700_000_000


@pytest.fixture(scope="module")
def validation(tmp_path_factory: pytest.TempPathFactory) -> Validation:
    """Each buys two things by turns: who counts sees both alike, who remembers the last basket knows what is next."""
    folder = tmp_path_factory.mktemp("turns")
    rows = [
        (f"u{user}", f"i{(user + (turn % 2) * 7) % 40}", LONG_AGO + 604_800 * turn + user, f"{user}-{turn}")
        for user in range(USERS)
        for turn in range(9 + user % 2)
    ]
    for name in ("train", "queries"):
        written(folder, f"{name}.csv", rows, header=f"{HEADER},session_id")
    written(folder, "truth.csv", [(f"u{user}", f"i{user % 40}") for user in range(USERS)], header="user_id,item_id")
    files = Files(**{name: folder / f"{name}.csv" for name in ("train", "queries", "truth")})
    return validated(read(files), (Task.HOME,), seed=0)


@pytest.fixture(scope="module")
def field(validation: Validation) -> Field:
    again = setting(buy_again.BuyAgain, buy_again.Config(half_life=None, prior_half_life=None))
    popular = setting(popularity.Popularity, popularity.Config(half_life=None))
    chosen = [
        Chosen(name="buy_again", setting=again, ndcg=0.5, tried=1),
        Chosen(name="popularity", setting=popular, ndcg=0.1, tried=1),
    ]
    assert validation.part is not None
    entrants = entered(validation.part, chosen, seed=0, tell=lambda _: None)
    return Field(part=validation.part, task=Task.HOME, entrants=entrants, trend=None)


@pytest.fixture(scope="module")
def stage(field: Field, validation: Validation) -> OwnStage:
    pytest.importorskip("lightgbm")
    return own_stage(field, field.pool(), past=validation.past, weights=WEIGHTS, seed=0)


def test_trees_win_where_the_last_basket_tells_the_next(stage: OwnStage, field: Field, validation: Validation) -> None:
    assert validation.past is not None
    assert stage.lessons == len(field.part.queries) + len(validation.past.asked)
    assert stage.wins
    assert stage.gain.value > 0.1
    described = stage.described()
    assert (described["used"], described["lists"]) == (True, stage.lessons)


def test_its_lists_put_what_is_next_first(stage: OwnStage, field: Field) -> None:
    rows = np.arange(40)
    records = field.records(WEIGHTS, rows, limits=Limits())
    ranked = stage.ranked(field.part, item_facts(field.part.training), records, rows, k=5)
    truth = field.part.truths[Task.HOME].spent[rows].indices
    assert (ranked[:, 0] == truth).mean() > 0.9


def test_features_of_few_are_held_at_once(stage: OwnStage, field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, facts = np.arange(USERS)[::-1], item_facts(field.part.training)
    records = field.records(WEIGHTS, rows, limits=Limits())

    def ranked() -> tuple[IntArray, int]:
        tracemalloc.start()
        found = stage.ranked(field.part, facts, records, rows, k=5)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found, peak

    together, most = ranked()
    monkeypatch.setattr(own_stages, "AT_ONCE", 9)
    apart, less = ranked()
    np.testing.assert_array_equal(apart, together)
    assert less < most / 2


def test_what_may_be_luck_does_not_win(stage: OwnStage) -> None:
    assert not replace(stage, gain=Measure(value=0.002, low=-0.001, high=0.005)).wins


def test_without_lightgbm_nobody_is_fitted_for_past_baskets(
    field: Field, validation: Validation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    assert validation.past is not None
    unread = replace(validation.past, part=None)
    with pytest.raises(SecondStageUnavailableError):
        own_stage(field, field.pool(), past=unread, weights=WEIGHTS, seed=0)


def test_the_hybrid_alone_does_not_take_what_the_second_stage_takes(field: Field) -> None:
    def restaged(records: Candidates, rows: NDArray[np.int64]) -> IntArray:
        time.sleep(0.2)
        return records.items[:, :5]

    alone, staged, *_ = entries(field, {"buy_again": 1.0}, k=5, restaged=restaged)
    assert (alone.name, staged.name) == ("hybrid", STAGED)
    assert staged.score_s >= alone.score_s + 0.2
    again, popular = (entrant.cost.seconds for entrant in field.entrants)
    assert (alone.fit_s, staged.fit_s) == (again, again + popular)
