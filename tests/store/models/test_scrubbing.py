"""Versions that are made, finished and scrubbed while people are erased, in every order; nobody is missed."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import storages
from django.db import connection
from django.utils import timezone

from recommendations.engine.interests.main_interests import MainInterests
from recommendations.engine.interests.profile import HALF_LIVES
from recommendations.models import Artefact, Customer, LiveProfile, ModelVersion, Run, RunStage
from recommendations.privacy_terms import EraseMode
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.subjects import subject_of_keys
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.holders.interests import INTERESTS
from recommendations.store.holders.learned import LEARNED, forget_versions_before, learned_without
from recommendations.store.models import live_version, scrubbing
from recommendations.store.models.artefacts import load_arrays, of_one_edition, save_arrays
from recommendations.store.models.main_interests import load_main_interests, save_main_interests
from recommendations.store.models.scrubbing import entries_of, finish, gone_from, scrub
from recommendations.terms import Cut, RunStatus, Stage, VersionStatus
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 9, 15, tzinfo=UTC)
NAMES = ("ada", "bob", "cyd")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[None]:
    with artefact_folder(tmp_path):
        yield


@pytest.fixture
def people() -> dict[str, int]:
    return {name: Customer.objects.create(pseudonym=pseudonym(name)).pk for name in NAMES}


def made(people: dict[str, int], *, status: VersionStatus = VersionStatus.BUILDING, **run: Any) -> ModelVersion:
    """A version that knows these people, with a figure of each: 0, 1, 2."""
    keys = np.array(sorted(people.values()))
    version = ModelVersion.objects.create(run=Run.objects.create(now=NOW, **run), status=status)
    for cut in Cut:
        save_arrays(version, cut, {"ids/users": keys, "levels/of_users": np.arange(len(keys), dtype=np.int8)})
    figures = np.arange(len(keys), dtype=np.float64)
    save_arrays(version, Cut.LIVE, {"ids/categories": np.array([7])})
    for half_life in HALF_LIVES:
        own = MainInterests(np.zeros((len(keys), 1), np.int32), figures[:, None].astype(np.float32), figures)
        save_main_interests(version, own, half_life=half_life)
    return version


def levels(version: ModelVersion) -> dict[int, int]:
    arrays = load_arrays(version.pk, Cut.LIVE)
    return dict(zip(arrays["ids/users"].tolist(), arrays["levels/of_users"].tolist(), strict=True))


def erase(key: int) -> None:
    subject = subject_of_keys([key])
    bury(subject, mode=EraseMode.FORGET, now=timezone.now())
    LEARNED.erase(subject, now=timezone.now())


class Erasure(threading.Thread):
    """Somebody is erased on a connection of its own; ``start`` waits until nobody knows them any more."""

    def __init__(self, key: int) -> None:
        super().__init__()
        self._key, self.error = key, None
        self._buried = threading.Event()

    def start(self) -> None:
        super().start()
        assert self._buried.wait(20)
        self.join(0.5)  # it may be done, or wait for the version

    def run(self) -> None:
        try:
            subject = subject_of_keys([self._key])
            bury(subject, mode=EraseMode.FORGET, now=timezone.now())
            self._buried.set()
            INTERESTS.erase(subject, now=timezone.now())
            LEARNED.erase(subject, now=timezone.now())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error
        finally:
            self._buried.set()
            connection.close()


POINTS = ("before", "looked once", "row not locked", "row locked", "looked twice", "after")


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("goes_live", [True, False])
def test_whoever_is_erased_while_a_version_is_finished_is_not_in_it(
    people: dict[str, int], point: str, goes_live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = made(people, status=VersionStatus.BUILDING)
    erasures: list[Erasure] = []

    def reached(name: str) -> None:
        if name == point and not erasures:
            erasures.append(Erasure(people["bob"]))
            erasures[0].start()

    looks = iter(["looked once", "looked twice"])

    def looking(version_id: int) -> Any:
        gone = gone_from(version_id)
        reached(next(looks, ""))
        return gone

    def end(one: ModelVersion) -> None:
        reached("row not locked")
        if goes_live:
            live_version.go_live(one, now=NOW)
        else:
            live_version.keep_ready(one)
        reached("row locked")

    monkeypatch.setattr(scrubbing, "gone_from", looking)
    reached("before")
    finish(version, end)
    reached("after")
    erasures[0].join(20)

    assert erasures[0].error is None
    version.refresh_from_db()
    assert (version.status, version.is_live, version.edition) == (VersionStatus.READY, goes_live, 1)
    assert levels(version) == {people["ada"]: 0, people["cyd"]: 2}
    assert not len(gone_from(version.pk))
    listed = set(LiveProfile.objects.values_list("customer", flat=True))
    assert listed == ({people["ada"], people["cyd"]} if goes_live else set())


def test_a_version_that_is_being_made_is_left_to_its_run(people: dict[str, int]) -> None:
    """Its stages have what they read in memory: rows that move under them would be other people's."""
    version = made(people, status=VersionStatus.BUILDING)
    erase(people["bob"])

    assert len(levels(version)) == 3
    assert LEARNED.find(subject_of_keys([people["bob"]])) == 0
    finish(version, partial(live_version.go_live, now=NOW))
    assert levels(version) == {people["ada"]: 0, people["cyd"]: 2}


def test_a_version_whose_run_ended_is_scrubbed_and_the_run_may_go_on(people: dict[str, int]) -> None:
    version = made(people, status=VersionStatus.BUILDING, finished_at=NOW)
    erase(people["bob"])

    assert levels(version) == {people["ada"]: 0, people["cyd"]: 2}
    version.refresh_from_db()
    Run.objects.update(finished_at=None, status=RunStatus.QUEUED)
    save_arrays(version, Cut.LIVE, {"levels/of_users": np.array([5, 6], np.int8)})
    finish(version, live_version.keep_ready)
    assert levels(version) == {people["ada"]: 5, people["cyd"]: 6}
    assert files() == set(Artefact.objects.values_list("path", flat=True))


def files() -> set[str]:
    folder = Path(storages["artefacts"].location)
    return {str(path.relative_to(folder)) for path in folder.rglob("*.npy")}


def test_a_run_that_takes_its_version_up_meanwhile_keeps_its_files(
    people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = made(people, status=VersionStatus.BUILDING, finished_at=NOW)
    before = files()
    stored = scrubbing.remaining

    def resumed(*args: Any) -> Any:
        Run.objects.update(finished_at=None)
        return stored(*args)

    monkeypatch.setattr(scrubbing, "remaining", resumed)
    assert scrub(version, np.array([people["bob"]])) == (Counter(), frozenset())
    assert files() == before
    assert len(levels(version)) == 3


def test_files_of_a_try_that_was_killed_go_with_the_next_one(people: dict[str, int]) -> None:
    version = made(people, status=VersionStatus.READY)
    for path in (f"m{version.pk}/e1/live/ids/users.npy", f"m{version.pk}/live/left_over.npy"):
        target = Path(storages["artefacts"].path(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"half")

    scrub(version, np.array([people["bob"]]))

    assert files() == set(Artefact.objects.values_list("path", flat=True))
    assert levels(version) == {people["ada"]: 0, people["cyd"]: 2}


def test_arrays_that_no_part_of_the_release_reads_go_as_whole(people: dict[str, int]) -> None:
    version = made(people, status=VersionStatus.READY)
    row = Artefact.objects.get(version=version, cut=Cut.LIVE, name="levels/of_users")
    for name in ("households/of_users", "recommenders/withdrawn/base_"):
        row.pk = None
        row.name = name
        row.save(force_insert=True)

    scrub(version, np.array([people["bob"]]))

    names = Artefact.objects.filter(cut=Cut.LIVE).values_list("name", flat=True)
    assert {"ids/users", "levels/of_users"} <= set(names)
    assert {name.partition("/")[0] for name in names} == {"ids", "levels", "profiles"}


def test_what_is_read_is_of_one_edition(people: dict[str, int]) -> None:
    """A reader who is overtaken between two looks begins again; one whose files went does, too."""
    version = made(people, status=VersionStatus.READY)
    went: list[Callable[[], object]] = [lambda: scrub(version, np.array([people["bob"]]))]

    def read(edition: int) -> tuple[int, list[int], list[int]]:
        users = load_arrays(version.pk, Cut.LIVE, prefix="ids/")["ids/users"].tolist()
        if went:
            went.pop()()
        return edition, users, load_arrays(version.pk, Cut.LIVE, prefix="levels/")["levels/of_users"].tolist()

    assert of_one_edition(version.pk, read) == (1, [people["ada"], people["cyd"]], [0, 2])


def test_a_version_goes_live_without_who_is_gone_by_then(people: dict[str, int]) -> None:
    version = made(people)
    Customer.objects.filter(pk=people["ada"]).update(erased_at=NOW)
    Customer.objects.filter(pk=people["cyd"]).delete()

    live_version.go_live(version, now=NOW)

    assert list(LiveProfile.objects.values_list("customer", "weight")) == [(people["bob"], 1.0)]


def test_the_interests_of_who_is_erased_go_from_the_files(people: dict[str, int]) -> None:
    version = made(people, status=VersionStatus.READY, finished_at=NOW)
    scrub(version, np.array([people["ada"]]))
    known = load_main_interests(version.pk)
    assert known is not None
    assert known.users.tolist() == [people["bob"], people["cyd"]]
    for found in known.by_half_life.values():
        assert found.weight.tolist() == [1, 2]
        assert found.shares.tolist() == [[1], [2]]
    assert load_main_interests(version.pk, customer=people["ada"]) is None


def test_what_was_learned_before_somebody_went_is_forgotten_but_the_live_version(people: dict[str, int]) -> None:
    went = timezone.now()
    assert learned_without(went)  # nothing was learned at all
    old, waits, live = (made(people, status=VersionStatus.READY, finished_at=NOW) for _ in range(3))
    building = made(people, status=VersionStatus.BUILDING)
    failed = made(people, status=VersionStatus.BUILDING, finished_at=NOW)
    ModelVersion.objects.filter(pk=live.pk).update(is_live=True)
    moments = {old: -3, waits: 1, live: -1, building: -1, failed: -1}
    for version, hours in moments.items():
        at = went + timedelta(hours=hours)
        RunStage.objects.create(run=version.run, stage=Stage.PREPROCESS, position=2, started_at=at)

    assert not learned_without(went)
    assert learned_without(went - timedelta(hours=2))
    taken_up = RunStage.objects.filter(run=building.run)
    taken_up.update(started_at=went - timedelta(hours=3))
    assert not learned_without(went - timedelta(hours=2))  # a run of before that goes on would go live after it
    taken_up.update(started_at=went - timedelta(hours=1))
    assert forget_versions_before(went) == 2
    left = set(Artefact.objects.values_list("version", flat=True))
    assert left == {waits.pk, live.pk, building.pk}
    assert files() == set(Artefact.objects.values_list("path", flat=True))
    assert len(entries_of(live.pk)) == 9
