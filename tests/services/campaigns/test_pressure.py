"""Rules of pressure: a shop begins with the default ones, and versions are never changed."""

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest
from django.core.exceptions import ValidationError

from recommendations.models import AuditEntry, PressureRules
from recommendations.push_terms import Channel
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.campaigns.pressure import (
    DEFAULT,
    CapForm,
    form_of,
    publish_rules,
    rules_now,
    season_of,
    undo_publication,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


def test_a_shop_begins_with_the_default_rules() -> None:
    rules = rules_now(now=NOW)
    assert (rules.number, rules.season, rules.holdout) == (1, "2026-2", 0.1)
    assert rules.caps == [
        {"channel": "email", "most": 1, "hours": 24}, {"channel": "email", "most": 3, "hours": 168},
        {"channel": "web_push", "most": 2, "hours": 24}, {"channel": "web_push", "most": 5, "hours": 168},
        {"channel": None, "most": 5, "hours": 168},
    ]  # fmt: skip
    assert (rules.quiet_from, rules.quiet_until) == (time(21), time(8))
    assert rules_now(now=NOW) == rules


def test_another_version_takes_their_place_and_the_season_stays() -> None:
    first = rules_now(now=NOW)
    cap = CapForm(channel=Channel.EMAIL, most=2, hours=168)
    second = publish_rules(
        replace(DEFAULT, caps=[cap], per_day=500), note="two a week", by=None, now=datetime(2027, 2, 1, tzinfo=UTC)
    )
    assert (second.number, second.season, second.per_day) == (2, "2026-2", 500)
    assert rules_now(now=NOW) == second
    first.refresh_from_db()
    assert (first.is_default, len(first.caps)) == (False, 5)
    assert AuditEntry.objects.get().note == "two a week"


def test_prices_and_the_worth_of_a_contact_are_versioned() -> None:
    made = publish_rules(
        replace(DEFAULT, prices={Channel.EMAIL: 0.002, Channel.WEB_PUSH: 0.0}, lost_contact=12.5), note="it costs",
        by=None, now=NOW,
    )  # fmt: skip
    assert (made.prices, made.lost_contact) == ({"email": 0.002}, 12.5)
    assert form_of(made).prices == {Channel.EMAIL: 0.002}
    undone = undo_publication(made.number, by=None, now=NOW)
    assert (undone.prices, undone.lost_contact) == ({}, None)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (replace(DEFAULT, caps=[CapForm(channel=None, most=0, hours=24)]), "caps"),
        (replace(DEFAULT, caps=[CapForm(channel=None, most=1, hours=25)]), "caps"),
        (replace(DEFAULT, holdout=0.51), "holdout"),
        (replace(DEFAULT, per_day=0), "per_day"),
        (replace(DEFAULT, prices={Channel.EMAIL: -0.01}), "prices"),
        (replace(DEFAULT, prices={Channel.EMAIL: 101.0}), "prices"),
        (replace(DEFAULT, lost_contact=-1.0), "lost_contact"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(form: object, field: str) -> None:
    with pytest.raises(ValidationError) as error:
        publish_rules(form, note="x", by=None, now=NOW)  # type: ignore[arg-type]
    assert list(error.value.message_dict) == [field]
    assert PressureRules.objects.count() <= 1


def test_a_new_version_needs_a_note() -> None:
    with pytest.raises(NoteNeededError):
        publish_rules(DEFAULT, note=" ", by=None, now=NOW)


def test_a_season_is_half_a_year() -> None:
    assert [season_of(datetime(2026, month, 1, tzinfo=UTC)) for month in (1, 6, 7, 12)] == [
        "2026-1", "2026-1", "2026-2", "2026-2",
    ]  # fmt: skip
