"""Files of arrays that are written block by block: the bytes of ``numpy.save``, and whole or not there."""

import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, storages
from django.test import override_settings
from numpy.typing import NDArray

from recommendations.engine.ranking.candidates import Candidates
from recommendations.models import Artefact, ModelVersion, Run
from recommendations.store.models import array_files
from recommendations.store.models.array_files import ArrayFile
from recommendations.store.models.artefacts import load_arrays, save_arrays, write_array
from recommendations.store.models.records import load_candidates, save_candidates
from recommendations.terms import BlendName, Cut
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    with artefact_folder(tmp_path):
        yield tmp_path


@pytest.fixture
def version() -> ModelVersion:
    return ModelVersion.objects.create(run=Run.objects.create(now=NOW))


def saved(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(60, dtype=np.int32).reshape(10, 3, 2),
        np.asfortranarray(np.arange(12.0).reshape(4, 3)),
        np.array([[0.5, np.nan], [1, 2], [3, 4]], np.float16),
        np.array(["ease_home", "als"]),
        np.array([True, False, True]),
        np.empty((0, 4), np.float32),
        np.arange(20)[::3],
        np.array(7),
    ],
)
def test_blocks_make_the_file_that_the_whole_array_makes(
    array: NDArray[Any], version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_files, "BLOCK_BYTES", 1)  # a row at a time
    row = write_array(version, Cut.LIVE, "cut", array)
    content = Path(storages["artefacts"].path(row.path)).read_bytes()
    assert content == saved(array)
    assert (row.sha256, row.size) == (hashlib.sha256(content).hexdigest(), len(content))


class DiskFullError(Exception):
    """What ended the writing."""


def begin_and_fail(version: ModelVersion, folder: Path) -> None:
    with ArrayFile(version, Cut.LIVE, "cut", n_rows=2) as file:
        file.append(np.arange(1))
        assert load_arrays(version.pk, Cut.LIVE)["cut"].tolist() == [0, 1, 2]
        assert [path.name for path in folder.rglob("*.npy")] == ["cut.npy"]
        raise DiskFullError


def test_a_file_that_is_half_written_is_no_array_and_leaves_nothing(version: ModelVersion, folder: Path) -> None:
    save_arrays(version, Cut.LIVE, {"cut": np.arange(3)})
    with pytest.raises(DiskFullError):
        begin_and_fail(version, folder)
    assert load_arrays(version.pk, Cut.LIVE)["cut"].tolist() == [0, 1, 2]
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["cut.npy"]


def test_rows_that_are_lacking_or_of_another_width_are_refused(version: ModelVersion) -> None:
    with ArrayFile(version, Cut.LIVE, "cut", n_rows=2) as file:
        file.append(np.zeros((1, 3)))
        with pytest.raises(ValueError, match="told 1 of 2 rows"):
            file.finish()
        with pytest.raises(ValueError, match="after"):
            file.append(np.zeros((1, 4)))
    assert not Artefact.objects.exists()


class Bucket(FileSystemStorage):
    """Files that lie elsewhere: they have no path on this machine."""

    def path(self, name: str) -> str:
        raise NotImplementedError

    def _open(self, name: str, mode: str = "rb") -> File:
        return File((Path(self.location) / name).open(mode))

    def _save(self, name: str, content: File) -> str:
        place = Path(self.location) / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.read())
        return name

    def exists(self, name: str) -> bool:
        return (Path(self.location) / name).exists()

    def delete(self, name: str) -> None:
        (Path(self.location) / name).unlink(missing_ok=True)


def test_a_bucket_gets_the_whole_file(version: ModelVersion, tmp_path: Path) -> None:
    backend = f"{Bucket.__module__}.{Bucket.__name__}"
    bucket = {"artefacts": {"BACKEND": backend, "OPTIONS": {"location": tmp_path / "bucket"}}}
    with override_settings(STORAGES=settings.STORAGES | bucket, ARTEFACT_CACHE=tmp_path / "cache"):
        save_arrays(version, Cut.LIVE, {"cut": np.arange(3)})
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["cut.npy"]
        assert load_arrays(version.pk, Cut.LIVE)["cut"].tolist() == [0, 1, 2]


def records(first: int, n: int) -> Candidates:
    rows = np.arange(first, first + n)
    return Candidates(
        instances=("als",), items=rows[:, None].astype(np.int32), z=rows[:, None, None].astype(np.float16),
        own=rows[:, None, None].astype(np.int32),
    )  # fmt: skip


def test_records_of_some_are_asked_for_by_the_rows_of_their_users(version: ModelVersion) -> None:
    arrays = {"ids/users": np.arange(5), "candidates/users": np.array([1, 3], np.int32)}
    save_arrays(version, Cut.TEST, arrays)
    save_candidates(version, Cut.TEST, [{BlendName.HOME: records(7, 3)}], n_records=3)
    home = load_candidates(version.pk, Cut.TEST)[BlendName.HOME]
    chosen = home.of(np.array([5, 1]))  # the stranger, and a user
    assert chosen.items[:, 0].tolist() == [9, 7]
    assert chosen.of(np.array([1])).items[:, 0].tolist() == [7]
    assert [home.row(user) for user in (0, 1, 3, 5)] == [-1, 0, 1, 2]
    with pytest.raises(LookupError, match="no record"):
        home.of(np.array([1, 2]))


def test_records_take_the_place_of_those_that_they_are_made_of(version: ModelVersion) -> None:
    save_candidates(version, Cut.LIVE, ({BlendName.HOME: records(at, 2)} for at in (0, 2)), n_records=4)
    before = load_candidates(version.pk, Cut.LIVE)[BlendName.HOME]
    turned = ({BlendName.HOME: before.of(np.array(rows))} for rows in ([3], [2, 1], [0]))
    save_candidates(version, Cut.LIVE, turned, n_records=4)
    after = load_candidates(version.pk, Cut.LIVE)[BlendName.HOME]
    assert (after.instances, after.items[:, 0].tolist()) == (("als",), [3, 2, 1, 0])
    assert before.items[:, 0].tolist() == [0, 1, 2, 3]  # as long as somebody reads it
    with pytest.raises(ValueError, match="told 2 of 4"):
        save_candidates(version, Cut.LIVE, [{BlendName.HOME: records(0, 2)}], n_records=4)
