"""What models learned, with real files: those who stay are answered as before, and nothing names who went."""

import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import pytest_django
from django.core.files.storage import storages
from django.utils import timezone, translation

from recommendations.engine.frames import IdArray
from recommendations.models import Artefact, ModelVersion
from recommendations.privacy_terms import Kept
from recommendations.services.operations.quality import differences
from recommendations.services.operations.segments import picture
from recommendations.services.weights.panels import panels
from recommendations.simulation.panel import batch
from recommendations.store.holders.learned import LEARNED
from recommendations.store.holders.protocol import Erased, Sheet, Subject
from recommendations.store.models.artefact_axes import RECOMMENDERS
from recommendations.store.models.artefacts import load_arrays
from recommendations.store.models.model import Model, load_model, load_truths, truth_customers
from recommendations.store.models.scrubbing import ScrubbingError, entries_of, scrub
from recommendations.store.process_held import drop_all
from recommendations.store.serving.snapshot_holder import current_snapshot, snapshot_holder
from recommendations.terms import Cut, Task
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
ROWS, LATER = [6, 30, 59], [7, 8]  # of the users who go for good, and of those who stay whom tests take out


def stored_files() -> set[str]:
    folder = Path(storages["artefacts"].location)
    return {str(path.relative_to(folder)) for path in folder.rglob("*.npy")}


@dataclass(kw_only=True)
class Side:
    """What pages and answers were made of, before or after the erasure."""

    models: Mapping[Cut, Model]
    served: Model
    tested: Model
    panel: set[int]
    asked: set[int]
    quality: pd.DataFrame
    bought: Mapping[int, list[int]]
    points: Mapping[int, list[float]]
    files: set[str] = field(default_factory=stored_files)

    @classmethod
    def of(cls, version: ModelVersion) -> "Side":
        served, tested = current_snapshot().model, snapshot_holder().as_tested(None).model
        held, looked = panels().of(version, Task.HOME), picture(version.pk)
        panels().settle()
        truth = load_truths(version.pk, Cut.TEST)[Task.HOME].per_user
        assert served is not None
        assert tested is not None
        assert held is not None
        assert looked is not None
        return cls(
            models={cut: load_model(version.pk, cut) for cut in (Cut.TEST, Cut.LIVE)},
            served=served,
            tested=tested,
            panel=set(held.customers.tolist()),
            asked={question.customer for question in batch(current_snapshot(), "home", now=NOW).questions},
            quality=differences(task=Task.HOME, a="hybrid", b="popular").set_index("customer").sort_index(),
            bought={
                key: truth[[row]].indices.tolist()
                for row, key in enumerate(truth_customers(version.pk, Cut.TEST, Task.HOME).tolist())
            },
            points=dict(
                zip(looked.users[looked.projection.users].tolist(), looked.projection.points.tolist(), strict=True)
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Erasure:
    gone: IdArray
    subjects: list[Subject]  # one, two keys of another, and somebody unknown
    before: Side
    after: Side
    found: list[int]
    done: list[Erased]
    sheet: Sheet
    lines: list[Any]


@pytest.fixture(scope="module")
def erasure(shop: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[Erasure]:
    """Three people are erased, for good: this process held all that it had of them, and hears of it."""
    with django_db_blocker.unblock(), translation.override("en"):
        version = ModelVersion.objects.live().get()
        gone = load_arrays(version.pk, Cut.LIVE)["ids/users"][ROWS]
        one, *two = gone.tolist()
        subjects = [Subject(keys=frozenset(keys)) for keys in ({one}, two, {10**9})]
        before, found = Side.of(version), [LEARNED.find(each) for each in subjects]
        [sheet] = LEARNED.export(subjects[1])
        lines = list(sheet.rows)
        done = LEARNED.erase_all(subjects, now=timezone.now())
        snapshot_holder()._checked = 0.0  # the time of looking again has come
        current_snapshot()
        snapshot_holder().settle()
        version.refresh_from_db()
        after = Side.of(version)
        drop_all()
        yield Erasure(
            gone=gone, subjects=subjects, before=before, after=after, found=found, done=done, sheet=sheet, lines=lines
        )


@pytest.fixture
def version(erasure: Erasure) -> ModelVersion:
    return ModelVersion.objects.live().get()


def test_each_was_found_and_is_not_found_any_more(erasure: Erasure, version: ModelVersion) -> None:
    assert erasure.found == [4, 8, 0]  # once in each cut, and in the directory
    assert [one.deleted for one in erasure.done] == erasure.found
    assert [LEARNED.find(one) for one in erasure.subjects] == [0, 0, 0]
    assert version.edition == 1  # all at once
    assert LEARNED.erase(erasure.subjects[0], now=NOW) == Erased()


def test_it_is_said_whose_sums_stay(erasure: Erasure) -> None:
    sums = {name for name, one in erasure.before.models[Cut.LIVE].recommenders.items() if not one.exact_without}
    assert "als" in sums
    assert "user_knn" not in sums
    assert [(one.kept, one.why) for one in erasure.done] == [(len(sums), Kept.SUMS_UNTIL_NEXT_RUN)] * 2 + [(0, None)]


@pytest.mark.parametrize("cut", [Cut.TEST, Cut.LIVE])
def test_those_who_stay_keep_their_answers(erasure: Erasure, cut: Cut) -> None:
    before, after = erasure.before.models[cut], erasure.after.models[cut]
    stay = np.flatnonzero(~np.isin(before.users.ids, erasure.gone))

    assert after.users.ids.tolist() == before.users.ids[stay].tolist()
    assert after.segments.tolist() == before.segments[stay].tolist()
    for blend, records in after.candidates.items():
        expected = before.candidates[blend].of(np.append(stay, before.stranger))
        for part in ("items", "z", "own"):
            np.testing.assert_array_equal(getattr(records, part), getattr(expected, part))
    for row in (0, 6, 40):
        own, same = (
            one.training.interactions.of_users(np.array([at])) for one, at in ((after, row), (before, stay[row]))
        )
        assert own.item.tolist() == same.item.tolist()
        assert own.age.tolist() == same.age.tolist()


def test_what_is_exact_is_as_if_learned_without_them(erasure: Erasure) -> None:
    """The recommenders that were written are those that a fit without these people makes."""
    before, after = (side.models[Cut.LIVE] for side in (erasure.before, erasure.after))
    gone = np.flatnonzero(np.isin(before.users.ids, erasure.gone)).astype(np.int32)
    rows = np.arange(len(after.users), dtype=np.int32)
    exact = [name for name, one in before.recommenders.items() if one.exact_without]
    assert {"user_knn", "recent_neighbours_home"} <= set(exact)
    for name in exact:
        old = before.recommenders[name]
        fitted = type(old)(old.config).fit(before.training.without(gone), seed=0)
        own, expected = (one.score(after.training.queries(rows)) for one in (after.recommenders[name], fitted))
        scale = np.nanmax(np.abs(expected)) if np.isfinite(expected).any() else 1.0
        np.testing.assert_allclose(own / scale, expected / scale, atol=1e-5, err_msg=name)


def test_pages_of_quality_review_and_segments_speak_of_the_same_people(erasure: Erasure) -> None:
    before, after = erasure.before, erasure.after
    assert after.quality.equals(before.quality.drop(erasure.gone))
    assert after.bought == {key: items for key, items in before.bought.items() if key not in erasure.gone}
    assert after.points == {key: point for key, point in before.points.items() if key not in erasure.gone}


def test_this_process_holds_nothing_of_them(erasure: Erasure) -> None:
    before, after = erasure.before, erasure.after
    assert (before.served.edition, after.served.edition, after.tested.edition) == (0, 1, 1)
    for model in (after.served, after.tested):
        assert not np.isin(erasure.gone, model.users.ids).any()
    assert before.panel - after.panel == set(erasure.gone.tolist())
    assert before.asked - after.asked == set(erasure.gone.tolist())


def test_old_files_are_gone_and_no_array_names_them(erasure: Erasure, version: ModelVersion) -> None:
    paths = set(Artefact.objects.filter(version=version).values_list("path", flat=True))
    assert erasure.after.files == paths
    assert f"m{version.pk}/live/ids/users.npy" in erasure.before.files - paths
    for cut in Cut:
        users = load_arrays(version.pk, cut)["ids/users"]
        assert len(users) == 57
    assert not np.isin(entries_of(version.pk), erasure.gone).any()


def test_an_export_tells_what_the_models_hold(erasure: Erasure, version: ModelVersion) -> None:
    assert erasure.sheet.columns == ("Model", "Made", "History until", "Acts", "Segment", "Level", "Candidates")
    assert [(line[0], line[5]) for line in erasure.lines] == [(str(version), "Confirmed")] * 2
    for line in erasure.lines:
        assert line[3] > 16  # purchases of sixteen weeks
        assert line[6] > 20


@pytest.fixture
def later(erasure: Erasure) -> IdArray:
    return erasure.after.served.users.ids[LATER]


def test_a_damaged_file_leaves_the_old_ones(version: ModelVersion, later: IdArray) -> None:
    row = Artefact.objects.filter(version=version, cut=Cut.LIVE, name__startswith=f"{RECOMMENDERS}/").first()
    assert row is not None
    Artefact.objects.filter(pk=row.pk).update(sha256="0" * 64)  # as if other bytes had been written
    before = stored_files()

    with pytest.raises(ScrubbingError, match=rf"^Model {version} keeps its old files: artefact {row.path} is missing"):
        scrub(version, later)

    version.refresh_from_db()
    assert version.edition == 1
    assert stored_files() == before
    assert np.isin(later, entries_of(version.pk)).all()


def test_a_full_disk_leaves_the_old_files(version: ModelVersion, later: IdArray) -> None:
    rows, before = set(Artefact.objects.values_list("path", "sha256")), stored_files()

    with no_file_larger_than(10_000), pytest.raises(ScrubbingError, match=r"keeps its old files: .*too large"):
        scrub(version, later)

    assert set(Artefact.objects.values_list("path", "sha256")) == rows
    assert stored_files() >= before
    assert load_model(version.pk, Cut.LIVE).edition == 1
    assert scrub(version, later).entries == dict.fromkeys(later.tolist(), 4)  # with room again, it is done
    assert load_model(version.pk, Cut.LIVE).edition == 2


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses to write more, as it does when the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
