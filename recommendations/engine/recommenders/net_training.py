"""Training of the transformer's net: the only module that needs torch, and imports it when a net is trained.

Every item of a sequence is to be foretold from those before it, among itself and 1,024 items that are drawn by how
often they are taken and shared by the batch; the log-Q correction takes out again what the drawing favours.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Interactions, TrainingSet
from recommendations.engine.privacy.smallest import PEOPLE
from recommendations.engine.recommenders.sequence_net import EPSILON, HEADS, SHAPES, in_order, known_items, states
from recommendations.engine.rng import generator

OLDEST = (2, 6)
"""The first version of torch for Python 3.13; nothing older was tried."""

JUDGED_AT_ONCE = 256
"""People whose expectation of all items is held at once."""

K = 10
COOLING = 5.0  # in so many parts of the time the last one cools
PARTS = ("net", "best", "moments")

type Arrays = dict[str, NDArray[Any]]


class TorchUnavailableError(Exception):
    """There is no torch, or one that is too old; the message has the remedy."""


class TooFewSequencesError(Exception):
    """There is too little to train on; the message says what there is."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Settings of a training."""

    dimensions: int = 64
    blocks: int = 2
    places: int = 50
    dropout: float = 0.4
    rate: float = 1e-2  # of learning: it falls in the last fifth of the time, and halves where nothing gets better
    rate_again: float = 3e-3  # likewise, where a net is trained on
    rows: int = 128  # sequences of one length that are learned from at once
    negatives: int = 1_024
    people: int = PEOPLE  # of fewer who took an item the net does not learn it: it would tell their habits
    fewest: int = 200  # sequences
    judged: int = 1_000  # people, at most a tenth of all, whose newest item is held out, to see when to stop
    patience: int = 4  # rounds without getting better there, after which the rate halves
    halvings: int = 4  # after which it stops
    threads: int = 1


@dataclass(kw_only=True)
class Training:
    """Where a training stands, as arrays that can be stored and gone on from."""

    net: Arrays
    best: Arrays  # the net as it was when it judged best
    moments: Arrays  # of Adam
    rate: float
    halved: int = 0  # times
    halved_round: int = 0
    round: int = 0
    best_round: int = 0
    best_reached: float = -1.0
    seconds: float = 0.0
    judged: int = 0  # people of whom something is held out
    reached: list[float] = field(default_factory=list)  # NDCG@10 of each round, there; its number where nothing is

    def stored(self) -> tuple[Arrays, dict[str, Any]]:
        """The arrays by one name each, and the rest."""
        arrays = {f"{part}/{name}": array for part in PARTS for name, array in getattr(self, part).items()}
        return arrays, {name: value for name, value in vars(self).items() if name not in PARTS}

    @classmethod
    def restored(cls, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> Self:
        """What ``stored`` was taken from."""
        parts: dict[str, Arrays] = {part: {} for part in PARTS}
        for path, array in arrays.items():
            part, _, name = path.partition("/")
            parts[part][name] = array
        return cls(net=parts["net"], best=parts["best"], moments=parts["moments"], **facts)


class Sequences(NamedTuple):
    """Sequences to learn from, and the newest items that are held out of some."""

    sequences: list[IntArray]
    asked: list[IntArray]
    answers: IntArray
    counts: NDArray[np.int64]  # of each item, in the sequences


def sequences_of(training: TrainingSet, plan: Plan, *, seed: int, since: float = np.inf) -> Sequences:
    """The sequences of a training set. Raises TooFewSequencesError where they are fewer than the plan asks for.

    ``since``: days before the cut up to which the net that is trained on knows everything; the items that are held out
    are younger.
    """
    acts = training.teaching
    taken = in_order(acts, _shared(acts, plan.people))
    everyone = taken.by_user(acts.n_users)
    enough = np.array([len(one) > 1 for one in everyone], np.bool_)
    if enough.sum() < plan.fewest:
        raise TooFewSequencesError(
            f"{enough.sum():,} people took two items or more that {plan.people} people took; "
            f"a net needs {plan.fewest:,} of them."
        )
    newest = np.full(acts.n_users, np.inf)
    np.minimum.at(newest, taken.user, taken.age)
    able = [number for number in np.flatnonzero(newest < since) if len(everyone[number]) > 2]
    judged = np.sort(generator(seed, "judged sequences").permutation(able)[: min(plan.judged, len(able) // 10)])
    held = set(judged.tolist())
    taught = [everyone[number][:-1] if number in held else everyone[number] for number in np.flatnonzero(enough)]
    pieces = [piece for one in taught for piece in _pieces(one, plan.places + 1)]
    return Sequences(
        sequences=pieces,
        asked=[everyone[number][:-1] for number in judged],
        answers=np.array([everyone[number][-1] for number in judged], np.int32),
        counts=np.bincount(np.concatenate(pieces), minlength=acts.n_items),
    )


def _shared(acts: Interactions, people: int) -> BoolArray:
    """Whether so many different people took each item."""
    wanted = acts.where(acts.strength > 0)
    pairs = np.unique(wanted.item.astype(np.int64) * max(acts.n_users, 1) + wanted.user)
    counts = np.bincount(pairs // max(acts.n_users, 1), minlength=acts.n_items)
    return np.asarray(counts >= people)


def _pieces(sequence: IntArray, most: int) -> list[IntArray]:
    """The sequence in pieces of no more than ``most`` items from its end on; one of a single item teaches nothing."""
    ends = [*range(len(sequence), 0, -(most - 1))]
    pieces = [sequence[max(end - most, 0) : end] for end in ends]
    return [piece for piece in pieces if len(piece) > 1]


def start(taught: Sequences, plan: Plan, *, seed: int, before: Mapping[str, NDArray[Any]] | None = None) -> Training:
    """A training that has not begun. ``before`` is a net of the same items that is trained on; what it lacks is new.

    One of other sizes is of no use, and all begins.
    """
    draw = generator(seed, "first net")
    sizes = {"n": len(taught.counts), "p": plan.places, "d": plan.dimensions, "b": plan.blocks}
    net: Arrays = {}
    for name, axes in SHAPES.items():
        shape = [int(axis) if axis.isdigit() else sizes[axis] for axis in axes]
        net[name] = np.zeros(shape, np.float32)
        if name in ("items", "places", "mix", "inner"):
            net[name] = draw.normal(0, plan.dimensions**-0.5, shape).astype(np.float32)
    net["norms"][:, :, 0] = net["last_norm"][0] = 1
    again = before is not None and all(before[name].shape == net[name].shape for name in SHAPES)
    if before is not None and again:
        known = known_items(before)
        net |= {name: np.array(before[name], np.float32) for name in SHAPES if name != "items"}
        net["items"][known] = before["items"][known]
    net["items"][taught.counts == 0] = 0
    zeros = {f"{moment}.{name}": np.zeros_like(net[name]) for moment in ("first", "second") for name in SHAPES}
    rate = plan.rate_again if again else plan.rate
    return Training(
        net=net, best=_copy(net), moments={**zeros, "steps": np.zeros(1)}, rate=rate, judged=len(taught.answers)
    )


def train(
    taught: Sequences,
    plan: Plan,
    progress: Training,
    *,
    seconds: float,
    seed: int,
    tell: Callable[[Training], None],
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, FloatArray]:
    """Train until ``seconds`` have been spent, or nothing gets better; the best net. ``progress`` is kept up to date.

    ``tell`` hears of each round that is done, and may raise to stop.
    Raises TorchUnavailableError where there is no torch.
    """
    trainer = _Trainer(torch_library(), taught, plan, progress=progress, clock=clock)
    while progress.seconds < seconds and progress.halved <= plan.halvings:
        trainer.round(generator(seed, "round", str(progress.round)), until=seconds)
        tell(progress)
    return progress.best


def torch_library() -> Any:
    """Import torch. Raises TorchUnavailableError where it is missing or too old."""
    remedy = "install the extra sequence-torch where nets are trained (requirements/sequence-torch.txt)"
    try:
        torch: Any = import_module("torch")
    except ImportError as error:
        raise TorchUnavailableError(f"Training a net needs torch: {remedy}.") from error
    version = str(torch.__version__)
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise TorchUnavailableError(f"torch {version} is too old, {oldest} or later is needed: {remedy}.")
    return torch


class _Trainer:
    """The net as torch has it, and Adam. torch draws the dropout; all else is drawn by the generator of the round."""

    def __init__(
        self, torch: Any, taught: Sequences, plan: Plan, *, progress: Training, clock: Callable[[], float]
    ) -> None:
        torch.set_num_threads(plan.threads)
        self.torch, self.functional = torch, torch.nn.functional
        self.taught, self.plan, self.progress, self.clock = taught, plan, progress, clock
        self.net = {name: torch.tensor(progress.net[name], requires_grad=True) for name in SHAPES}
        self.moments = {name: torch.tensor(array) for name, array in progress.moments.items() if name != "steps"}
        self.steps = int(progress.moments["steps"][0])
        frequency = taught.counts.astype(np.float64) ** 0.75
        self.drawn = frequency / frequency.sum()
        self.log_drawn = torch.tensor(np.log(np.maximum(self.drawn, 1e-12)).astype(np.float32))

    def round(self, draw: np.random.Generator, *, until: float) -> None:
        """Go once through all sequences, in batches of one length, or as far as the time goes."""
        progress, began = self.progress, self.clock()
        spent = progress.seconds
        self.torch.manual_seed(int(draw.integers(2**31)))
        for items in self._batches(draw):
            progress.seconds = spent + self.clock() - began
            if progress.seconds >= until:
                break
            self._step(items, draw, share=progress.seconds / until)
        progress.round += 1
        progress.net = {name: tensor.detach().numpy().copy() for name, tensor in self.net.items()}
        progress.moments = {name: tensor.numpy().copy() for name, tensor in self.moments.items()}
        progress.moments["steps"] = np.array([self.steps])
        reached = self._reached()
        progress.reached.append(reached)
        if reached > progress.best_reached:
            progress.best, progress.best_reached, progress.best_round = _copy(progress.net), reached, progress.round
        elif progress.round - max(progress.best_round, progress.halved_round) >= self.plan.patience:
            progress.halved, progress.halved_round = progress.halved + 1, progress.round
        progress.seconds = spent + self.clock() - began

    def _batches(self, draw: np.random.Generator) -> list[IntArray]:
        """The sequences in rows of one length, mixed anew."""
        lengths = np.array([len(one) for one in self.taught.sequences])
        mixed = draw.permutation(len(lengths))
        mixed = mixed[np.argsort(lengths[mixed], kind="stable")]
        starts = np.flatnonzero(np.diff(lengths[mixed], prepend=0))
        batches = []
        for first, last in pairwise([*starts, len(mixed)]):
            step = max(self.plan.rows * 10 // max(int(lengths[mixed[first]]), 10), 1)
            rows = (mixed[at : min(at + step, last)] for at in range(first, last, step))
            batches += [np.stack([self.taught.sequences[number] for number in some]) for some in rows]
        return [batches[number] for number in draw.permutation(len(batches))]

    def _step(self, items: IntArray, draw: np.random.Generator, *, share: float) -> None:
        """Learn from one batch, [rows, length]."""
        torch = self.torch
        negatives = torch.tensor(draw.choice(len(self.drawn), self.plan.negatives, p=self.drawn))
        sequence = torch.tensor(items, dtype=torch.long)
        state = self._forward(sequence[:, :-1], dropout=self.plan.dropout).flatten(0, 1)
        right = sequence[:, 1:].flatten()
        vectors = self.net["items"]
        of_right = (state * vectors[right]).sum(1) - self.log_drawn[right]
        of_others = state @ vectors[negatives].T - self.log_drawn[negatives]
        of_others = of_others.masked_fill(negatives == right[:, None], -1e9)
        logits = torch.cat([of_right[:, None], of_others], 1)
        loss = self.functional.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long))
        for tensor in self.net.values():
            tensor.grad = None
        loss.backward()
        self._adam(self.progress.rate * 0.5**self.progress.halved * min(COOLING * (1 - share), 1))

    def _adam(self, rate: float) -> None:
        self.steps += 1
        with self.torch.no_grad():
            for name, tensor in self.net.items():
                first, second = self.moments[f"first.{name}"], self.moments[f"second.{name}"]
                first.lerp_(tensor.grad, 0.1)
                second.mul_(0.98).addcmul_(tensor.grad, tensor.grad, value=0.02)
                spread = (second / (1 - 0.98**self.steps)).sqrt_().add_(1e-8)
                tensor.addcdiv_(first, spread, value=-rate / (1 - 0.9**self.steps))

    def _forward(self, items: Any, *, dropout: float) -> Any:
        """The state after each item, [rows, length, dimensions], as ``sequence_net.states`` has the last one."""
        net, drop = self.net, self.functional.dropout
        d = self.plan.dimensions
        x = drop(net["items"][items] * d**0.5 + net["places"][: items.shape[1]], dropout)
        for block in range(self.plan.blocks):
            mixed = self._attention(block, self._norm(x, net["norms"][block, 0]), dropout=dropout)
            x = x + drop(mixed, dropout)
            inner, shift = net["inner"][block], net["inner_shift"][block]
            hidden = drop((self._norm(x, net["norms"][block, 1]) @ inner[0] + shift[0]).relu(), dropout)
            x = x + drop(hidden @ inner[1] + shift[1], dropout)
        return self._norm(x, net["last_norm"])

    def _attention(self, block: int, x: Any, *, dropout: float) -> Any:
        mix, shift = self.net["mix"][block], self.net["mix_shift"][block]
        rows, length, d = x.shape
        query, key, value = (
            (x @ mix[n] + shift[n]).view(rows, length, HEADS, d // HEADS).transpose(1, 2) for n in range(3)
        )
        taken = self.functional.scaled_dot_product_attention(query, key, value, is_causal=True, dropout_p=dropout)
        return taken.transpose(1, 2).reshape(rows, length, d) @ mix[3] + shift[3]

    def _norm(self, x: Any, scale_and_shift: Any) -> Any:
        return self.functional.layer_norm(x, x.shape[-1:], scale_and_shift[0], scale_and_shift[1], EPSILON)

    def _reached(self) -> float:
        """Mean NDCG@10 of the items that are held out, among all that the net knows; the round where none are."""
        taught, net = self.taught, self.progress.net
        if not len(taught.answers):
            return float(self.progress.round)
        known, ranks = taught.counts > 0, []
        for rows in np.array_split(np.arange(len(taught.answers)), -(-len(taught.answers) // JUDGED_AT_ONCE)):
            scores = states(net, [taught.asked[row] for row in rows]) @ net["items"].T
            scores[:, ~known] = -np.inf
            ranks.append((scores > scores[np.arange(len(rows)), taught.answers[rows], None]).sum(axis=1))
        rank = np.concatenate(ranks)
        return float(np.where((rank < K) & known[taught.answers], 1 / np.log2(rank + 2), 0).mean())


def _copy(net: Mapping[str, NDArray[Any]]) -> Arrays:
    return {name: np.array(array) for name, array in net.items()}
