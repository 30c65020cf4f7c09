"""What a version does to the segments before it, from moves made by hand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from analytics.queries.segments.fates import fates
from analytics.queries.segments.overview import gone_but_used
from recommendations.models import BlendWeights, ModelVersion, Rule, Segment, SegmentState
from recommendations.store.models.artefacts import save_arrays
from recommendations.store.models.live_version import go_live
from recommendations.store.models.segments import MOVES
from recommendations.terms import Cut, RuleAction
from tests.analytics import records
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db
NOBODYS = -1


@pytest.fixture
def version(tmp_path: Path) -> Iterator[ModelVersion]:
    """Of tea's ten 7 stay, 2 go to wine, 1 leaves; wine keeps its five; of soap's six none has a majority; 9 is new."""
    live = records.version(records.run())
    tea, wine, soap = (
        Segment.objects.create(number=number, name=name, version=live, size=size)
        for number, name, size in ((1, "Tea", 10), (2, "Wine", 5), (3, "Soap", 6))
    )
    fresh = Segment.objects.create(number=9)
    made = records.version(records.run(), live=False)
    for segment, size in ((tea, 9), (wine, 9), (fresh, 4)):
        SegmentState.objects.create(version=made, segment=segment, size=size, top_categories=[])
    Rule.objects.create(name="Soap first", action=RuleAction.BOOST, segment=soap)
    Rule.objects.create(name="Old", action=RuleAction.BOOST, segment=wine, archived_at=records.NOW)
    ways = [
        (1, 1, 7), (1, 2, 2), (1, NOBODYS, 1), (2, 2, 5), (3, 1, 2), (3, 2, 2), (3, 9, 2), (NOBODYS, 9, 2),
    ]  # fmt: skip
    with artefact_folder(tmp_path / "artefacts"):
        save_arrays(made, Cut.LIVE, {MOVES: np.asarray(ways, np.int32)})
        yield made


def test_each_segment_is_told_of_what_is_gone_first(version: ModelVersion) -> None:
    found = fates(version)
    assert found is not None
    told = [(str(row.segment), row.members, row.now, round(row.kept, 2), row.gone, row.tied) for row in found.rows]
    assert told == [
        ("Soap", 6, 0, 0.0, True, True), ("Tea", 10, 9, 0.7, False, False), ("Wine", 5, 9, 1.0, False, False),
    ]  # fmt: skip
    parts = [[(str(segment), round(share, 2)) for segment, share in row.parts] for row in found.rows]
    assert parts == [[("9", 0.33), ("Wine", 0.33)], [("Wine", 0.2)], []]
    assert [(segment.number, size) for segment, size in found.new] == [(9, 4)]
    assert (found.stay, found.gone, round(found.least_kept, 2)) == (2, 1, 0.7)


def test_there_is_nothing_to_tell_of_the_first_version(version: ModelVersion) -> None:
    assert fates(ModelVersion.objects.live().get()) is None
    assert fates(None) is None


def test_the_runs_page_shows_it_before_the_version_is_live(version: ModelVersion, admin: Client) -> None:
    page = " ".join(admin.get(f"/runs/{version.run.pk}/").content.decode().split())
    assert "2 of 3 segments stay, and each keeps at least 70% of its customers." in page
    assert "1 is gone" in page
    assert "number 9, 4 customers" in page
    assert "Soap first" in page


def test_where_all_stay_no_share_of_the_whole_is_told(version: ModelVersion, admin: Client) -> None:
    save_arrays(version, Cut.LIVE, {MOVES: np.asarray([(1, 1, 10), (2, 2, 5)], np.int32)})
    page = " ".join(admin.get(f"/runs/{version.run.pk}/").content.decode().split())
    assert "All 2 segments stay, and each keeps at least 100% of its customers." in page


def test_a_rule_of_a_segment_that_is_gone_is_told_of_and_its_page_says_so(version: ModelVersion, admin: Client) -> None:
    assert gone_but_used() == []
    go_live(version, now=records.NOW)
    assert [str(segment) for segment in gone_but_used()] == ["Soap"]
    assert "1 segment is gone, and what was made for it applies to nobody:" in admin.get("/segments/").content.decode()
    answer = admin.get("/segments/3/")
    assert answer.status_code == 200
    assert "Nobody is in this segment any more" in answer.content.decode()
    assert "Soap first" in answer.content.decode()
    assert admin.get("/segments/77/").status_code == 404
    assert not BlendWeights.objects.exclude(segment=None).exists()
