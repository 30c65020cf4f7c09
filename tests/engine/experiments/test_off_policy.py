"""Off-policy estimates, against a slow computation item by item and against worlds whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from recommendations.engine.experiments import estimators
from recommendations.engine.experiments.attention import Attention, attention_of
from recommendations.engine.experiments.details import details
from recommendations.engine.experiments.off_policy import (
    DOUBT,
    MISFIT,
    MOST,
    NORMAL,
    Estimate,
    LoggedAnswers,
    Rankings,
    capped,
    co_clicks,
    pbm_dr,
)
from recommendations.engine.experiments.relevance import relevance
from recommendations.engine.ranking.exploration import chances
from recommendations.engine.simulation.choices import (
    ChoiceWorld,
    choice_world,
    click,
    draft_ranking,
    give_answers,
    log_answers,
    slot_counts,
    true_difference,
)

SLOTS, RANKED, ITEMS = 4, 9, 12


def sure(q: np.ndarray) -> Attention:
    return Attention(q=q, shifts=np.zeros((0, len(q))), eta=0.6, se=0.0)


ATTENTION = sure(np.array([1.0, 0.7, 0.5, 0.4]))


def some_log(seed: int, answers: int = 250) -> LoggedAnswers:
    """A log of two forms, one with a slot that rules hold; some slots are filled up, some customers come again."""
    draw = np.random.default_rng(seed)
    tables = np.stack([chances(SLOTS, fixed, shuffled=0.4, cards=0.3, ranked=RANKED) for fixed in ((), (1,))])
    places = np.argsort(draw.random((answers, RANKED)), axis=1)[:, :SLOTS]
    places[draw.random(places.shape) < 0.05] = -1
    features = np.concatenate([draw.normal(size=(answers, ITEMS, 2)), np.ones((answers, ITEMS, 1))], axis=2)
    return LoggedAnswers(
        places=places,
        clicks=(draw.random(places.shape) < 0.25) * (places >= 0) * 1.0,
        customers=draw.integers(0, 80, answers),
        chances=tables,
        form=draw.integers(0, 2, answers),
        features=features.astype(np.float32),
    )


def some_order(seed: int, logged: LoggedAnswers) -> np.ndarray:
    order = np.argsort(np.random.default_rng(seed).random((len(logged), ITEMS)), axis=1)[:, :RANKED]
    order[::7, -2:] = -1
    return order


def slow(logged: LoggedAnswers, draft: np.ndarray, live: np.ndarray, q: np.ndarray) -> dict[str, float]:
    """Estimate, variance and never shown, one item after the other."""
    r = relevance(logged.features, places=logged.places, outcomes=logged.clicks, q=q, customers=logged.customers)
    values, models, clicks, alone, lost, whole = [], [], [], [], 0.0, 0.0
    for row in range(len(logged)):
        table = logged.chances[logged.form[row]]
        looked = {
            name: {item: float(table[rank] @ q) for rank, item in enumerate(order) if item >= 0}
            for name, order in (("own", range(RANKED)), ("draft", draft[row].tolist()), ("live", live[row].tolist()))
        }
        weight, model, design, only = {}, 0.0, 0.0, 0.0
        for item in range(ITEMS):
            own, new, old = (looked[name].get(item, 0.0) for name in ("own", "draft", "live"))
            model += (new - old) * r[row, item]
            heavy = new > MOST * own
            weight[item] = ((0 if heavy else new) - (0 if old > MOST * own else old)) / own if own else 0.0
            design += weight[item] ** 2 * own * r[row, item]
            only += new * heavy * r[row, item]
            lost, whole = lost + new * heavy, whole + new
        left = sum(
            weight[item] * (logged.clicks[row, slot] - q[slot] * r[row, item])
            for slot, item in enumerate(logged.places[row].tolist())
            if item >= 0
        )
        values.append(model + left)
        models.append(model)
        clicks.append(design)
        alone.append(only)
    mean = float(np.mean(values))
    sums = [sum(np.array(values)[logged.customers == one] - mean) for one in set(logged.customers.tolist())]
    sample = sum(each**2 for each in sums) / len(values) ** 2 * len(sums) / (len(sums) - 1)
    design_variance = (np.mean(clicks) + np.var(models)) / len(values)
    se = (max(sample, design_variance) + (DOUBT * np.mean(alone) / NORMAL) ** 2) ** 0.5
    return {"value": mean, "se": float(se), "never_shown": lost / whole, "by_design": design_variance / sample}


@pytest.mark.parametrize("seed", range(4))
def test_the_estimate_is_that_of_a_slow_computation(seed: int) -> None:
    logged = some_log(seed)
    draft, live = some_order(seed, logged), some_order(seed + 50, logged)
    if seed % 2:
        live = np.broadcast_to(np.arange(RANKED), draft.shape)
    estimate = pbm_dr(logged, Rankings(draft=draft, live=live if seed % 2 == 0 else None), ATTENTION)
    expected = slow(logged, draft, live, ATTENTION.q)
    half = NORMAL * expected["se"] + MISFIT * abs(1 - estimate.together) * estimate.changed * estimate.live
    assert estimate.value == pytest.approx(expected["value"], abs=1e-9)
    assert estimate.high - estimate.value == pytest.approx(half, rel=1e-9)
    assert estimate.value - estimate.low == pytest.approx(half, rel=1e-9)
    assert estimate.never_shown == pytest.approx(expected["never_shown"], rel=1e-9)
    assert estimate.worth == pytest.approx(logged.clicks.sum(axis=1).var() / expected["se"] ** 2, rel=1e-9)
    same = np.mean([len(set(a[:SLOTS]) & set(b[:SLOTS])) for a, b in zip(draft.tolist(), live.tolist(), strict=True)])
    assert estimate.changed == pytest.approx(1 - same / SLOTS, rel=1e-9)


def test_heavy_clicks_count_that_a_sample_happens_not_to_have() -> None:
    """Exploration is rare and never happened here: the sample scatters less than such logs do."""
    logged = some_log(8)
    logged = replace(
        logged,
        places=np.tile(np.arange(SLOTS), (len(logged), 1)),
        chances=chances(SLOTS, shuffled=0.02, cards=0.02, ranked=RANKED)[None],
        form=np.zeros(len(logged), np.int64),
    )
    draft = np.tile([7, 1, 2, 3, 0, 4, 5, 6, 8], (len(logged), 1))
    expected = slow(logged, draft, np.tile(np.arange(RANKED), (len(logged), 1)), ATTENTION.q)
    assert expected["by_design"] > 1.5
    estimate = pbm_dr(logged, Rankings(draft=draft), ATTENTION)
    assert estimate.worth == pytest.approx(logged.clicks.sum(axis=1).var() / expected["se"] ** 2, rel=1e-9)


def test_a_draft_that_changes_nothing_is_worth_nothing_for_sure() -> None:
    logged = some_log(1)
    own = np.broadcast_to(np.arange(RANKED), (len(logged), RANKED))
    estimate = pbm_dr(logged, Rankings(draft=own), ATTENTION)
    assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)
    assert (estimate.never_shown, estimate.changed, estimate.heaviest) == (0, 0, 0)
    assert all(detail.value == detail.se == 0 for detail in details(logged, Rankings(draft=own), ATTENTION).values())


def test_draft_and_live_change_places_and_the_sign() -> None:
    logged = some_log(2)
    one, other = some_order(1, logged), some_order(2, logged)
    there, back = (pbm_dr(logged, Rankings(draft=a, live=b), ATTENTION) for a, b in ((one, other), (other, one)))
    assert there.value == pytest.approx(-back.value, rel=1e-9)
    own = np.broadcast_to(np.arange(RANKED), one.shape)
    named, unnamed = (pbm_dr(logged, Rankings(draft=one, live=live), ATTENTION) for live in (own, None))
    assert named == unnamed


def test_money_is_estimated_as_clicks_are() -> None:
    """Where every click is worth 7, everything is seven times as much, and the log is worth the same."""
    logged = some_log(3)
    rankings = Rankings(draft=some_order(3, logged))
    clicks, money = (pbm_dr(logged, rankings, ATTENTION, outcomes=each) for each in (None, 7 * logged.clicks))
    assert money.value == pytest.approx(7 * clicks.value, rel=1e-6)
    assert money.high - money.low == pytest.approx(7 * (clicks.high - clicks.low), rel=1e-6)
    assert money.worth == pytest.approx(clicks.worth, rel=1e-6)
    assert money.heaviest == pytest.approx(clicks.heaviest, rel=1e-6)


def test_unsure_attention_widens_the_interval() -> None:
    logged = some_log(4)
    rankings = Rankings(draft=some_order(4, logged))
    narrow = pbm_dr(logged, rankings, ATTENTION)
    shift = -0.15 * np.log(np.arange(1, SLOTS + 1))[None, :]
    wide = pbm_dr(logged, rankings, Attention(q=ATTENTION.q, shifts=shift, eta=0.6, se=0.15))
    ends = [pbm_dr(logged, rankings, sure(ATTENTION.q * np.exp(sign * shift[0]))).value for sign in (1, -1)]
    swing = (ends[0] - ends[1]) / 2
    errors = [logged.clicks.sum(axis=1).std() / each.worth**0.5 for each in (narrow, wide)]
    assert errors[1] ** 2 - errors[0] ** 2 == pytest.approx(swing**2, rel=1e-6)
    assert wide.value == narrow.value


def test_items_that_were_never_shown_have_no_clicks_to_speak_for_them() -> None:
    """A draft of three items that no ranking holds: all of it is never shown but the places behind them."""
    logged = some_log(5)
    order = np.broadcast_to(np.array([9, 10, 11, 0, 1, 2, 3, 4, 5]), (len(logged), RANKED))
    estimate = pbm_dr(logged, Rankings(draft=order), ATTENTION)
    by_rank = (logged.chances @ ATTENTION.q)[logged.form]
    assert estimate.never_shown == pytest.approx(by_rank[:, :3].sum() / by_rank.sum(), rel=1e-9)
    assert estimate.changed == pytest.approx(0.75)


def test_revenue_is_cut_at_the_99th_percentile_of_answers() -> None:
    revenue = np.zeros((201, 2))
    revenue[:100, 0] = np.arange(1, 101)
    revenue[99] = [300, 100]
    cut = capped(revenue)
    # The percentile of 1 … 99 and 400 lies a hundredth of the way from 99 to 400.
    assert cut[99].sum() == pytest.approx(99 + 0.01 * (400 - 99), rel=1e-9)
    assert cut[99, 0] == pytest.approx(3 * cut[99, 1], rel=1e-9)
    np.testing.assert_array_equal(cut[:99], revenue[:99])
    np.testing.assert_array_equal(capped(np.zeros((3, 2))), np.zeros((3, 2)))


def test_details_are_those_of_a_slow_computation() -> None:
    logged, q = some_log(6), ATTENTION.q
    draft = some_order(6, logged)
    by_slot, by_item = [], []
    for row in range(len(logged)):
        table, ranks = logged.chances[logged.form[row]], {item: rank for rank, item in enumerate(draft[row].tolist())}
        slot_value = item_value = 0.0
        for slot, item in enumerate(logged.places[row].tolist()):
            if item < 0:
                continue
            rank = ranks.get(item)
            new = table[rank] if rank is not None else np.zeros(SLOTS)
            item_value += ((new @ q) / (table[item] @ q) - 1) * logged.clicks[row, slot]
            if table[item, slot] > 0:
                slot_value += (new[slot] / table[item, slot] - 1) * logged.clicks[row, slot]
        by_slot.append(slot_value)
        by_item.append(item_value)
    estimates = details(logged, Rankings(draft=draft), ATTENTION)
    assert estimates["iips"].value == pytest.approx(np.mean(by_slot), rel=1e-9)
    assert estimates["pbm"].value == pytest.approx(np.mean(by_item), rel=1e-9)
    assert estimates["iips"].never_shown >= estimates["pbm"].never_shown


@pytest.mark.parametrize("filled", [False, True])
def test_details_by_slot_are_the_estimators_of_every_slot_added_up(filled: bool) -> None:
    """SNIPS and DR of each slot by the functions that equal Open Bandit Pipeline's, weights and model item by item."""
    logged, q = some_log(9), ATTENTION.q
    places = logged.places if filled else np.where(logged.places < 0, 8, logged.places)
    logged = replace(logged, places=places, clicks=logged.clicks * (places >= 0))
    orders = {"draft": some_order(9, logged), "live": some_order(10, logged)}
    r = relevance(logged.features, places=places, outcomes=logged.clicks, q=q, customers=logged.customers)
    totals = dict.fromkeys(("snips", "dr"), 0.0)
    for name, sign in (("draft", 1), ("live", -1)):
        for slot in range(SLOTS):
            rows = np.flatnonzero(places[:, slot] >= 0)
            w, base = np.zeros(len(rows)), np.zeros(len(rows))
            for number, row in enumerate(rows.tolist()):
                chance = logged.chances[logged.form[row], :, slot]
                ranks = {item: rank for rank, item in enumerate(orders[name][row].tolist()) if item >= 0}
                shown = int(places[row, slot])
                if chance[shown] > 0:
                    w[number] = (chance[ranks[shown]] if shown in ranks else 0.0) / chance[shown]
                base[number] = sum(chance[rank] * q[slot] * r[row, item] for item, rank in ranks.items())
            clicks, expected = logged.clicks[rows, slot], q[slot] * r[rows, places[rows, slot]]
            totals["snips"] += sign * float(estimators.snips(clicks, w).sum()) / len(logged)
            totals["dr"] += sign * float(estimators.dr(clicks, w, expected=expected, base=base).sum()) / len(logged)
            if filled:  # a slot without an item of its own has what the model says of it, and nothing else
                others = np.setdiff1d(np.arange(len(logged)), rows)
                for row in others.tolist():
                    chance = logged.chances[logged.form[row], :, slot]
                    pairs = [(rank, item) for rank, item in enumerate(orders[name][row].tolist()) if item >= 0]
                    model = sum(chance[rank] * q[slot] * r[row, item] for rank, item in pairs)
                    totals["dr"] += sign * model / len(logged)
    seen = details(logged, Rankings(draft=orders["draft"], live=orders["live"]), ATTENTION)
    assert seen["snips"].value == pytest.approx(totals["snips"], rel=1e-9)
    assert seen["dr"].value == pytest.approx(totals["dr"], rel=1e-9)
    assert seen["snips"].never_shown == seen["dr"].never_shown == seen["iips"].never_shown


def test_the_error_of_snips_is_that_of_the_bootstrap() -> None:
    logged = replace(some_log(12, answers=400), customers=np.arange(400))
    rankings, draw = Rankings(draft=some_order(12, logged)), np.random.default_rng(0)
    values = []
    for _ in range(300):
        rows = draw.integers(0, 400, 400)
        again = replace(
            logged, places=logged.places[rows], clicks=logged.clicks[rows], customers=np.arange(400),
            form=logged.form[rows], features=logged.features[rows],
        )  # fmt: skip
        values.append(details(again, Rankings(draft=rankings.draft[rows]), ATTENTION)["snips"].value)
    assert details(logged, rankings, ATTENTION)["snips"].se == pytest.approx(np.std(values), rel=0.25)


def estimate_of(world: ChoiceWorld, ranking: np.ndarray, *, answers: int, seed: int) -> Estimate:
    draw = np.random.default_rng([seed, answers])
    given = give_answers(world, answers, shuffled=0.2, cards=0.1, draw=draw)
    clicks = click(world, given.customers, given.places, draw=draw)
    attention = attention_of(slot_counts(given, clicks))
    return pbm_dr(log_answers(world, given, clicks), Rankings(draft=ranking[given.customers]), attention)


@pytest.mark.parametrize("cascade", [False, True])
def test_intervals_hold_the_truth(cascade: bool) -> None:
    world = choice_world(np.random.default_rng(11), customers=200, rarity=3.0, cascade=cascade)
    ranking = draft_ranking(world, part=0.2)
    truth, live = true_difference(
        world, ranking, give_answers(world, 8_000, shuffled=0.2, cards=0.1, draw=np.random.default_rng(5))
    )
    estimates = [estimate_of(world, ranking, answers=1_000, seed=seed) for seed in range(25)]
    assert np.mean([each.low <= truth <= each.high for each in estimates]) >= 0.8
    assert np.median([abs(each.value - truth) for each in estimates]) < 0.05 * live
    assert np.mean([each.high - each.low for each in estimates]) < 0.5 * live
    together = np.mean([each.together for each in estimates])
    assert (together < 0.7) if cascade else (0.85 < together < 1.15)


def test_co_clicks_of_answers_whose_clicks_come_together() -> None:
    """Half the answers have all clicks and half none: twice as many pairs as slots that are independent give."""
    logged = some_log(7, answers=4_000)
    alike = np.repeat(np.random.default_rng(1).random(4_000) < 0.5, SLOTS).reshape(-1, SLOTS) * 1.0
    same = LoggedAnswers(
        places=np.broadcast_to(np.arange(SLOTS), alike.shape), clicks=alike, customers=np.arange(4_000),
        chances=logged.chances, form=logged.form, features=np.ones_like(logged.features),
    )  # fmt: skip
    assert co_clicks(same, np.ones(SLOTS)) == pytest.approx(2, abs=0.1)
