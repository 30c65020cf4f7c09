"""Records that are made in parts, by processes that may be killed, are those that are made at once."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.ranking.candidates import Candidates, joined
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.protocol import learned
from recommendations.engine.recommenders.registry import EVERY, leaning_of
from recommendations.shardwork.local import LocalEngine
from recommendations.shardwork.order import Done, Engine, Heard, WorkOrder
from recommendations.shardwork.scoring import Learned, records_in_parts, records_order
from recommendations.shardwork.storage import Storage
from recommendations.shardwork.work import OtherCodeError, Work
from recommendations.terms import BlendName
from tests.engine.recommenders.step_shop import SEED, USERS, shop
from tests.recsite.processes import wait_for
from tests.shardwork.engines import Here, Killer, nothing, workers

WANTED = ("popularity_home", "item_knn", "als", "user_knn", "als_discover", "item_knn_discover", "social")
ROWS = 90  # of a part: 500 customers are in six
INSTANCES = [one for one in EVERY if one.name in WANTED]


def plans() -> dict[str, BlendPlan]:
    """A plan of who speaks of the person, and one that leaves out what they bought."""
    bought = shop().interactions.where(shop().interactions.bought).matrix()
    home, discover = ([one.name for one in INSTANCES if blend in one.blends] for blend in ("home", "discover"))
    return {
        "home": BlendPlan(weights=dict.fromkeys(home, 1.0), instances=tuple(home), leaning=leaning_of(BlendName.HOME)),
        "discover": BlendPlan(weights={discover[0]: 2.0}, instances=tuple(discover), excluded=bought),
    }


@pytest.fixture(scope="module")
def fitted() -> Mapping[str, FittedInstance]:
    return {
        one.name: FittedInstance(
            name=one.name, recommender=one.build().fit(shop(), seed=SEED), trend_exponent=one.trend
        )
        for one in INSTANCES
    }


def job_of(storage: Storage, fitted: Mapping[str, FittedInstance]) -> WorkOrder:
    stored = [
        Learned(
            name=one.name,
            kind=one.kind,
            config=one.config,
            arrays={
                name: storage.save(f"learned/{one.name}/{name}.npy", array)
                for name, array in learned(fitted[one.name].recommender).items()  # type: ignore[arg-type]
            },
            trend_exponent=one.trend,
        )
        for one in INSTANCES
    ]
    everyone = shop().queries(np.arange(USERS))
    return records_order(storage, stored, everyone, plans=plans(), trend=trend(shop().teaching), rows=ROWS)


def made(storage: Storage, engine: Engine, order: WorkOrder, *, heard: Heard = nothing) -> dict[str, Candidates]:
    parts = [*records_in_parts(order, storage, engine, heard=heard, told=nothing)]
    return {name: joined([part[name] for part in parts]) for name in parts[0]}


def assert_alike(one: Mapping[str, Candidates], other: Mapping[str, Candidates], *, units: int) -> None:
    """Raise AssertionError where choices differ, or numbers by more than so many units in the last place, of which the
    least is a millionth: sums of another order may cancel to nearly nothing.
    """
    assert one.keys() == other.keys()
    for name, records in one.items():
        assert records.instances == other[name].instances
        np.testing.assert_array_equal(records.items, other[name].items)
        np.testing.assert_array_equal(records.own, other[name].own)
        left, right = records.z, other[name].z
        np.testing.assert_array_equal(np.isnan(left), np.isnan(right))
        left, right = np.nan_to_num(left).astype(np.float32), np.nan_to_num(right).astype(np.float32)
        unit = np.maximum(np.spacing(np.abs(left).astype(np.float16)), 1e-6)
        assert (np.abs(left - right) <= units * unit).all()


def test_records_in_parts_are_those_made_at_once_also_if_a_process_is_killed(
    fitted: Mapping[str, FittedInstance], tmp_path: Path
) -> None:
    storage = Storage(str(tmp_path / "local"))
    order, killer = job_of(storage, fitted), Killer(tmp_path / "local", most=1)
    local = made(storage, LocalEngine(storage, lanes=2), order, heard=killer)
    assert len(killer.killed) == 1
    assert workers(tmp_path) == []
    everyone = shop().queries(np.arange(USERS))
    whole = candidates([*fitted.values()], everyone, plans=plans(), trend=trend(shop().teaching))
    assert_alike(whole, local, units=1)
    other = Storage(str(tmp_path / "here"))
    engine = Here(other)
    assert_alike(local, made(other, engine, job_of(other, fitted)), units=0)
    assert len(engine.asked) == len(order.parts) == -(-USERS // ROWS)
    assert_alike(local, made(other, engine, job_of(other, fitted)), units=0)
    assert len(engine.asked) == len(order.parts)  # nothing was done again


def test_instances_that_are_asked_the_same_are_asked_once(fitted: Mapping[str, FittedInstance], tmp_path: Path) -> None:
    order = job_of(Storage(str(tmp_path)), fitted)
    told = {one["name"]: one["fitted"] for one in order.settings["instances"]}
    assert {*told} == {*WANTED}
    assert len({*told.values()}) == len(order.settings["fitted"])


def test_a_process_tells_what_it_took_and_how_often_a_part_was_begun(
    fitted: Mapping[str, FittedInstance], tmp_path: Path
) -> None:
    storage = Storage(str(tmp_path))
    order, heard = job_of(storage, fitted), list[Done]()
    Work(order, storage).do(2)
    (tmp_path / order.folder / "done" / "2.json").unlink()  # as if it had been killed before it told
    [*_] = records_in_parts(order, storage, Here(storage), heard=nothing, told=heard.extend)
    assert [one.tries for one in heard] == [1, 1, 2, 1, 1, 1]
    assert all({*one.timed} == {str(place) for place in range(len(order.settings["fitted"]))} for one in heard)
    assert all(0 < sum(one.timed.values()) <= one.cpu_seconds for one in heard)


def test_other_code_does_no_part(fitted: Mapping[str, FittedInstance], tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    order = WorkOrder.from_json(job_of(storage, fitted).to_json().replace('"code":"', '"code":"0'))
    with pytest.raises(OtherCodeError, match="install the same version"):
        Work(order, storage)
    assert not (tmp_path / order.folder).exists()


def test_a_process_ends_with_the_one_that_began_it(fitted: Mapping[str, FittedInstance], tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    (tmp_path / "order.json").write_text(job_of(storage, fitted).to_json())
    code = (
        "import sys; from pathlib import Path; from recommendations.shardwork import order, local, storage\n"
        "folder = Path(sys.argv[1]); one = order.WorkOrder.from_json((folder / 'order.json').read_text())\n"
        "engine = local.LocalEngine(storage.Storage(str(folder)), lanes=2)\n"
        "[*engine.run(one, one.parts, heard=lambda parts: None)]\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    assert wait_for(lambda: len(workers(tmp_path)) == 2, seconds=60)
    process.kill()
    process.wait()
    assert wait_for(lambda: not workers(tmp_path), seconds=60)
