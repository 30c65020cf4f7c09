"""Whatever people do, each counts for so many values, each once: without any one of them counts differ by no more."""

import numpy as np
import pytest

from recommendations.engine.privacy.bounds import NoBoundError, bounded_counts, contributions, favourite_counts

DOMAIN = 8


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def acts_of_some(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Acts of up to six people: some buy one thing again and again, some everything, sometimes nobody anything."""
    draw = rng(seed)
    lines = int(draw.integers(0, 60))
    return draw.integers(0, 1 + seed % 6, lines), np.minimum(draw.geometric(0.2 + seed % 5 / 10, lines), DOMAIN) - 1


def test_without_one_person_counts_differ_by_the_bound_at_most_in_1_000_histories() -> None:
    for seed in range(1_000):
        (people, values), bound = acts_of_some(seed), 1 + seed % 7
        counting, counted = contributions(people, values, bound=bound, rng=rng(seed))
        pairs, acts = (list(zip(*each, strict=True)) for each in ((counting, counted), (people, values)))
        whole = bounded_counts(people, values, domain=DOMAIN, bound=bound, rng=rng(seed))
        assert whole.tolist() == [sum(value == each for _, value in pairs) for each in range(DOMAIN)]
        assert len(set(pairs)) == len(pairs)
        assert set(pairs) <= set(acts)
        for person in set(people.tolist()):
            difference = whole - np.bincount(counted[counting != person], minlength=DOMAIN)
            assert difference.max() <= 1
            assert difference.min() >= 0
            assert difference.sum() == min(bound, len(set(values[people == person].tolist())))


def test_everybody_has_one_favourite_that_none_of_theirs_exceeds() -> None:
    for seed in range(200):
        once, times = np.unique(np.column_stack(acts_of_some(seed)), axis=0, return_counts=True)
        counts = favourite_counts(once[:, 0], once[:, 1], times=times, domain=DOMAIN, rng=rng(seed))
        assert counts.sum() == len(set(once[:, 0].tolist()))
        most = {who: times[once[:, 0] == who].max() for who in once[:, 0].tolist()}
        favourites = [value for (who, value), often in zip(once.tolist(), times, strict=True) if often == most[who]]
        assert (counts <= np.bincount(favourites, minlength=DOMAIN)).all()


def test_a_favourite_is_what_was_done_most() -> None:
    people, values, times = np.array([[1, 1, 2, 2], [0, 3, 3, 4], [5, 2, 1, 2]])
    assert favourite_counts(people, values, times=times, domain=5, rng=rng()).tolist() == [1, 0, 0, 0, 1]


def test_values_are_drawn_evenly_however_often_they_were_bought() -> None:
    people = np.repeat(np.arange(6_000), 6)
    values = np.tile([0, 0, 0, 1, 2, 3], 6_000)  # each buys the first one three times
    counts = bounded_counts(people, values, domain=4, bound=2, rng=rng())
    assert counts.sum() == 12_000
    assert np.abs(counts - 3_000).max() < 5 * np.sqrt(6_000 * 0.25)


@pytest.mark.parametrize("bound", [0, -1])
def test_nobody_counts_for_nothing(bound: int) -> None:
    with pytest.raises(NoBoundError, match=f"not for {bound}"):
        contributions(np.array([1]), np.array([1]), bound=bound, rng=rng())
