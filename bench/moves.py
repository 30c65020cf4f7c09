"""Random moves of a weight, answered by the service and by the batch evaluation of the stored records."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommendations.engine.evaluation.accuracy import LENGTH, judge
from recommendations.engine.evaluation.breadth import coverage
from recommendations.engine.evaluation.intervals import Measure, measures
from recommendations.engine.evaluation.panel_measures import COVERAGE, Lists, table_at
from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.diversity import diversified
from recommendations.engine.ranking.scores import gathered
from recommendations.models import ModelVersion
from recommendations.services.weights.panels import HeldPanel, PanelSettings, panels
from recommendations.services.weights.values import Values, shares
from recommendations.services.weights.what_if import WhatIf, WhatIfFigure, what_if
from recommendations.store.models import model, weight_versions
from recommendations.store.models.live_version import live_version
from recommendations.store.models.records import load_candidates
from recommendations.terms import BlendName, Cut, Lift, Task

DIVERSITY = 0.3
INTERVAL = 1e-6
"""Ends of intervals may differ by this much: the resamples are added up in float32. Means may not differ at all."""

ALONE = 256
"""Customers that the batch evaluation ranks at once where diversity counts."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """A move as the page sends it: percents, diversity and the exponents of the lifts."""

    weights: dict[str, float]
    diversity: float
    exponents: dict[Lift, float]

    @property
    def beside(self) -> dict[str, Any]:
        return {"diversity": self.diversity, **{str(name): value for name, value in self.exponents.items()}}


def run(*, moves: int, seed: int) -> list[dict[str, Any]]:
    """Run the moves: a line for each task and kind; empty where no version is live."""
    version = live_version()
    if version is None:
        return []
    held = {task: panels().of(version, task) for task in Task}
    return [
        line
        for task, panel in held.items()
        if panel is not None
        for line in on_panel(panel, version, task, moves=moves, seed=seed)
    ]


def on_panel(held: HeldPanel, version: ModelVersion, task: Task, *, moves: int, seed: int) -> Iterator[dict[str, Any]]:
    """Measure moves without and with diversity."""
    batch = Batch(held, version, task)
    for diversity in (0.0, DIVERSITY):
        walls, cpus = [], []
        equal = np.ones(len(held), np.bool_)
        figures = 0
        for move in random_moves(BlendName(task), held, n=moves, seed=seed, diversity=diversity):
            wall, cpu, answer = answered(BlendName(task), move)
            walls.append(wall)
            cpus.append(cpu)
            same, same_figures = batch.agrees(move, answer.figures)
            equal &= same
            figures += same_figures
        yield {
            "task": task, "diversity": diversity, "customers": len(held), "candidates": held.panel.items.shape[1],
            "instances": len(held.panel.instances), "panel_mb": round(held.nbytes / 1e6, 1), "moves": moves,
            "customers_equal": int(equal.sum()), "answers_equal": figures,
            "wall_ms": _middle(walls), "processor_ms": _middle(cpus),
        }  # fmt: skip


def random_moves(blend: BlendName, held: HeldPanel, *, n: int, seed: int, diversity: float) -> Iterator[Move]:
    """Draw moves: each sets one slider to a drawn value on what those before it left; the first on what is served."""
    served = weight_versions.default_weights(blend)
    draw = np.random.default_rng(seed)
    weights = {name: round(100 * part, 1) for name, part in served.weights.items()} if served else {}
    for _ in range(n):
        weights = weights | {str(draw.choice(held.panel.instances)): float(draw.integers(1, 101))}
        yield Move(weights=weights, diversity=diversity, exponents=served.exponents if served else {})


def answered(blend: BlendName, move: Move) -> tuple[float, float, WhatIf]:
    """Time an answer: milliseconds on the wall and of this process, and the answer."""
    wall, cpu = time.perf_counter(), time.process_time()
    answer = what_if(blend=blend, weights=move.weights, **move.beside)
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3, answer


class Batch:
    """The batch evaluation on the stored records, which knows nothing of the panel's arrays."""

    def __init__(self, held: HeldPanel, version: ModelVersion, task: Task) -> None:
        self.held = held
        self.truth = model.load_truths(version.pk, Cut.TUNING)[task]
        self.records = load_candidates(version.pk, Cut.TUNING)[BlendName(task)].of(self.truth.users)
        self.lifts = model.load_lifts(version.pk, Cut.TUNING)

    def agrees(self, move: Move, told: Mapping[str, WhatIfFigure]) -> tuple[np.ndarray, bool]:
        """Whether each customer has the same twenty items in order and the same figures; whether all means agree."""
        weights, shop = shares(move.weights), self.held.panel.shop
        ranked = self._ranked(weights, move)
        length = self.held.panel.length
        figures = table_at(Lists(ranked, judge(ranked, self.truth.per_user), shop), length)
        panel = self.held.measured(
            PanelSettings.of(Values(weights=weights, diversity=move.diversity, **move.exponents))
        )
        same = (panel.ranked == ranked).all(axis=1) & (panel.per_user == figures).all(axis=1)
        expected = dict(zip(panel.names, measures(figures, self.held.drawn), strict=True))
        covered = coverage(ranked, shop, length)
        expected[COVERAGE] = Measure(covered, covered, covered)
        return same, all(
            told[name].draft.value == measure.value and np.allclose(told[name].draft, measure, rtol=0, atol=INTERVAL)
            for name, measure in expected.items()
        )

    def _ranked(self, weights: dict[str, float], move: Move) -> IntArray:
        if not move.diversity:
            return self.records.ranked(weights, LENGTH, lifts=self.lifts, exponents=move.exponents)
        blocks = [
            np.arange(start, min(start + ALONE, len(self.records))) for start in range(0, len(self.records), ALONE)
        ]
        return np.concatenate([self._mixed(self.records.of(rows), weights, move) for rows in blocks])

    def _mixed(self, records: Candidates, weights: dict[str, float], move: Move) -> IntArray:
        scores = records.blended(weights, lifts=self.lifts, exponents=move.exponents)
        likeness = self.held.panel.likeness
        positions = diversified(scores, records.items, likeness=likeness, diversity=move.diversity, n=LENGTH)
        ranked: IntArray = gathered(records.items, positions, missing=-1)
        return ranked


def _middle(values: Sequence[float]) -> dict[str, float]:
    median, p95 = np.percentile(values, [50, 95])
    return {"median": round(float(median), 1), "p95": round(float(p95), 1)}
