"""Health of the catalogue, the long tail, how items warm up: on a model whose slots are known by hand."""

from datetime import timedelta

import numpy as np
import pytest

from analytics.queries.catalogue import health, items
from analytics.queries.catalogue.insights import Severity, insights, severity
from analytics.queries.overview.served import served
from recommendations.models import Import, Item, Slate
from recommendations.services.catalogue.exposure import Exposure
from recommendations.services.catalogue.quality import CatalogueFlaw, Flaws, Touched
from recommendations.services.operations.data_health import Suspect, refused, suspects
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.models.model import save_bursts
from recommendations.terms import BlendName
from tests.analytics import records
from tests.trained import artefact_folder

pytestmark = pytest.mark.django_db
NOW = records.NOW


@pytest.fixture
def shelf() -> list[Item]:
    """Items listed 3, 10, 40 and 400 days ago; nobody ever saw the fifth, listed yesterday."""
    listed = [records.item(f"i{days}") for days in (3, 10, 40, 400, 1)]
    for item, days in zip(listed, (3, 10, 40, 400, 1), strict=True):
        Item.objects.filter(pk=item.pk).update(listed_at=NOW - timedelta(days=days))
    return listed


@pytest.fixture
def known(shelf: list[Item]) -> Exposure:
    """Exposure of the first four: slots 0, 0, 1 and 3; bought 0, 1, 2 and 5 times."""
    return Exposure(
        version=1, mark="m1", items=np.asarray([item.pk for item in shelf[:4]], np.int64),
        acts=np.asarray([1, 1, 2, 5], np.int32), bought=np.asarray([0, 1, 2, 5], np.int32),
        listed_age=np.asarray([3, 10, 40, 400], np.float32), ended_at=NOW, customers=np.asarray([7, 8]),
        segments=np.asarray([1, 1], np.int32),
        ranked={
            BlendName.HOME: np.asarray([[3, 2], [3, -1]], np.int32),
            BlendName.DISCOVER: np.asarray([[3], [-1]], np.int32),
        },
    )  # fmt: skip


def test_slots_are_counted_over_all_slates(known: Exposure) -> None:
    assert known.slots.tolist() == [0, 0, 1, 3]
    assert known.slots_at[BlendName.HOME].tolist() == [0, 0, 1, 2]


def test_items_warm_up_from_group_to_group(known: Exposure) -> None:
    ages = health.warming(known, mark="one")
    assert [(age.start, age.end, age.items, age.bought, age.recommended, age.slots) for age in ages] == [
        (0, 7, 2, 0, 0, 0),  # with the item that the model does not know
        (7, 14, 1, 1, 0, 0),
        (28, 56, 1, 1, 1, 1),
        (182, None, 1, 1, 1, 3),
    ]
    assert health.warming(None, mark="none") == []
    assert health.mostly_new(ages), "three of five"
    assert not health.mostly_new(ages[1:])
    assert not health.mostly_new([])


def test_the_tail_counts_items_unknown_to_the_model(known: Exposure) -> None:
    tail = health.tail(known, listed=5)
    assert tail is not None
    # Over 0 0 0 1 3: 2 (4·1 + 5·3) / (5 · 4) − 6/5; over 0 0 1 2 5: 2 (3 + 8 + 25) / (5 · 8) − 6/5.
    assert tail["slots"].gini == pytest.approx(0.7)
    assert tail["bought"].gini == pytest.approx(0.6)
    assert tail["slots"].points[-1] == (1, 1)
    assert health.tail(None, listed=5) is None


def test_new_items_show_their_events_and_slots(known: Exposure) -> None:
    prepare_partitions(NOW, NOW)
    Slate.objects.create(
        served_at=NOW, recommendation_id="r", placement="home", source="newest", personalised=False,
        items=[known.items[0].item(), 5, known.items[0].item()], scores=[0, 0, 0], propensities=[1, 1, 1],
    )  # fmt: skip
    rows = health.newest(known, now=NOW)
    assert [(each.item.shop_id, each.known, each.acts, each.slots, served) for each, served in rows] == [
        ("i1", False, 0, 0, 0), ("i3", True, 1, 0, 2), ("i10", True, 1, 0, 0),
    ]  # fmt: skip
    assert served([]) == {}


def test_the_list_is_sorted_by_counts_of_the_model_and_filtered_by_flaws(known: Exposure) -> None:
    def listed(**filters: object) -> list[str]:
        _page, lines = items.items(items.Filters(**filters), known, now=NOW)  # type: ignore[arg-type]
        return [line.item.shop_id for line in lines]

    assert listed() == ["i400", "i40", "i3", "i10", "i1"]
    assert listed(sort="bought") == ["i3", "i1", "i10", "i40", "i400"]
    assert listed(sort="-listed") == ["i1", "i3", "i10", "i40", "i400"]
    assert listed(days=28, sort="listed") == ["i10", "i3", "i1"]
    assert listed(flaw=CatalogueFlaw.NEVER_RECOMMENDED) == ["i3", "i10"]
    assert listed(flaw=CatalogueFlaw.NO_EVENTS) == ["i1"]


@pytest.mark.parametrize(
    ("slots_share", "share", "expected"),
    [(0.1, 0, "high"), (0.0999, 0, "medium"), (0.01, 0, "medium"), (0.0099, 0.1, "medium"), (0.0099, 0.0999, "low")],
)
def test_severity_goes_by_slots_and_items_touched(slots_share: float, share: float, expected: str) -> None:
    assert severity(slots_share=slots_share, share=share) == expected


def test_the_gravest_insight_comes_first() -> None:
    flaws = Flaws(
        listed=100,
        recommended=50,
        slots=1000,
        found=dict.fromkeys(CatalogueFlaw, Touched(items=0, slots=0))
        | {
            CatalogueFlaw.NO_PRICE: Touched(items=5, slots=0),
            CatalogueFlaw.NO_BRAND: Touched(items=3, slots=20),
            CatalogueFlaw.NO_PICTURE: Touched(items=9, slots=400),
        },
    )
    source = Import.objects.create(
        kind="events", file="may.csv", rows=1000, rejected=30, reasons={"future": 20, "odd": 10}
    )
    robots = [Suspect(customer=1, days=2, events=1300, busiest=NOW.date(), most=700)]
    rows = insights(flaws, refused([source]), robots)
    assert [each.severity for each in rows] == [Severity.HIGH, Severity.MEDIUM, *[Severity.LOW] * 3]
    assert [each.slots for each in rows] == [400, 20, 0, None, None]
    assert (rows[0].slots_share, rows[0].count) == (0.4, "9 items")
    assert rows[3].count == "30 of 1,000 rows"
    assert "Mostly: The time is more than 10 minutes ahead" in rows[3].meaning
    assert rows[4].count == "1 customer, 1,300 events"


def test_days_of_a_customer_are_counted_together(tmp_path: object) -> None:
    version = records.version(records.run())
    with artefact_folder(tmp_path):  # type: ignore[arg-type]
        assert suspects(version.pk) is None
        save_bursts(version, np.asarray([[4, 20_000, 900], [7, 20_001, 700], [4, 20_002, 600]], np.int64))
        rows = suspects(version.pk)
    assert rows is not None
    assert [(each.customer, each.days, each.events, each.most) for each in rows] == [
        (4, 2, 1500, 900),
        (7, 1, 700, 700),
    ]
    assert rows[0].busiest.isoformat() == "2024-10-04"
    assert suspects(None) is None


def test_completeness_begins_with_the_least_complete() -> None:
    flaws = Flaws(
        listed=4,
        recommended=0,
        slots=0,
        found=dict.fromkeys(CatalogueFlaw, Touched(items=0, slots=0))
        | {CatalogueFlaw.NO_BRAND: Touched(items=3, slots=0)},
    )
    fields = health.completeness(flaws)
    assert (fields[0].flaw, fields[0].missing, fields[0].there, fields[0].percent) == (
        CatalogueFlaw.NO_BRAND,
        3,
        0.25,
        25.0,
    )
    assert {field.there for field in fields[1:]} == {1.0}
