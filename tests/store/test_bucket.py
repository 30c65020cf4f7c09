"""A bucket of a real object store keeps what models learned, and this machine has copies of what it read."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import override_settings

from recommendations.models import Artefact, EventFile
from recommendations.store.bucket import BucketAwayError, BucketStorage
from recommendations.store.erasure.subjects import subject_of_keys
from recommendations.store.holders.snapshots import SNAPSHOTS
from recommendations.store.models import artefacts, nets
from recommendations.store.models.artefacts import ArtefactDamagedError, load_arrays, save_arrays
from recommendations.store.snapshots import files, update
from recommendations.terms import Cut
from tests.event_frames import event_frame
from tests.object_store import ObjectStore, object_store
from tests.post_office import free_port
from tests.store.models.test_artefacts import version
from tests.store.snapshots.record import JUNE, NOW, customer, customers_in_files, events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as running:
        yield running


@pytest.fixture
def bucket(store: ObjectStore) -> str:
    name = f"shop-{uuid.uuid4().hex}"
    store.files().create_dir(name)
    return name


@contextmanager
def in_bucket(url: str, cache: Path) -> Iterator[None]:
    """Artefacts lie in a bucket, and copies of them in a folder, while the block runs."""
    backend = f"{BucketStorage.__module__}.{BucketStorage.__name__}"
    there = {"artefacts": {"BACKEND": backend, "OPTIONS": {"url": url}}}
    with override_settings(STORAGES=settings.STORAGES | there, ARTEFACT_CACHE=cache):
        yield


@pytest.fixture
def cache(store: ObjectStore, bucket: str, tmp_path: Path) -> Iterator[Path]:
    """Artefacts lie in the bucket; the folder of this machine's copies."""
    with in_bucket(store.url(bucket), tmp_path):
        yield tmp_path


def test_files_of_a_bucket_are_as_those_of_a_folder(cache: Path) -> None:
    storage, begun = storages["artefacts"], datetime.now(UTC)
    assert storage.save("m1/live/cut.npy", ContentFile(b"0123456789")) == "m1/live/cut.npy"
    assert storage.save("m1/home.npy", ContentFile(b"")) == "m1/home.npy"
    assert storage.listdir("m1") == (["live"], ["home.npy"])
    assert (storage.size("m1/live/cut.npy"), storage.size("m1/home.npy")) == (10, 0)
    assert abs(storage.get_modified_time("m1/live/cut.npy") - begun) < timedelta(minutes=1)
    with storage.open("m1/live/cut.npy") as file:
        assert file.read(4) + file.read() == b"0123456789"
    assert storage.save("m1/live/cut.npy", ContentFile(b"x")) != "m1/live/cut.npy"  # nothing is written over
    storage.delete("m1/live/cut.npy")
    storage.delete("m1/live/cut.npy")
    assert not storage.exists("m1/live/cut.npy")
    for ask in (storage.size, storage.get_modified_time, storage.open):
        with pytest.raises(FileNotFoundError):
            ask("m1/live/cut.npy")
    with pytest.raises(FileNotFoundError):
        storage.listdir("m2")


def test_arrays_are_copied_once_and_a_bad_copy_is_made_anew(store: ObjectStore, bucket: str, cache: Path) -> None:
    one = version()
    save_arrays(one, Cut.LIVE, {"cut": np.arange(1_000)})
    row = Artefact.objects.get()
    assert store.names(bucket) == [f"recsite/{row.path}"]
    assert not (cache / row.path).exists()

    def cut_as_another_process_has_it() -> list[int]:
        artefacts._known_good.clear()
        return list(load_arrays(one.pk, Cut.LIVE)["cut"])

    assert cut_as_another_process_has_it() == list(range(1_000))
    copy = cache / row.path
    inode = copy.stat().st_ino
    assert cut_as_another_process_has_it() == list(range(1_000))
    assert copy.stat().st_ino == inode
    copy.write_bytes(copy.read_bytes()[:-1])  # the disk was full, or the machine went
    assert cut_as_another_process_has_it() == list(range(1_000))
    save_arrays(one, Cut.LIVE, {"cut": np.arange(5)})  # by the same name
    assert cut_as_another_process_has_it() == list(range(5))
    store.files().delete_file(f"{bucket}/recsite/{row.path}")
    copy.unlink()
    with pytest.raises(ArtefactDamagedError, match="run the loop"):
        cut_as_another_process_has_it()


def test_what_goes_goes_with_its_copy(store: ObjectStore, bucket: str, cache: Path) -> None:
    one = version()
    save_arrays(one, Cut.LIVE, {"cut": np.arange(3), "ids/users": np.arange(4)})
    artefacts._known_good.clear()
    load_arrays(one.pk, Cut.LIVE)
    assert len(list((cache / f"m{one.pk}").rglob("*.npy"))) == 2
    lost = storages["artefacts"].save(f"m{one.pk}/live/lost.npy", ContentFile(b"of a killed run"))
    assert artefacts.forget_files_without_row(one.pk) == 1
    assert not storages["artefacts"].exists(lost)
    artefacts.forget_files(Artefact.objects.all())
    copy_of_another_machine, work = cache / "m7/live/cut.npy", cache / "m7/work/live/sums.npy"
    for path in (copy_of_another_machine, work):
        path.parent.mkdir(parents=True)
        path.touch()
    artefacts.forget_copies()
    assert (copy_of_another_machine.exists(), work.exists()) == (False, True)
    assert store.names(bucket) == []
    assert list((cache / f"m{one.pk}").rglob("*.npy")) == []


def test_a_net_lies_in_the_bucket(cache: Path) -> None:
    path, digest = nets._write({"weights": np.arange(4.0)}, name="nets/visits.npz")
    assert nets._arrays(path, digest)["weights"].tolist() == [0, 1, 2, 3]


def test_events_by_month_lie_in_the_bucket_and_who_is_erased_leaves_it(
    store: ObjectStore, bucket: str, cache: Path
) -> None:
    anna, bert = customer("anna"), customer("bert")
    events(anna, JUNE, number=3)
    events(bert, JUNE, number=2)
    update.update(until=NOW)
    before = event_frame(until=NOW)
    [file] = EventFile.objects.all()
    assert store.names(bucket) == [f"recsite/{file.path}"]
    (cache / file.path).write_bytes(b"damaged")
    files._known_good.clear()
    assert event_frame(until=NOW).equals(before)
    assert EventFile.objects.get().sha256 == file.sha256  # the copy was made anew, not the file
    assert SNAPSHOTS.erase(subject_of_keys([anna.pk]), now=NOW).deleted == 3
    assert customers_in_files() == [bert.pk] * 2
    [left] = store.names(bucket)
    assert left != f"recsite/{file.path}"
    assert not (cache / file.path).exists()


def test_a_bucket_that_cannot_be_used_is_named_with_what_it_said(store: ObjectStore) -> None:
    said = r"the bucket of ARTEFACTS, s3://nobodys/recsite, cannot be used: .*"
    with pytest.raises(BucketAwayError, match=f"{said}NoSuchBucket|{said}NO_SUCH_BUCKET"):
        BucketStorage(store.url("nobodys")).save("cut.npy", ContentFile(b"x"))
    with pytest.raises(BucketAwayError, match=rf"{said}tls_verify.*docs/settings\.md"):
        BucketStorage(store.url("nobodys") + "&tls_verify=no").exists("cut.npy")


def test_a_model_whose_bucket_is_away_is_not_damaged(cache: Path) -> None:
    one = version()
    save_arrays(one, Cut.LIVE, {"cut": np.arange(3)})
    artefacts._known_good.clear()
    away = ObjectStore(free_port()).url("shop")
    with (
        in_bucket(away, cache),
        pytest.raises(ArtefactDamagedError, match=r"cut\.npy cannot be read now: the bucket of ARTEFACTS"),
    ):
        load_arrays(one.pk, Cut.LIVE)
    assert load_arrays(one.pk, Cut.LIVE)["cut"].tolist() == [0, 1, 2]
