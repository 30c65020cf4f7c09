"""Activity: all that was done, per object, by whom, when, and as a file."""

import csv
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from analytics.queries.activity_sentences import SENTENCES, names_of, sentences
from analytics.templatetags.activity import KINDS, VERBS
from recommendations.models import AuditEntry, Item, Quarantine, Staff
from recommendations.services.access import audit, keys
from recommendations.services.catalogue import editing
from recommendations.terms import Scope, Side, SuspicionRule
from tests.analytics import records

pytestmark = pytest.mark.django_db


@pytest.fixture
def trail(admin: Client) -> Item:
    """Two changes of an item by the admin, one by a command, and one of something else."""
    who, item = Staff.objects.get(), records.item("tea", title="=Tea")
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    for title in ("Green tea", "Black tea"):
        editing.update_item(item=item, changes={"title": title}, by=who, now=now)
    editing.retire(items=[item.pk], by=None, now=now)
    audit.record(by=who, verb="publish", subject=who, before={"default": 1}, after={"default": 2}, note="Spring")
    return item


def text(client: Client, query: str = "") -> str:
    answer = client.get(f"/activity/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_entries_are_newest_first(admin: Client, trail: Item) -> None:
    page = text(admin)
    assert page.index("published") < page.index("Black tea") < page.index("=Tea")
    assert "changed “title” from “Green tea” to “Black tea”" in page
    assert "raised “default” from 1 to 2" in page
    assert "Spring" in page


def test_entries_of_one_object(admin: Client, trail: Item) -> None:
    page = text(admin, f"?type=item&id={trail.pk}")
    assert "3 entries" in page
    assert "from “Green tea” to “Black tea”" in page
    assert "Spring" not in page


def test_the_agent_is_shown_with_its_rules_and_practices(admin: Client, trail: Item) -> None:
    for kind in ("agent", "agentrules", "agentpractice"):
        AuditEntry.objects.create(object_type=kind, object_id="1", verb="publish", label=f"of {kind}")
    assert "3 entries" in text(admin, "?type=agent")
    assert "1 entry" in text(admin, "?type=agentrules")
    assert "1 entry" in text(admin, "?type=agent&id=1")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?verb=publish", 1), ("?staff=0", 1), ("?q=spring", 1), ("?q=zzz", 0), ("?until=2020-01-01", 0),
        ("?from=2020-01-01", 4), ("?from=2026-02-31&verb=king&staff=me&type=nothing&page=x", 4),
        ("?type=item&verb=change", 2),
    ],
)  # fmt: skip
def test_entries_are_filtered_by_the_address(admin: Client, trail: Item, query: str, count: int) -> None:
    page = text(admin, query)
    assert f"{count} entr" in page
    assert ("Nothing matches" in page) is (count == 0)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            ["it may: Send events", "used: In a page or an app", "from the address 10.0.0.7", "set “events” to 532"],
        ),
        ("zh-hans", ["发送事件", "在页面或应用中", "来自地址 10.0.0.7", "将“事件数”设为 532"]),
    ],
)
def test_what_was_done_in_sentences_of_the_reader(admin: Client, language: str, told: list[str]) -> None:
    who = Staff.objects.get()
    key, _secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], side=Side.PAGE, by=who)
    audit.record(by=who, verb="sign in", subject=who, after={"address": "10.0.0.7"})
    audit.record(by=who, verb="set aside", subject=Quarantine(pk=1, rule=SuspicionRule.STAFF), after={"events": 532})
    admin.cookies["django_language"] = language
    page = text(admin)
    assert [words for words in told if words not in page] == []
    assert key.name in page


def done(*, verb: str, kind: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[str]:
    """Sentences of an entry with these values."""
    entry = AuditEntry(verb=verb, object_type=kind, object_id="1", before=before, after=after)
    with translation.override("en"):
        return sentences(entry, names_of([entry]))


def test_weights_are_told_recommender_by_recommender() -> None:
    before = {"weights": {"ease_home": 0.17, "buy_again": 0.83}, "diversity": 0.3}
    after = {"weights": {"ease_home": 0.42, "buy_again": 0.58}, "diversity": 0.2}
    assert done(verb="draft", kind="blendweights", before=before, after=after) == [
        "raised “Goes with purchases” from 17% to 42%",
        "lowered “Bought often” from 83% to 58%",
        "lowered “Variety” from 0.30 to 0.20",
    ]
    assert done(verb="draft", kind="blendweights", before=None, after=before) == [
        "with Bought often 83%, Variety 0.30, Goes with purchases 17% most of all"
    ]
    result = {"default": 3, "gate": "passed"}
    assert done(verb="publish", kind="blendweights", before={"default": 2}, after=result) == [
        "in place of v2", "the final check found them no less accurate"
    ]  # fmt: skip


def test_rules_are_told_as_on_their_page() -> None:
    rule = {"id": 1, "name": "Tea", "placement": "home", "segment": None, "customer": None, "context": [], "items": [],
            "starts_at": None, "ends_at": None, "action": "boost", "slot": None, "strength": 30, "most": None,
            "per": "all", "share": None}  # fmt: skip
    later = {"strength": -20, "ends_at": "2026-05-04T12:00:00+00:00"}
    assert done(verb="change", kind="rule", before={"strength": 30, "ends_at": None}, after=later) == [
        "set “Until” to May 4, 2026, noon", "lowered “Strength” from 30 to −20"
    ]  # fmt: skip
    assert done(verb="publish", kind="rule", before=None, after=rule)[0].startswith("On “For you”: boost")
    assert done(verb="reorder", kind="rule", before={"order": 3}, after={"order": 1}) == [
        "from position 3 to position 1"
    ]
    assert done(verb="publish", kind="rulebook", before={"book": 0}, after={"book": 1, "rules": ["Tea", "Wine"]}) == [
        "“Tea”, “Wine”"
    ]


def test_no_entry_is_told_in_the_form_of_a_machine() -> None:
    """Whatever is recorded, of whatever object, by whatever verb: no braces, no codes with underscores, no arrows."""
    values = {"attributes": {"bags": 20}, "tags": ["a", "b"], "retired_at": "2026-05-04T12:00:00+00:00",
              "price": "4.90", "availability": "in_stock", "personalise": True, "odd": None, "empty": []}  # fmt: skip
    others = [(kind, verb) for kind in KINDS for verb in VERBS if not {(kind, verb), (kind, "")} & SENTENCES.keys()]
    for kind, verb in others:
        for before, after in ((None, values), (values, None), ({"price": "5.90"}, values)):
            told = " ".join(done(verb=verb, kind=kind, before=before, after=after))
            assert not re.search(r"[{}\[\]→–]|\w_\w", told.replace("in_stock", "")), (kind, verb, told)


def test_an_empty_trail_says_so(admin: Client) -> None:
    assert "Nothing has been changed yet" in text(admin)


def test_the_csv_file_has_a_row_per_changed_field(admin: Client, trail: Item) -> None:
    answer = admin.get(f"/activity/?format=csv&type=item&id={trail.pk}&verb=change")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))
    assert [(row["Field"], row["Before"], row["After"]) for row in rows] == [
        ("title", "Green tea", "Black tea"),
        ("title", "'=Tea", "Green tea"),  # no formula
    ]


def test_long_values_are_cut_on_the_page_only(admin: Client) -> None:
    staff = Staff.objects.get()
    audit.record(by=staff, verb="change", subject=staff, before={"name": "a"}, after={"name": "b" * 500})
    assert "b" * 121 not in text(admin)
    assert "b" * 500 in admin.get("/activity/?format=csv").content.decode()
    assert AuditEntry.objects.count() == 1
