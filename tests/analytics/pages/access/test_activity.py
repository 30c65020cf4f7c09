"""Activity: all that was done, per object, by whom, when, and as a file."""

import csv
import re
from datetime import UTC, datetime

import pytest
from django.test import Client

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
    assert "<del>Green tea</del>" in page
    assert "<ins>Black tea</ins>" in page
    assert "Spring" in page


def test_entries_of_one_object(admin: Client, trail: Item) -> None:
    page = text(admin, f"?type=item&id={trail.pk}")
    assert "3 entries" in page
    assert "<ins>Black tea</ins>" in page
    assert "Spring" not in page


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


def test_fields_and_times_in_words(admin: Client, trail: Item) -> None:
    page = text(admin, "?type=item&verb=retire")
    assert "<dt>retired</dt>" in page  # retired_at
    assert "<ins>May 4, 2026, noon</ins>" in page


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            {"where it is used": "In a page or an app", "may": "Send events", "address": "10.0.0.7", "events": "532"},
        ),
        ("zh-hans", {"使用位置": "在页面或应用中", "权限": "发送事件", "地址": "10.0.0.7", "事件数": "532"}),
    ],
)
def test_fields_and_choices_in_the_readers_language(admin: Client, language: str, told: dict[str, str]) -> None:
    who = Staff.objects.get()
    key, _secret = keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], side=Side.PAGE, by=who)
    audit.record(by=who, verb="sign in", subject=who, after={"address": "10.0.0.7"})
    audit.record(by=who, verb="set aside", subject=Quarantine(pk=1, rule=SuspicionRule.STAFF), after={"events": 532})
    admin.cookies["django_language"] = language
    page = text(admin)
    seen = dict(re.findall(r"<dt>(.*?)</dt><dd>.*?<ins>(.*?)</ins></dd>", page))
    assert {field: seen.get(field) for field in told} == told
    assert key.name in page


def test_an_empty_trail_says_so(admin: Client) -> None:
    assert "Nothing was changed yet" in text(admin)


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
