"""The transformer: its forward pass against a slow one, and what it is silent about; torch where it is installed."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommendations.engine.frames import TrainingSet
from recommendations.engine.recommenders import net_training
from recommendations.engine.recommenders.net_training import (
    Plan,
    Sequences,
    TooFewSequencesError,
    TorchUnavailableError,
    Training,
)
from recommendations.engine.recommenders.sequence_net import HEADS, SHAPES, NetShapeError, states
from recommendations.engine.recommenders.transformer import Config, Transformer
from recommendations.terms import Reason
from tests.shop import Act, everybody, stranger, training_set

PLAN = Plan(dimensions=8, places=6, people=1, fewest=2, rows=4, negatives=12, dropout=0.1, rate=3e-3, halvings=1_000)
N = 9


def drawn_net(
    *, n_items: int = N, d: int = 8, places: int = 6, blocks: int = 2, seed: int = 0
) -> dict[str, np.ndarray]:
    sizes, draw = {"n": n_items, "d": d, "p": places, "b": blocks}, np.random.default_rng(seed)
    return {
        name: draw.normal(0, 0.5, [int(axis) if axis.isdigit() else sizes[axis] for axis in axes]).astype(np.float32)
        for name, axes in SHAPES.items()
    }


def shop(sequences: list[list[int]], *, n_items: int = N) -> TrainingSet:
    """Everybody takes one item a day, the last one today."""
    acts = [
        Act(user, item, 10 * user + at, age=float(len(items) - 1 - at))
        for user, items in enumerate(sequences)
        for at, item in enumerate(items)
    ]
    return training_set(acts, n_users=len(sequences), category_of=[0] * n_items)


def fitted(training: TrainingSet, net: dict[str, np.ndarray] | None = None, **config: int) -> Transformer:
    training = replace(training, net=drawn_net(n_items=training.n_items) if net is None else net)
    return Transformer(Config(**config)).fit(training, seed=0)


def slow(net: dict[str, np.ndarray], items: list[int]) -> np.ndarray:
    """The state after the last item in double precision, place by place and number by number."""
    net = {name: array.astype(float) for name, array in net.items()}
    d = net["items"].shape[1]
    width = d // HEADS

    def norm(x: list[float], scale: np.ndarray, shift: np.ndarray) -> list[float]:
        mean = sum(x) / d
        spread = math.sqrt(sum((each - mean) ** 2 for each in x) / d + 1e-5)
        return [(x[n] - mean) / spread * scale[n] + shift[n] for n in range(d)]

    def line(x: list[float], weights: np.ndarray, shift: np.ndarray) -> list[float]:
        return [sum(x[n] * weights[n, m] for n in range(d)) + shift[m] for m in range(d)]

    x = [
        [math.sqrt(d) * net["items"][item, n] + net["places"][at, n] for n in range(d)] for at, item in enumerate(items)
    ]
    for block in range(len(net["mix"])):
        mix, shift, norms = net["mix"][block], net["mix_shift"][block], net["norms"][block]
        normed = [norm(one, *norms[0]) for one in x]
        query, key, value = ([line(one, mix[part], shift[part]) for one in normed] for part in range(3))
        taken = []
        for at in range(len(x)):
            mixed: list[float] = []
            for head in range(HEADS):
                part = range(head * width, (head + 1) * width)
                fits = [math.exp(sum(query[at][n] * key[k][n] for n in part) / math.sqrt(width)) for k in range(at + 1)]
                mixed += [sum(fits[k] * value[k][n] for k in range(at + 1)) / sum(fits) for n in part]
            taken.append(line(mixed, mix[3], shift[3]))
        x = [[x[at][n] + taken[at][n] for n in range(d)] for at in range(len(x))]
        inner, inner_shift = net["inner"][block], net["inner_shift"][block]
        for at, one in enumerate(x):
            hidden = [max(each, 0.0) for each in line(norm(one, *norms[1]), inner[0], inner_shift[0])]
            out = line(hidden, inner[1], inner_shift[1])
            x[at] = [one[n] + out[n] for n in range(d)]
    return np.array(norm(x[-1], *net["last_norm"]))


def test_the_state_is_that_of_a_slow_calculation_whatever_lies_in_the_block_beside() -> None:
    net, sequences = drawn_net(), [[3], [1, 2, 3], [0, 1, 2, 3, 4, 5], [8, 1, 3]]
    quick = states(net, [np.array(one, np.int32) for one in sequences])
    np.testing.assert_allclose(quick, [slow(net, one) for one in sequences], rtol=1e-4, atol=1e-4)


def test_of_a_long_history_the_end_counts_and_of_one_item_in_a_row_one() -> None:
    net = drawn_net()
    long, repeated = fitted(shop([[0, 7, 1, 2, 3, 4, 5, 6]]), net), fitted(shop([[1, 1, 1, 2, 2]]), net)
    end, once = slow(net, [1, 2, 3, 4, 5, 6]), slow(net, [1, 2])
    for recommender, training, state in (
        (long, shop([[0, 7, 1, 2, 3, 4, 5, 6]]), end),
        (repeated, shop([[1, 1, 1, 2, 2]]), once),
    ):
        np.testing.assert_allclose(
            recommender.score(everybody(training))[0], net["items"] @ state, rtol=1e-3, atol=1e-3
        )


def test_what_the_net_does_not_know_is_silent_and_no_part_of_a_history() -> None:
    net = drawn_net()
    net["items"][[2, 5]] = 0
    training = shop([[2, 1, 5, 3], [2, 5], [1, 3]])
    scores = fitted(training, net).score(everybody(training))
    assert np.isnan(scores[:, [2, 5]]).all()
    assert np.isnan(scores[1]).all()
    np.testing.assert_array_equal(scores[0], scores[2])
    assert np.isnan(fitted(training, net).score(stranger(N))).all()


def test_without_a_net_it_is_silent() -> None:
    training = shop([[1, 2]])
    recommender = Transformer(Config()).fit(training, seed=0)
    assert np.isnan(recommender.score(everybody(training))).all()
    assert not recommender.evidence(everybody(training), 3)


def test_evidence_is_what_the_score_loses_without_an_item() -> None:
    net, training = drawn_net(), shop([[1, 2, 3, 4]])
    recommender, query = fitted(training, net, explained=3), everybody(training)
    for item in range(5, N):
        whole = net["items"][item] @ slow(net, [1, 2, 3, 4])
        lost = {
            left_out: whole - net["items"][item] @ slow(net, [one for one in (1, 2, 3, 4) if one != left_out])
            for left_out in (4, 3, 2)
        }
        positive = {source: term for source, term in lost.items() if term > 0}
        evidence = recommender.evidence(query, item)
        assert {one.item: one.share for one in evidence} == pytest.approx(
            {source: term / sum(positive.values()) for source, term in positive.items()}, abs=1e-3
        )
        assert {one.reason for one in evidence} <= {Reason.BOUGHT_NEXT}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda net: net.pop("mix"), "no array 'mix'"),
        (lambda net: net.update(items=net["items"][:-1]), r"'items' of the net has the shape \(8, 8\), not 9 × d"),
        (lambda net: net.update(places=net["places"][:, :-1]), r"'places' .* not p × 8"),
        (lambda net: net.update(norms=net["norms"][:1]), r"'mix' .* not 1 × 4 × 8 × 8"),
        (lambda net: net.update(drawn_net(d=7)), "7 dimensions, which 2 heads cannot share"),
    ],
)
def test_arrays_of_another_shape_are_refused(spoil: Callable[[dict[str, np.ndarray]], object], said: str) -> None:
    net = drawn_net()
    spoil(net)
    with pytest.raises(NetShapeError, match=said):
        fitted(shop([[1, 2]]), net)


def test_a_history_of_twenty_is_folded_in_quickly() -> None:
    net = drawn_net(n_items=1_000, d=64, places=50)
    sequence = [np.arange(20, dtype=np.int32)]
    states(net, sequence)
    spent = []
    for _ in range(20):
        started = time.perf_counter()
        states(net, sequence)
        spent.append(time.perf_counter() - started)
    assert min(spent) < 0.005  # about .5 ms on a free core


def test_a_lesson_leaves_out_rare_items_and_what_is_held_out() -> None:
    training = shop([[0, 1, 2, 3]] * 20 + [[4, 0, 1]])
    taught = net_training.sequences_of(training, replace(PLAN, people=2), seed=0)
    assert len(taught.sequences) == 21
    assert len(taught.asked) == len(taught.answers) == 2
    assert taught.counts.tolist() == [21, 21, 20, 18, 0, 0, 0, 0, 0]
    assert set(taught.answers.tolist()) == {3}
    assert [one.tolist() for one in taught.asked] == [[0, 1, 2]] * 2
    assert len(net_training.sequences_of(training, replace(PLAN, people=2), seed=0, since=0.0).answers) == 0


def test_what_is_held_out_is_younger_than_all_that_the_net_before_knows() -> None:
    """Half the people took item 3 today. The others took it two days ago, and since then it again, or what is rare: the
    net of yesterday knows that it came next.
    """
    anew, known = [[0, 1, 2, 3]] * 20, [[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 3, 3]] * 10
    plan = replace(PLAN, people=11)
    assert len(net_training.sequences_of(shop(anew + known), plan, seed=0, since=1.5).answers) == 2  # a tenth of half
    assert len(net_training.sequences_of(shop(known), plan, seed=0, since=1.5).answers) == 0


def test_a_long_sequence_is_learned_from_in_pieces_that_miss_no_step() -> None:
    taught = net_training.sequences_of(shop([list(range(9)), list(range(9))]), PLAN, seed=0)
    steps = {(int(one[at]), int(one[at + 1])) for one in taught.sequences for at in range(len(one) - 1)}
    assert steps == {(item, item + 1) for item in range(8)}
    assert max(map(len, taught.sequences)) == PLAN.places + 1


def test_too_few_sequences_are_said() -> None:
    with pytest.raises(TooFewSequencesError, match=r"2 people took two items or more .* needs 200"):
        net_training.sequences_of(shop([[0, 1], [1, 2], [3]]), Plan(people=1), seed=0)


@pytest.fixture
def without_torch() -> Iterator[None]:
    held = sys.modules.get("torch")
    sys.modules["torch"] = None
    yield
    del sys.modules["torch"]
    if held is not None:
        sys.modules["torch"] = held


@pytest.mark.usefixtures("without_torch")
def test_without_torch_the_error_names_the_extra() -> None:
    with pytest.raises(TorchUnavailableError, match=r"needs torch: install the extra sequence-torch"):
        net_training.torch_library()


def test_a_torch_that_is_too_old_is_refused(without_torch: None) -> None:
    old = type(sys)("torch")
    old.__version__ = "2.5.1+cpu"
    sys.modules["torch"] = old
    with pytest.raises(TorchUnavailableError, match=r"2\.5\.1\+cpu is too old, 2\.6 or later"):
        net_training.torch_library()


def test_a_stored_progress_is_gone_on_from(tmp_path: Path) -> None:
    training = shop([[0, 1, 2, 3]] * 20)
    progress = net_training.start(net_training.sequences_of(training, PLAN, seed=0), PLAN, seed=0)
    progress.round, progress.reached = 3, [0.1, 0.3, 0.2]
    arrays, facts = progress.stored()
    np.savez(tmp_path / "progress.npz", **arrays)
    with np.load(tmp_path / "progress.npz", allow_pickle=False) as stored:
        again = Training.restored({name: stored[name] for name in stored.files}, facts)
    assert (again.round, again.reached) == (3, [0.1, 0.3, 0.2])
    for part in ("net", "best", "moments"):
        for name, array in getattr(progress, part).items():
            np.testing.assert_array_equal(getattr(again, part)[name], array)


def test_a_later_training_begins_with_the_net_before_it_and_draws_new_items() -> None:
    taught, before = net_training.sequences_of(shop([[0, 1, 2, 3]] * 20), PLAN, seed=0), drawn_net()
    before["items"][3] = 0
    net = net_training.start(taught, PLAN, seed=0, before=before).net
    np.testing.assert_array_equal(net["items"][:3], before["items"][:3])
    assert net["items"][3].any()
    assert not net["items"][4:].any()
    np.testing.assert_array_equal(net["mix"], before["mix"])
    anew = net_training.start(taught, PLAN, seed=0, before=drawn_net(d=16))
    assert anew.net["mix"].shape == before["mix"].shape
    assert anew.rate == PLAN.rate


def cycles(n_people: int = 120) -> TrainingSet:
    """Everybody goes round the same circle of nine items, from anywhere: what comes next is known."""
    return shop([[(user + step) % N for step in range(5)] for user in range(n_people)])


def trained(rounds: int, progress: Training | None = None, taught: Sequences | None = None) -> Training:
    taught = taught or net_training.sequences_of(cycles(), PLAN, seed=0)
    progress = progress or net_training.start(taught, PLAN, seed=0)

    class EnoughError(Exception):
        pass

    def tell(now: Training) -> None:
        if now.round == rounds:
            raise EnoughError

    with pytest.raises(EnoughError):  # the clock stands still, so that nothing depends on how quick the machine is
        net_training.train(taught, PLAN, progress, seconds=1, seed=0, tell=tell, clock=lambda: 0.0)
    return progress


def test_torch_and_numpy_give_the_same_states() -> None:
    torch = pytest.importorskip("torch")
    progress = net_training.start(net_training.sequences_of(cycles(), PLAN, seed=0), PLAN, seed=0)
    progress.net = drawn_net()
    taught = net_training.sequences_of(cycles(), PLAN, seed=0)
    trainer = net_training._Trainer(torch, taught, PLAN, progress=progress, clock=time.monotonic)
    items = np.array([[0, 3, 5, 1], [2, 2, 8, 7]], np.int32)
    theirs = trainer._forward(torch.tensor(items, dtype=torch.long), dropout=0.0)[:, -1].detach().numpy()
    np.testing.assert_allclose(states(progress.net, list(items)), theirs, rtol=1e-4, atol=1e-4)


def test_a_net_learns_what_comes_next_and_a_killed_training_goes_on_the_same_way() -> None:
    pytest.importorskip("torch")
    whole, half = trained(40), trained(15)
    arrays, facts = half.stored()
    resumed = trained(40, Training.restored({name: np.array(array) for name, array in arrays.items()}, dict(facts)))
    for name, array in whole.net.items():
        np.testing.assert_array_equal(resumed.net[name], array)
    training = cycles()
    scores = fitted(training, {name: np.asarray(array) for name, array in whole.best.items()}).score(
        everybody(training)
    )
    expected = [(user + 5) % N for user in range(training.n_users)]
    assert np.mean(scores.argmax(axis=1) == expected) > 0.9
    assert whole.best_reached == max(whole.reached) > 0.9


def test_a_training_ends_when_its_time_is_over_or_nothing_gets_better() -> None:
    pytest.importorskip("torch")
    taught, ticks = net_training.sequences_of(cycles(), PLAN, seed=0), iter(range(10_000))
    progress = net_training.start(taught, PLAN, seed=0)
    net_training.train(
        taught, PLAN, progress, seconds=50, seed=0, tell=lambda _: None, clock=lambda: float(next(ticks))
    )
    assert progress.seconds >= 50
    impatient = replace(PLAN, patience=2, halvings=1)
    progress = net_training.start(taught, impatient, seed=0)
    net_training.train(taught, impatient, progress, seconds=1, seed=0, tell=lambda _: None, clock=lambda: 0.0)
    assert progress.halved == 2
    assert progress.round >= progress.best_round + 2
