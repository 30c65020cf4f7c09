"""Kernels: the work of a part, by name; the same wherever it is done."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.ranking.confidence import BlendLeaning
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, Limits, Timed, candidates
from recommendations.engine.recommenders.protocol import Recommender, restored
from recommendations.engine.recommenders.registry import EVERY
from recommendations.engine.steps import Arrays, matrix_of, part_between, run_part
from recommendations.shardwork.frames import queries_of, training_of, under

KINDS: Mapping[str, type[Recommender]] = {one.kind.__module__.rpartition(".")[2]: one.kind for one in EVERY}
_CONFIGS = {name: {type(one.config) for one in EVERY if one.kind is kind} for name, kind in KINDS.items()}

BEFORE, TREND = "before/", "trend"
"""Begin of the names of what the steps before left, and the name of the trend of items."""


class Left(NamedTuple):
    """What a part leaves."""

    arrays: Mapping[str, NDArray[Any]]
    seconds: Mapping[str, float]  # of what is timed


type Prepared = Callable[[int, int], Left]
"""Work that has the first row of a part and the one after the last."""
type Kernel = Callable[[Mapping[str, Any], Arrays], Prepared]
"""A kernel has the settings and the inputs of its order."""


def settings_of(kind: type[Recommender], config: Any) -> dict[str, Any]:
    """Settings that a recommender can be made from elsewhere. Raises ValueError for one that the registry lacks."""
    name = kind.__module__.rpartition(".")[2]
    told = {"kind": name, "config": dict(vars(config))}
    if KINDS.get(name) is not kind or _config(told) != config:
        raise ValueError(f"{kind.__name__} cannot be told to another machine")
    return told


def _config(settings: Mapping[str, Any]) -> Any:
    [made] = _CONFIGS[settings["kind"]]
    return made(**settings["config"])


def _step(settings: Mapping[str, Any], inputs: Arrays) -> Prepared:
    """One step of a fit, over parts of its training set."""
    training, before, config = training_of(inputs), under(BEFORE, inputs), _config(settings)
    step = KINDS[settings["kind"]].STEPS[settings["step"]]

    def do_part(start: int, stop: int) -> Left:
        part = part_between(step, training, start, stop, seed=settings["seed"])
        return Left(run_part(step, config, before, part), {})

    return do_part


def _records(settings: Mapping[str, Any], inputs: Arrays) -> Prepared:
    """Records of customers under every plan: arrays ``plan/items``, ``plan/z``, ``plan/own`` and ``plan/instances``."""
    queries, timed = queries_of(inputs), list[Timed]()
    for place, told in enumerate(settings["fitted"]):
        recommender = restored(KINDS[told["kind"]], _config(told), under(f"fitted/{place}/", inputs))
        timed.append(Timed(score_block=recommender.score))
    instances = [
        FittedInstance(name=one["name"], recommender=timed[one["fitted"]], trend_exponent=one["trend"])
        for one in settings["instances"]
    ]
    plans = {name: _plan(name, told, inputs) for name, told in settings["plans"].items()}

    def do_part(start: int, stop: int) -> Left:
        rows, asked = np.arange(start, stop), {name: plan.of(np.arange(start, stop)) for name, plan in plans.items()}
        for one in timed:
            one.seconds.clear()
        records = candidates(
            instances, queries.of(rows), plans=asked, trend=inputs.get(TREND), limits=Limits(threads=1)
        )
        arrays: dict[str, NDArray[Any]] = {}
        for name, own in records.items():
            arrays |= {f"{name}/{part}": getattr(own, part) for part in ("items", "z", "own")}
            arrays[f"{name}/instances"] = np.array(own.instances)
        return Left(arrays, {str(place): sum(one.seconds) for place, one in enumerate(timed)})

    return do_part


def _plan(name: str, told: Mapping[str, Any], inputs: Arrays) -> BlendPlan:
    leaning, stem = told["leaning"], f"plans/{name}"
    return BlendPlan(
        weights=told["weights"],
        instances=tuple(told["instances"]),
        excluded=matrix_of(inputs, stem) if f"{stem}.data" in inputs else None,
        leaning=leaning and BlendLeaning(**{**leaning, "personal": frozenset(leaning["personal"])}),
    )


KERNELS: Mapping[str, Kernel] = {"step": _step, "records": _records}
