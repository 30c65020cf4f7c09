"""Every code that a page shows has a label, so that none is called by its code."""

from recommendations.engine.recommenders.registry import EVERY
from recommendations.event_types import EventName
from recommendations.wording import instance_labels, labels


def test_every_recommender_and_baseline_has_a_label() -> None:
    assert {"popular", "personal_frequency", *(instance.name for instance in EVERY)} <= set(instance_labels.INSTANCES)


def test_every_event_name_has_a_label() -> None:
    assert [code for code, _label in labels.EVENT_NAMES] == list(EventName)
