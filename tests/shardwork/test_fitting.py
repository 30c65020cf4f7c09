"""Fits in parts through a storage, by processes that may be killed, learn to the last bit what they learn elsewhere."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommendations.engine.recommenders import item_knn, popularity, repurchase
from recommendations.engine.recommenders.protocol import Recommender, learned, restored
from recommendations.engine.steps import Over
from recommendations.shardwork.fitting import TrainingParts
from recommendations.shardwork.frames import arrays_of_training, training_of
from recommendations.shardwork.local import LocalEngine
from recommendations.shardwork.order import Heard, PartFailedError, WorkOrder
from recommendations.shardwork.storage import ArrayDamagedError, Storage
from tests.engine.recommenders.step_shop import KINDS, SEED, assert_alike, shop
from tests.lengths import cases
from tests.shardwork.engines import Elsewhere, Here, Killer, nothing, workers

ACTS = 1_500  # of a part: there are a few


class StopError(Exception):
    """Staff asked to stop."""


def fit[R: Recommender](
    parts: TrainingParts, storage: Storage, kind: type[R], config: Any, heard: Heard = nothing
) -> R:
    stored = parts.learn(kind, config, seed=SEED, heard=heard, told=nothing)
    return restored(kind, config, storage.load_all(stored))


def parts_in(storage: Storage, engine: Here | Elsewhere | LocalEngine) -> TrainingParts:
    return TrainingParts(shop(), storage, engine, acts=ACTS, ranges=4)


@pytest.mark.parametrize("name", KINDS)
def test_parts_through_a_storage_learn_what_a_fit_learns(name: str, tmp_path: Path) -> None:
    kind, config = KINDS[name]
    storage = Storage(str(tmp_path))
    engine = Here(storage)
    fitted = fit(parts_in(storage, engine), storage, kind, config)
    assert_alike(kind(config).fit(shop(), seed=SEED), fitted)
    several = any(step.over is Over.CUSTOMERS for step in kind.STEPS)
    assert len(engine.asked) == len(set(engine.asked)) >= len(kind.STEPS) + several
    again = fit(parts_in(storage, engine), storage, kind, config)
    assert len(engine.asked) == len(set(engine.asked))  # nothing was done again
    arrays, others = learned(fitted), learned(again)
    assert all(arrays[name].tobytes() == array.tobytes() for name, array in others.items())


@pytest.mark.parametrize("name", KINDS)
def test_other_processes_learn_to_the_last_bit_what_this_one_learns(name: str, tmp_path: Path) -> None:
    """They are told the order alone, as the machines of a cluster are."""
    kind, config = KINDS[name]
    here, there = Storage(str(tmp_path / "here")), Storage(str(tmp_path / "there"))
    one, other = (
        parts_in(storage, engine).learn(kind, config, seed=SEED, heard=nothing, told=nothing)
        for storage, engine in ((here, Here(here)), (there, Elsewhere(there)))
    )
    assert one
    assert {name: array.sha256 for name, array in one.items()} == {name: array.sha256 for name, array in other.items()}


def test_what_was_stopped_goes_on_after_its_last_part(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    engine, heard = Here(storage), iter(range(5))

    def stop_at_five(_parts: int) -> None:
        if next(heard, None) is None:
            raise StopError

    config = item_knn.Config()
    with pytest.raises(StopError):
        fit(parts_in(storage, engine), storage, item_knn.ItemKnn, config, stop_at_five)
    assert len(engine.asked) == 5
    fitted = fit(parts_in(storage, engine), storage, item_knn.ItemKnn, config)
    assert len(engine.asked) == len(set(engine.asked)) > 5
    assert_alike(item_knn.ItemKnn(config).fit(shop(), seed=SEED), fitted)


def test_another_seed_setting_or_code_is_another_order(tmp_path: Path) -> None:
    order = WorkOrder(kernel="step", settings={"seed": 1}, inputs={}, borders=(0, 2, 5))
    assert WorkOrder.from_json(order.to_json()) == order
    others = [
        WorkOrder(kernel="step", settings={"seed": 2}, inputs={}, borders=(0, 2, 5)),
        WorkOrder(kernel="step", settings={"seed": 1}, inputs={}, borders=(0, 3, 5)),
        WorkOrder(kernel="step", settings={"seed": 1}, inputs={}, borders=(0, 2, 5), code="other"),
    ]
    assert len({one.digest for one in [order, *others]}) == 4


def test_a_training_set_is_the_same_through_its_arrays() -> None:
    training = shop()
    again = training_of(arrays_of_training(training))
    assert (again.n_users, again.n_items) == (training.n_users, training.n_items)
    for name, array in vars(training.teaching).items():
        if isinstance(array, np.ndarray) and name in ("user", "item", "age", "strength", "bought"):
            np.testing.assert_array_equal(getattr(again.interactions, name), array)
    assert again.catalogue.spaces == training.catalogue.spaces


def test_a_damaged_array_is_never_learned_from(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    stored = storage.save("some/array.npy", np.arange(9))
    (tmp_path / stored.path).write_bytes((tmp_path / stored.path).read_bytes()[:-1] + b"x")
    with pytest.raises(ArrayDamagedError, match=r"some/array\.npy"):
        storage.load(stored)
    with pytest.raises(TypeError, match="objects"):
        storage.save("some/objects.npy", np.array([object()]))
    assert storage.names("some") == {"array.npy"}


def test_a_folder_is_listed_also_in_the_moment_in_which_it_comes(tmp_path: Path) -> None:
    storage, folders = Storage(str(tmp_path)), cases(short=2_000, full=20_000)

    def write() -> None:
        for number in range(folders):
            (tmp_path / str(number)).mkdir()

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        for number in range(folders):
            while not (tmp_path / str(number)).exists():
                assert storage.names(str(number)) == set()
    assert writing.result() is None
    storage.write_text("0/0.json", "{}")
    (tmp_path / "0" / "1.json.0.part").touch()
    assert storage.names("0") == {"0.json"}


def test_a_killed_process_is_tried_once_more_and_twice_killed_is_said(tmp_path: Path) -> None:
    storage, once = Storage(str(tmp_path)), Killer(tmp_path, most=1)
    parts, config = parts_in(storage, LocalEngine(storage)), popularity.Config()
    fitted = fit(parts, storage, popularity.Popularity, config, once)
    assert len(once.killed) == 1
    assert_alike(popularity.Popularity(config).fit(shop(), seed=SEED), fitted)
    other = popularity.Config(half_life=3.0)
    with pytest.raises(
        PartFailedError, match=r"part 0 of \d+ of popularity .*was killed 2 times\. It needs more memory"
    ):
        fit(parts, storage, popularity.Popularity, other, Killer(tmp_path, most=9))


def test_a_stopped_engine_leaves_no_process(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))

    def stop(_parts: int) -> None:
        if workers(tmp_path):
            raise StopError

    with pytest.raises(StopError):
        fit(parts_in(storage, LocalEngine(storage)), storage, repurchase.Repurchase, repurchase.Config(), stop)
    assert workers(tmp_path) == []
