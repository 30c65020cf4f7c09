"""The directory of customers is a dict of their pseudonyms: in memory, from files, without who was erased, and anew."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from django.conf import LazySettings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from recommendations.models import Artefact, Customer, CustomerAlias, ModelVersion, Run
from recommendations.services.privacy.rotation import rotate_pseudonyms
from recommendations.store.events.directory import NOBODY_ELSE, Directory
from recommendations.store.events.known_customers import KnownCustomers, customer_keys, known_by
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.models.directory_files import load_directory, save_directory
from recommendations.store.models.scrubbing import entries_of, scrub
from recommendations.store.process_held import drop_all
from recommendations.terms import VersionStatus
from tests.trained import artefact_folder

NOW = datetime(2026, 9, 15, tzinfo=UTC)
WORDS = st.sampled_from([bytes(8), b"\x7f" + bytes(7), b"\x80" + bytes(7), b"\xff" * 8, b"12345678"])
PSEUDONYMS = st.builds(
    lambda first, second: first + second + bytes(16), WORDS | st.binary(min_size=8, max_size=8), WORDS
)
PEOPLE = st.dictionaries(PSEUDONYMS, st.tuples(st.integers(1, 2**40), st.none() | st.integers(1, 2**40)), max_size=30)


def directory_of(people: dict[bytes, tuple[int, int | None]]) -> Directory:
    rows = sorted(people.items())
    words = np.frombuffer(b"".join(value for value, _ in rows), ">u8").astype(np.uint64).reshape(-1, 4)
    owners = [NOBODY_ELSE if owner is None else owner for _, (_, owner) in rows]
    return Directory(
        prefix=words[:, 0].copy(), rest=words[:, 1].copy(), key=np.array([key for _, (key, _) in rows], np.int64),
        owner=np.array(owners, np.int64), layers=1, read_at=NOW,
    )  # fmt: skip


@given(people=PEOPLE, others=st.lists(PSEUDONYMS, max_size=10))
def test_a_directory_is_a_dict(people: dict[bytes, tuple[int, int | None]], others: list[bytes]) -> None:
    directory = directory_of(people)
    known = {value: key if owner is None else owner for value, (key, owner) in people.items()}

    assert {value: directory.key_of(value) for value in [*people, *others]} == {
        value: known.get(value) for value in [*people, *others]
    }
    assert directory.newest == max([0, *(key for key, _ in people.values())])


@given(people=PEOPLE, data=st.data())
def test_who_is_gone_is_not_known_nor_whoever_was_merged_into_them(
    people: dict[bytes, tuple[int, int | None]], data: st.DataObject
) -> None:
    known = KnownCustomers(directory_of(people))
    of = {value: key if owner is None else owner for value, (key, owner) in people.items()}
    gone = data.draw(st.frozensets(st.sampled_from(sorted(of.values())) if of else st.nothing()))

    known.forget(gone)

    assert [value for value in people if value in known] == [value for value in people if of[value] not in gone]
    assert known.count(gone) == 0


def test_who_came_later_is_kept_in_two_halves_and_then_looked_for() -> None:
    known = KnownCustomers(directory_of({}), half=2)
    for number in range(5):
        assert known.is_whole
        known.add({bytes([number]) * 32: number + 1})

    assert [known.get(bytes([number]) * 32) for number in range(5)] == [None, None, 3, 4, 5]
    assert not known.is_whole


@pytest.fixture
def version(tmp_path: Path) -> Iterator[ModelVersion]:
    with artefact_folder(tmp_path):
        run = Run.objects.create(now=NOW, finished_at=NOW)
        yield ModelVersion.objects.create(run=run, status=VersionStatus.READY, is_live=True)


def people(*names: str) -> dict[bytes, int]:
    return {pseudonym(name): Customer.objects.create(pseudonym=pseudonym(name)).pk for name in names}


def files_with(folder: Path, needle: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and needle in path.read_bytes()]


@pytest.mark.django_db
def test_nobody_is_a_directory_too(version: ModelVersion) -> None:
    assert load_directory(version.pk) is None
    assert save_directory(version) == 0
    directory = load_directory(version.pk)
    assert directory is not None
    assert directory.key_of(pseudonym("ada")) is None


@pytest.mark.django_db
def test_a_file_knows_everybody_as_the_record_did_and_who_came_since_is_added(version: ModelVersion) -> None:
    of = people("ada", "bob", "phone")
    Customer.objects.filter(pk=of[pseudonym("bob")]).update(erased_at=NOW)
    CustomerAlias.objects.create(
        anonymous_id=of[pseudonym("phone")], customer_id=of[pseudonym("ada")], since=NOW, changed_at=NOW
    )
    assert save_directory(version) == 2
    later = people("cyd", "tablet")
    CustomerAlias.objects.create(
        anonymous_id=later[pseudonym("tablet")], customer_id=of[pseudonym("ada")], since=NOW, changed_at=timezone.now()
    )

    known = known_by(load_directory(version.pk))

    ada, cyd = of[pseudonym("ada")], later[pseudonym("cyd")]
    asked = {"ada": ada, "bob": None, "phone": ada, "cyd": cyd, "tablet": ada, "nobody": None}
    assert {name: known.get(pseudonym(name)) for name in asked} == asked
    assert customer_keys(KnownCustomers(), list(map(pseudonym, asked))) == [*asked.values()]


@pytest.mark.django_db(transaction=True)
def test_no_file_has_a_byte_of_who_was_erased(version: ModelVersion, tmp_path: Path) -> None:
    of = people("ada", "bob", "phone")
    phone, ada = of[pseudonym("phone")], of[pseudonym("ada")]
    CustomerAlias.objects.create(anonymous_id=phone, customer_id=ada, since=NOW, changed_at=NOW)
    save_directory(version)
    words = [
        int.from_bytes(pseudonym(name)[start : start + 8]).to_bytes(8, "little")
        for name in ("ada", "phone") for start in (0, 8)
    ]  # fmt: skip
    assert all(files_with(tmp_path, word) for word in words)

    scrub(version, np.array([ada]))  # as if the visitor stayed: who is merged into nobody is looked up again

    assert not any(files_with(tmp_path, word) for word in words)
    assert entries_of(version.pk).tolist() == [of[pseudonym("bob")]]
    assert len(Artefact.objects.filter(version=version, name__startswith="directory/")) == 6


@pytest.mark.django_db(transaction=True)
def test_a_layer_is_laid_over_directories_too(version: ModelVersion, tmp_path: Path, settings: LazySettings) -> None:
    of = people("ada", "bob")
    save_directory(version)
    old = int.from_bytes(pseudonym("ada")[:8]).to_bytes(8, "little")
    assert files_with(tmp_path, old)
    settings.PSEUDONYM_KEYS = [*settings.PSEUDONYM_KEYS, "a-second-key-of-pseudonyms-0123456789"]
    rotate_pseudonyms()
    drop_all()

    directory = load_directory(version.pk)
    assert directory is not None
    assert directory.layers == 2
    assert sorted(of.values()) == sorted(key for name in ("ada", "bob") if (key := directory.key_of(pseudonym(name))))
    assert not files_with(tmp_path, old)
    version.refresh_from_db()
    assert version.edition == 1
