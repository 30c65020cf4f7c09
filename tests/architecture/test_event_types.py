"""A type of events is a row of one table; what it has besides, and what its row must not say, is held here."""

import msgspec

from analytics.charts import hues
from recommendations.event_types import NAMES, EventName
from recommendations.ingest.event_schema import EventForm
from recommendations.store.imports import event_rows
from recommendations.wording import labels


def test_every_type_has_a_label_and_a_look() -> None:
    places = {"labels.EVENT_NAMES": dict(labels.EVENT_NAMES), "hues.EVENTS": hues.EVENTS}
    assert {(place, name.value) for place, names in places.items() for name in EventName if name not in names} == set()


def test_no_name_means_two_types() -> None:
    assert len(NAMES) == len(EventName) + sum(len(name.facts.aliases) for name in EventName)


def test_a_field_that_a_type_needs_is_checked_in_requests_and_in_files() -> None:
    needed = {field for name in EventName for field in name.facts.fields}
    in_files = {rule.field for rule in event_rows.RULES if rule.code == "missing"}
    assert needed <= {field.name for field in msgspec.structs.fields(EventForm)}
    assert needed <= in_files


def test_a_type_takes_back_one_that_has_points() -> None:
    pairs = [(name, EventName(name.facts.takes_back)) for name in EventName if name.facts.takes_back]
    assert [(name, other) for name, other in pairs if not name.facts.points < 0 < other.facts.points] == []


def test_a_sign_of_interest_has_points() -> None:
    assert [name for name in EventName if name.facts.live and not name.facts.points > 0] == []
