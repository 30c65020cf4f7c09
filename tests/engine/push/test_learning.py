"""Response, relevance, activity and their figures: what a made world has in it is learned, and noise is refused."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from recommendations.engine.push import activity, relevance, response
from recommendations.engine.push.figures import LEARNED, area, best_share, compared, lift, tenths
from recommendations.engine.push.logistic import Logistic, shifted
from recommendations.engine.push.response import FEATURES, Receipts

ONES = np.ones(400)


def noise(seed: int = 0, n: int = 400) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    score = np.round(rng.normal(size=n), 1)  # with ties
    return score, rng.random(n) < 1 / (1 + np.exp(-score))


class TestFigures:
    def test_the_area_is_that_of_scikit_learn_also_with_ties_and_weights(self) -> None:
        score, answers = noise()
        assert area(score, answers)(ONES) == pytest.approx(roc_auc_score(answers, score))
        weights = np.random.default_rng(1).integers(0, 4, len(score)).astype(float)
        assert area(score, answers)(weights) == pytest.approx(roc_auc_score(answers, score, sample_weight=weights))
        assert np.isnan(area(score, np.ones(len(score), np.bool_))(ONES))

    def test_the_best_share_by_hand(self) -> None:
        score, answers = np.array([5.0, 4, 3, 2]), np.array([True, False, True, True])
        assert best_share(score, answers, 0.5)(np.ones(4)) == pytest.approx(1 / 3)
        assert lift(score, answers, 0.25)(np.ones(4)) == pytest.approx(4 / 3)
        assert best_share(score, answers, 0.5)(np.array([0.0, 1, 1, 0])) == 0

    def test_tenths_have_all_rows_and_equals_stay_together(self) -> None:
        said = np.repeat([0.1, 0.4, 0.9], [50, 30, 20])
        was = np.random.default_rng(2).random(100) < said
        parts = tenths(said, was, group=np.arange(100), seed=0)
        assert [part.rows for part in parts] == [50, 30, 20]
        assert all(part.low <= part.was <= part.high for part in parts)
        assert tenths(said[:0], was[:0], group=np.arange(0), seed=0) == []

    def test_gains_are_paired_by_draws_of_groups(self) -> None:
        score, answers = noise()
        group = np.arange(400) // 4
        table, gains = compared(
            {LEARNED: score, "same": score, "none": np.zeros(400)}, lambda each: {"area": area(each, answers)},
            group=group, seed=0,
        )  # fmt: skip
        assert gains["same"]["area"] == (0, 0, 0)
        assert gains["none"]["area"].low > 0
        assert table["none"]["area"].value == 0.5


class TestLogistic:
    def test_it_learns_survives_storing_and_takes_the_unknown_as_the_mean(self) -> None:
        rng = np.random.default_rng(4)
        columns = rng.normal(size=(4_000, 2)) * [1, 5] + [0, 3]
        answers = rng.random(4_000) < 1 / (1 + np.exp(-columns[:, 0]))
        model = Logistic.fit(columns, answers, ("a", "b"))
        again = Logistic.of(model.parameters())
        assert again.chances(columns[:5]).tolist() == model.chances(columns[:5]).tolist()
        assert np.abs(model.chances(columns) - 1 / (1 + np.exp(-columns[:, 0]))).max() < 0.1
        means = columns.mean(axis=0)
        unknown, mean = model.chances(np.array([[np.nan, np.nan], means]))
        assert unknown == pytest.approx(mean)

    def test_shifted_chances_keep_their_order_and_take_the_rate(self) -> None:
        chances = np.array([0.05, 0.1, 0.3])
        moved = shifted(chances, base=0.1, rate=0.01)
        assert moved[1] == pytest.approx(0.01)
        assert (np.diff(moved) > 0).all()
        assert shifted(chances, base=0.1, rate=0.1) == pytest.approx(chances)


def receipts(*, campaigns: int = 12, people: int = 200, learnable: bool = True) -> Receipts:
    """Campaigns a week apart; who had the items before answers more, if there is anything to learn."""
    rng = np.random.default_rng(5)
    raw = np.zeros((campaigns * people, len(FEATURES)))
    raw[:, FEATURES.index("own_lines")] = rng.poisson(3, len(raw))
    raw[:, FEATURES.index("answer_rate")] = rng.random(len(raw))
    raw[:, FEATURES.index("trips")] = rng.poisson(9, len(raw))
    drive = raw[:, FEATURES.index("own_lines")] - 5 if learnable else np.full(len(raw), -2.0)
    starts = 7.0 * np.arange(campaigns)
    return Receipts(
        campaign=np.repeat(np.arange(campaigns, dtype=np.int32), people), columns=response.logged(raw),
        answered=rng.random(len(raw)) < 1 / (1 + np.exp(-drive)), starts=starts, ends=starts + 14,
    )  # fmt: skip


class TestResponse:
    def test_who_answers_is_learned_and_beats_the_own_rate(self) -> None:
        lessons = receipts()
        figures = response.judged(lessons, cut=response.later_half(lessons), seed=0)
        assert figures is not None
        assert figures.beats(response.OWN_RATE, "area")
        assert figures.table[LEARNED]["half"].value > 0.7
        assert figures.counts["lesson_campaigns"] == 4  # those whose answers were all known at the cut

    def test_noise_beats_nothing(self) -> None:
        lessons = receipts(learnable=False)
        figures = response.judged(lessons, cut=response.later_half(lessons), seed=0)
        assert figures is not None
        assert not figures.beats(response.OWN_RATE, "area")

    def test_nothing_of_tested_campaigns_is_learned(self) -> None:
        lessons = receipts()
        cut = response.later_half(lessons)
        late = (lessons.ends > cut)[lessons.campaign]
        other = Receipts(
            campaign=lessons.campaign, columns=lessons.columns, starts=lessons.starts, ends=lessons.ends,
            answered=np.where(late, ~lessons.answered, lessons.answered),
        )  # fmt: skip
        one, two = (response.judged(each, cut=cut, seed=0) for each in (lessons, other))
        assert one is not None
        assert two is not None
        assert [part.said for part in one.tenths] == [part.said for part in two.tenths]

    def test_few_campaigns_or_answers_are_not_enough(self) -> None:
        assert response.fit_response(receipts(campaigns=4)) is None
        assert response.fit_response(receipts(people=4)) is None
        assert response.later_half(receipts(campaigns=0)) == 0

    def test_how_many_answer_the_rate_says(self) -> None:
        lessons = receipts()
        model = response.fit_response(lessons)
        assert model is not None
        again = response.ResponseModel.of(model.parameters())
        said = again.chances(lessons.columns, rate=0.01)
        assert said.tolist() == model.chances(lessons.columns, rate=0.01).tolist()
        assert 0.005 < said.mean() < 0.02


def lists(seed: int, *, users: int = 400) -> relevance.ListedItems:
    rng = np.random.default_rng(seed)
    score = -np.sort(-rng.normal(size=(users, 10)), axis=1).ravel()
    return relevance.ListedItems(
        user=np.repeat(np.arange(users), 10), score=score, place=np.tile(np.arange(10, dtype=np.int32), users),
        bought=rng.random(users * 10) < 0.3 / (1 + np.exp(-score)),
    )  # fmt: skip


class TestRelevance:
    def test_it_says_what_holds_in_another_window(self) -> None:
        taught = lists(1, users=3_000)
        model = relevance.fit_relevance(taught)
        assert model is not None
        figures = relevance.judged(model, lists(2, users=3_000), taught=taught, seed=0)
        assert relevance.holds(figures)
        again = relevance.RelevanceModel.of(model.parameters())
        place = np.arange(3)
        assert (
            again.chances(np.array([2.0, 1, 0]), place).tolist() == model.chances(np.array([2.0, 1, 0]), place).tolist()
        )
        assert model.chances(np.array([3.0, -3.0]), np.zeros(2, np.int64))[0] > 0.2

    def test_a_world_that_changed_is_not_said_to_hold(self) -> None:
        taught, later = lists(1), lists(2)
        model = relevance.fit_relevance(taught)
        assert model is not None
        rare = relevance.ListedItems(
            user=later.user, score=later.score, place=later.place,
            bought=later.bought & (np.random.default_rng(0).random(len(later)) < 0.5),
        )  # fmt: skip
        assert not relevance.holds(relevance.judged(model, rare, taught=taught, seed=0))

    def test_few_rows_teach_nothing(self) -> None:
        assert relevance.fit_relevance(lists(1, users=20)) is None


class TestActivity:
    def test_own_hours_are_drawn_towards_everybodys(self) -> None:
        everybody = np.full(168, 1 / 168)
        mornings = np.zeros((1, 168))
        mornings[0, [9, 33, 57]] = [4, 3, 3]
        few, many = (activity.hour_chances(mornings * times, everybody)[0] for times in (1, 30))
        assert (few.sum(), many.sum()) == pytest.approx((1, 1))
        assert few[9] < many[9]
        assert activity.hour_chances(np.zeros((1, 168)), everybody)[0] == pytest.approx(everybody)
        assert many[9 + 24 * 6] > many[15 + 24 * 6]  # its mornings count on a day that is not its own, too

    def test_a_click_counts_five_acts(self) -> None:
        own = activity.activity_of(np.zeros(5, np.int32), np.full(5, 20, np.int32), n_users=2)
        click = np.zeros(168)
        click[20] = 1
        assert own.of(1, click).tolist() == own.of(0).tolist()
        assert own.of(None) == pytest.approx(own.everybody)

    def test_people_with_hours_of_their_own_are_said_better(self) -> None:
        rng = np.random.default_rng(6)
        user = np.repeat(np.arange(300), 40)
        hour = (rng.integers(0, 7, len(user)) * 24 + 8 + (user % 10 + rng.integers(0, 2, len(user))) % 12).astype(
            np.int32
        )
        late = rng.random(len(user)) < 0.3
        earlier = activity.activity_of(user[~late].astype(np.int32), hour[~late], n_users=300)
        figures = activity.judged(earlier, user[late], hour[late], seed=0)
        assert figures.beats(activity.EVERYBODY, "within")
        assert figures.table[LEARNED]["within"].value > 0.8
        mixed = rng.permutation(hour)
        nobodys = activity.activity_of(user[~late].astype(np.int32), mixed[~late], n_users=300)
        assert not activity.judged(nobodys, user[late], mixed[late], seed=0).beats(activity.EVERYBODY, "within")
