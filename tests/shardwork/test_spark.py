"""Spark does the parts of orders, on machines that may go, and leaves the bytes that one machine leaves."""

import io
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from recommendations.engine.recommenders import item_knn, popularity
from recommendations.shardwork.fitting import TrainingParts
from recommendations.shardwork.order import PartFailedError, WorkOrder
from recommendations.shardwork.spark import SparkEngine, _answer
from recommendations.shardwork.spark_session import UnfitClusterError, place_of, spark_session
from recommendations.shardwork.storage import Storage
from recommendations.shardwork.tasks import ASKED, CLOCKS_SECONDS, PROBE, facts_of
from tests.engine.recommenders.step_shop import SEED, shop
from tests.recsite.processes import wait_for
from tests.shardwork.engines import Here, nothing
from tests.shardwork.spark_server import TOKEN, executors, servers, spark_server
from tests.trained import artefact_folder

ACTS = 300  # of a part: there are some
GONE_SECONDS = 120.0  # in which a server that went is given up
STOP_SECONDS = 10.0  # in which the tasks of a run that is cancelled have ended


class StopError(Exception):
    """Staff asked to stop."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("pyspark", reason="it needs pyspark and Java: make test-cluster")
    if shutil.which("java") is None:
        pytest.skip("it needs Java")
    with spark_server(tmp_path_factory.mktemp("spark")) as url:
        yield url


def parts_in(storage: Storage, engine: Here | SparkEngine) -> TrainingParts:
    return TrainingParts(shop(), storage, engine, acts=ACTS, ranges=4)


def test_spark_leaves_the_bytes_that_one_machine_leaves_also_where_an_executor_is_killed(
    server: str, tmp_path: Path
) -> None:
    there, here = Storage(str(tmp_path / "there")), Storage(str(tmp_path / "here"))
    killed = list[int]()

    def kill(_parts: int) -> None:
        if not killed and len(found := executors(server)) > 1:
            os.kill(found[0], signal.SIGKILL)
            killed.append(found[0])

    config = item_knn.Config()
    parts = parts_in(there, SparkEngine(there, url=server))
    stored = parts.learn(item_knn.ItemKnn, config, seed=SEED, heard=kill, told=nothing)
    local = parts_in(here, Here(here)).learn(item_knn.ItemKnn, config, seed=SEED, heard=nothing, told=nothing)
    assert killed
    assert {name: one.sha256 for name, one in stored.items()} == {name: one.sha256 for name, one in local.items()}


def test_spark_is_told_to_stop_and_goes_on_after_its_last_part(server: str, tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    parts, heard = parts_in(storage, SparkEngine(storage, url=server)), iter(range(2))

    def stop_at_two(_parts: int) -> None:
        if next(heard, None) is None:
            raise StopError

    config = popularity.Config()
    with pytest.raises(StopError):
        parts.learn(popularity.Popularity, config, seed=SEED, heard=stop_at_two, told=nothing)
    stored = parts.learn(popularity.Popularity, config, seed=SEED, heard=nothing, told=nothing)
    here = Storage(str(tmp_path / "here"))
    local = parts_in(here, Here(here)).learn(popularity.Popularity, config, seed=SEED, heard=nothing, told=nothing)
    assert {name: one.sha256 for name, one in stored.items()} == {name: one.sha256 for name, one in local.items()}


def test_tasks_that_are_stopped_in_the_middle_end(server: str, tmp_path: Path) -> None:
    mark = tmp_path / "at work"

    def toil(_place: int) -> str:
        while True:
            mark.write_text(str(time.monotonic()))
            time.sleep(0.05)

    def stop() -> None:
        if mark.exists():
            raise StopError

    def rests() -> bool:
        before = mark.read_text()
        time.sleep(1)
        return mark.read_text() == before

    with spark_session(server) as session, pytest.raises(StopError):
        _answer(session, toil, 1, stop)
    assert wait_for(rests, seconds=STOP_SECONDS)


@pytest.mark.usefixtures("server")  # which skips where there is none
def test_a_server_that_goes_in_the_middle_ends_the_work_in_a_minute_or_two(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    storage = Storage(str(tmp_path_factory.mktemp("storage")))
    order = WorkOrder(kernel="step", settings={"kind": "popularity"}, inputs={}, borders=(0, 1))
    went = list[float]()
    with spark_server(tmp_path_factory.mktemp("going")) as url:
        engine = SparkEngine(storage, url=url)
        engine.check()

        def go(_parts: int) -> None:
            for pid in servers(url):
                went.append(time.monotonic())
                os.kill(pid, signal.SIGKILL)

        with pytest.raises(PartFailedError, match=f"popularity failed on {engine.place}"):
            [*engine.run(order, order.parts, heard=go)]
    assert time.monotonic() - went[0] < GONE_SECONDS


def test_two_fits_at_once_are_checked_apart(server: str, tmp_path: Path) -> None:
    """Neither takes the probes of the other away."""
    storage = Storage(str(tmp_path))
    with ThreadPoolExecutor(4) as threads:
        checks = [threads.submit(SparkEngine(storage, url=server).check) for _ in range(4)]
    assert all(check.result() for check in checks)
    assert storage.names(PROBE) == set()


def test_a_check_is_stopped_too(server: str, tmp_path: Path) -> None:
    """A cluster without a free machine lets it wait for as long as that lasts."""
    storage = Storage(str(tmp_path))

    def stop(_parts: int) -> None:
        raise StopError

    order = WorkOrder(kernel="step", settings={}, inputs={}, borders=(0, 1))
    engine = SparkEngine(storage, url=server)
    with pytest.raises(StopError):
        [*engine.run(order, order.parts, heard=stop)]
    assert not (tmp_path / order.folder).exists()


def test_what_a_task_says_is_said(server: str, tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    stored = storage.save("some/array.npy", shop().teaching.age)
    order = WorkOrder(kernel="step", settings={"kind": "popularity"}, inputs={"array": stored}, borders=(0, 1, 2))
    (tmp_path / stored.path).unlink()
    with pytest.raises(
        PartFailedError, match=r"popularity failed on Spark at localhost:\d+: .*array\.npy is missing or damaged$"
    ):
        [*SparkEngine(storage, url=server).run(order, order.parts, heard=nothing)]


def test_machines_are_checked_and_their_probes_go(server: str, tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    *there, here = SparkEngine(storage, url=server).check()
    assert there
    assert {one.code for one in there} == {here.code}
    assert here.cores >= 1
    assert here.memory_gb > 0.5
    assert storage.names(PROBE) == set()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("token=wrong", r"lets no session begin \(.*oken.*\): mend token="),
        ("", r"lets no session begin \(.*oken.*\): mend token="),
        ("use_ssl=true;token=right", "takes no connection of Spark Connect: .* give the server a certificate"),
    ],
)
def test_a_token_or_a_certificate_that_is_wrong_is_said_within_seconds(
    server: str, tmp_path: Path, options: str, said: str
) -> None:
    address = f"{server.partition('/;')[0]}/;{options}"
    began = time.monotonic()
    with pytest.raises(UnfitClusterError, match=said) as raised:
        SparkEngine(Storage(str(tmp_path)), url=address).check()
    assert time.monotonic() - began < 30
    assert "right" not in str(raised.value)


def test_the_command_prints_who_does_parts(server: str, tmp_path: Path, settings: LazySettings) -> None:
    settings.ENGINE, output = server, io.StringIO()
    with artefact_folder(tmp_path):
        call_command("check_engine", stdout=output)
    said = output.getvalue()
    assert f"Asking Spark at {place_of(server)}" in said
    assert "leads the run" in said
    assert "They see the same folder" in said
    assert TOKEN not in said


def test_a_server_that_is_away_is_said_before_the_first_part(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="it needs pyspark: make test-cluster")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    storage = Storage(str(tmp_path))
    order = WorkOrder(kernel="step", settings={}, inputs={}, borders=(0, 1))
    with pytest.raises(
        UnfitClusterError, match=rf"Spark Connect at {place} does not answer .*or set ENGINE=local"
    ) as raised:
        [*SparkEngine(storage, url=f"sc://{place}/;token=secret").run(order, order.parts, heard=nothing)]
    assert "secret" not in str(raised.value)


def test_a_machine_that_differs_is_named_with_the_remedy(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    assert not facts_of(storage.url, "", "a").shares
    storage.write_text(f"{PROBE}/a/{ASKED}", "a")
    here = facts_of(storage.url, "", "a")
    assert len(storage.names(f"{PROBE}/a")) == 2
    assert [*here.problems(here, url=storage.url)] == []
    old = {**here.packages, "scipy": "1.9"}
    other = replace(
        here,
        host="worker-3",
        python="3.9",
        code="0",
        packages=old,
        clock=here.clock + 2 * CLOCKS_SECONDS,
        shares=False,
        is_limited=True,
    )
    said = [*other.problems(here, url=storage.url)]
    assert len(said) == 6
    assert all("worker-3" in one for one in said)
    remedies = ("same", "install the one", "install that", "follow a server", "memoryOverhead", "share")
    for one, remedy in zip(said, remedies, strict=True):
        assert remedy in one
