"""Arrays of a version: whole or not at all, and never other than what was written."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import pytest_django
from django.core.files.storage import storages

from recommendations.models import Artefact, ModelVersion, Run
from recommendations.store.models import artefacts
from recommendations.store.models.artefacts import ArtefactDamagedError, forget_old_versions, load_arrays, save_arrays
from recommendations.terms import Cut, VersionStatus
from tests.trained import artefact_folder

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]
NOW = datetime(2026, 9, 15, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> object:
    with artefact_folder(tmp_path):
        yield tmp_path


def version(*, live: bool = False) -> ModelVersion:
    run = Run.objects.create(now=NOW, finished_at=NOW)
    return ModelVersion.objects.create(run=run, status=VersionStatus.READY, is_live=live)


def test_arrays_come_back_as_they_were_memory_mapped_and_read_only() -> None:
    one = version()
    arrays = {
        "ids/users": np.array([3, 5, 8]),
        "candidates/home/z": np.array([[0.5, np.nan]], np.float16),
        "catalogue/price": np.empty((0, 4)),
    }
    size = save_arrays(one, Cut.LIVE, arrays)
    loaded = load_arrays(one.pk, Cut.LIVE)
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype
    assert not loaded["candidates/home/z"].flags.writeable
    assert size == sum(row.size for row in Artefact.objects.all())
    assert load_arrays(one.pk, Cut.TEST) == {}
    assert list(load_arrays(one.pk, Cut.LIVE, prefix="ids/")) == ["ids/users"]


def test_a_second_try_replaces_what_the_first_left() -> None:
    one = version()
    save_arrays(one, Cut.LIVE, {"cut": np.arange(3)})
    save_arrays(one, Cut.LIVE, {"cut": np.arange(5)})
    assert load_arrays(one.pk, Cut.LIVE)["cut"].tolist() == [0, 1, 2, 3, 4]
    assert Artefact.objects.count() == 1


def test_a_file_that_is_gone_is_damaged_also_where_it_was_read_before() -> None:
    one = version()
    save_arrays(one, Cut.LIVE, {"cut": np.arange(5)})
    load_arrays(one.pk, Cut.LIVE)
    storages["artefacts"].delete(Artefact.objects.get().path)
    with pytest.raises(ArtefactDamagedError):
        load_arrays(one.pk, Cut.LIVE)


def test_a_damaged_file_is_refused() -> None:
    one = version()
    save_arrays(one, Cut.LIVE, {"cut": np.arange(1_000, dtype=np.int32) * 7})
    path = Path(storages["artefacts"].path(Artefact.objects.get().path))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtefactDamagedError, match="run the loop"):
        load_arrays(one.pk, Cut.LIVE)
    path.unlink()
    with pytest.raises(ArtefactDamagedError):
        load_arrays(one.pk, Cut.LIVE)


def test_what_was_found_right_is_not_read_again_for_that_within_a_week(
    tmp_path: Path, settings: pytest_django.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ARTEFACT_CACHE = tmp_path / "cache"
    read: list[Path] = []

    def digest(path: Path, of: Callable[[Path], str] = artefacts._digest) -> str:
        read.append(path)
        return of(path)

    monkeypatch.setattr(artefacts, "_digest", digest)
    one = version()
    save_arrays(one, Cut.LIVE, {"cut": np.arange(1_000)})
    path = Path(storages["artefacts"].path(Artefact.objects.get().path))
    mark = tmp_path / "cache" / "checked" / Artefact.objects.get().path

    def times_read_by_another_process() -> int:
        artefacts._known_good.clear()
        before = len(read)
        assert load_arrays(one.pk, Cut.LIVE)["cut"].tolist() == list(range(1_000))
        return len(read) - before

    assert times_read_by_another_process() == 0  # who wrote it counted as it wrote
    mark.unlink()  # another machine
    assert [times_read_by_another_process() for _ in range(3)] == [1, 0, 0]
    path.write_bytes(path.read_bytes())  # somebody wrote it: who knows what
    assert [times_read_by_another_process() for _ in range(2)] == [1, 0]
    os.utime(mark, times=(0, time.time() - 8 * 86_400))
    assert [times_read_by_another_process() for _ in range(2)] == [1, 0]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    artefacts._known_good.clear()
    with pytest.raises(ArtefactDamagedError):
        load_arrays(one.pk, Cut.LIVE)
    save_arrays(one, Cut.LIVE, {"cut": np.arange(3)})
    load_arrays(one.pk, Cut.LIVE)
    artefacts.forget_files(Artefact.objects.all())
    assert not mark.exists()


def test_the_live_version_and_the_newest_keep_their_files() -> None:
    versions = [version(live=number == 1) for number in range(6)]
    for one in versions:
        save_arrays(one, Cut.LIVE, {"cut": np.array([one.pk])})
    assert forget_old_versions() == 3
    left = set(Artefact.objects.values_list("version", flat=True))
    assert left == {versions[1].pk, versions[5].pk, versions[4].pk}
    for row in Artefact.objects.all():
        assert storages["artefacts"].exists(row.path)


def test_of_versions_that_answered_what_they_served_from_is_kept_while_there_is_room() -> None:
    versions = [version(live=number == 5) for number in range(6)]
    for one in versions:
        save_arrays(one, Cut.LIVE, {"cut": np.array([one.pk])})
        save_arrays(one, Cut.TEST, {"cut": np.array([one.pk])})
    size = Artefact.objects.filter(cut=Cut.LIVE).first().size  # type: ignore[union-attr]
    answered = [one.pk for one in versions[:3]]
    assert forget_old_versions(answered=answered, most=2 * size) == 4
    old = Artefact.objects.filter(version__in=answered)
    assert set(old.values_list("version", "cut")) == {(versions[2].pk, Cut.LIVE), (versions[1].pk, Cut.LIVE)}
    assert forget_old_versions() == 2
