"""Records in parts: what ``candidate_blocks`` makes of queries, by processes that read what was learned from files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recommendations.engine.frames import FloatArray, Queries
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.recommenders.hybrid import BlendPlan
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.engine.steps import arrays_of
from recommendations.shardwork.frames import arrays_of_queries
from recommendations.shardwork.kernels import TREND, settings_of
from recommendations.shardwork.order import WORK, Engine, Heard, Told, WorkOrder
from recommendations.shardwork.storage import Storage, StoredArray
from recommendations.shardwork.work import done_of


@dataclass(frozen=True, kw_only=True)
class Learned:
    """An instance whose recommender is in a storage."""

    name: str
    kind: type[Recommender]
    config: Any
    arrays: Mapping[str, StoredArray]
    trend_exponent: float = 0.0


def records_order(
    storage: Storage,
    learned: Sequence[Learned],
    queries: Queries,
    *,
    plans: Mapping[str, BlendPlan],
    trend: FloatArray,
    rows: int,
) -> WorkOrder:
    """The order that makes the records of these queries, in parts of so many ``rows``."""
    used = [one for one in learned if any(one.name in plan.instances for plan in plans.values())]
    alike: list[Learned] = []  # one of each that is asked the same of the same
    for one in used:
        alike += [one] if _place(one, alike) is None else []
    arrays = {**arrays_of_queries(queries), TREND: trend}
    for name, plan in plans.items():
        arrays |= {} if plan.excluded is None else arrays_of(f"plans/{name}", plan.excluded)
    inputs = {name: storage.save(f"{WORK}/asked/{name}.npy", array) for name, array in arrays.items()}
    for place, one in enumerate(alike):
        inputs |= {f"fitted/{place}/{name}": array for name, array in one.arrays.items()}
    settings = {
        "fitted": [settings_of(one.kind, one.config) for one in alike],
        "instances": [{"name": one.name, "fitted": _place(one, alike), "trend": one.trend_exponent} for one in used],
        "plans": {name: _settings_of(plan) for name, plan in plans.items()},
    }
    borders = (*range(0, len(queries), rows), len(queries))
    return WorkOrder(kernel="records", settings=settings, inputs=inputs, borders=borders)


def records_in_parts(
    order: WorkOrder, storage: Storage, engine: Engine, *, heard: Heard, told: Told
) -> Iterator[dict[str, Candidates]]:
    """The records of each part for every plan, in the order of the queries, once all parts are done.

    What was done of the order before is not done again. Raises what the engine and ``heard`` do.
    """
    done = done_of(order, storage)
    missing = [number for number in order.parts if number not in done]
    done |= {one.number: one for one in engine.run(order, missing, heard=heard)}
    told([done[number] for number in order.parts])
    for number in order.parts:
        arrays = storage.load_all(done[number].arrays)
        yield {
            name: Candidates(
                instances=tuple(map(str, arrays[f"{name}/instances"])),
                items=arrays[f"{name}/items"],
                z=arrays[f"{name}/z"],
                own=arrays[f"{name}/own"],
            )
            for name in order.settings["plans"]
        }


def _place(one: Learned, among: Sequence[Learned]) -> int | None:
    """The place of what is asked the same of the same."""
    asked = (one.kind, one.config, one.arrays)
    alike = (at for at, other in enumerate(among) if (other.kind, other.config, other.arrays) == asked)
    return next(alike, None)


def _settings_of(plan: BlendPlan) -> dict[str, Any]:
    leaning = plan.leaning and {**asdict(plan.leaning), "personal": sorted(plan.leaning.personal)}
    return {"weights": dict(plan.weights), "instances": [*plan.instances], "leaning": leaning}
