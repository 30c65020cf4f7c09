"""Fits in parts: what ``Recommender.fit`` learns, bit for bit, of a training set that no process has whole."""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from threading import Lock
from typing import Any

import numpy as np

from recommendations.engine.frames import TrainingSet
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.engine.steps import Over, Step, borders_of, join_parts
from recommendations.shardwork.frames import arrays_of_training
from recommendations.shardwork.kernels import BEFORE, settings_of
from recommendations.shardwork.order import WORK, Done, Engine, Heard, Told, WorkOrder
from recommendations.shardwork.storage import Storage, StoredArray
from recommendations.shardwork.work import done_of

type Stored = Mapping[str, StoredArray]


class TrainingParts:
    """A training set in a storage, and the borders of its parts: customers one after the other, of about so many acts.

    Whatever runs the parts of a fit, each begins where a part of the same work was left.
    """

    def __init__(self, training: TrainingSet, storage: Storage, engine: Engine, *, acts: int, ranges: int) -> None:
        self._training, self._storage, self._engine, self._ranges = training, storage, engine, ranges
        self._arrays = {
            name: storage.save(f"{WORK}/training/{name}.npy", array)
            for name, array in arrays_of_training(training).items()
        }
        offsets, n = training.teaching.offsets, max(round(len(training.teaching) / acts), 1)
        inner = np.searchsorted(offsets, offsets[-1] * np.arange(1, n) // n).tolist()
        self._borders = [*dict.fromkeys([0, *inner, training.n_users])]
        self._whole = Lock()  # what is done once needs most of the memory that there is

    def learn(self, kind: type[Recommender], config: Any, *, seed: int, heard: Heard, told: Told) -> Stored:
        """Learn all steps, one after the other; what is learned. Raises what the engine and ``heard`` do."""
        settings: Mapping[str, Any] = {**settings_of(kind, config), "seed": seed}
        before: Stored = {}
        for place, step in enumerate(kind.STEPS):
            mapped = self._storage.load_all(before)
            borders = borders_of(step, mapped, self._training, borders=self._borders, ranges=self._ranges)
            inputs = {**self._arrays, **{f"{BEFORE}{name}": one for name, one in before.items()}}
            order = WorkOrder(
                kernel="step", settings={**settings, "step": place}, inputs=inputs, borders=tuple(borders)
            )
            with self._whole if step.over is Over.ONCE else nullcontext():
                parts = self._parts(order, heard)
            before = self._joined(order, step, before, parts)
            told(parts)
        return {name: one for name, one in before.items() if name.partition(".")[0].endswith("_")}

    def _parts(self, order: WorkOrder, heard: Heard) -> list[Done]:
        """All parts of an order, when they are done; those that were done before are not done again."""
        done = done_of(order, self._storage)
        missing = [number for number in order.parts if number not in done]
        done |= {one.number: one for one in self._engine.run(order, missing, heard=heard)}
        return [done[number] for number in order.parts]

    def _joined(self, order: WorkOrder, step: Step, before: Stored, done: Sequence[Done]) -> Stored:
        """What there is after a step whose parts are done, in files; of several parts the joined arrays stay."""
        path, storage, parts = f"{order.folder}/joined.json", self._storage, [one.arrays for one in done]
        if known := storage.read_text(path):
            return {name: StoredArray(**one) for name, one in json.loads(known).items()}
        joined = join_parts(step, storage.load_all(before), [storage.load_all(part) for part in parts])
        there = {name: one for name, one in before.items() if name not in parts[0]}
        there |= parts[0] if len(parts) == 1 else {}
        after = {
            name: there.get(name) or storage.save(f"{order.folder}/joined/{name}.npy", array)
            for name, array in joined.items()
        }
        storage.write_text(path, json.dumps({name: asdict(one) for name, one in after.items()}, sort_keys=True))
        for number in order.parts if len(parts) > 1 else ():
            storage.delete(f"{order.folder}/{number}")
        return after
