"""The promotion plan in the admin: shares edited in the list, weeks added, weeks and items found."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate

from recommendations.models import AuditEntry, Item, Promotion
from recommendations.terms import Role

pytestmark = pytest.mark.django_db
LIST = reverse("admin:recommendations_promotion_changelist")
ADD = reverse("admin:recommendations_promotion_add")
WEEK = timedelta(days=7)


def plan(*, weeks: int = 2) -> list[Promotion]:
    """Tea and milk, from last week on: a third of the stores display them, a quarter has them in its leaflet."""
    items = [Item.objects.create(shop_id=f"A{n}", title=title) for n, title in enumerate(("Green tea", "Milk"))]
    first = localdate() - 2 * WEEK
    return Promotion.objects.bulk_create(
        Promotion(item=item, week=first + number * WEEK, display=1 / 3, mailer=0.25)
        for item in items
        for number in range(weeks)
    )


def listed(client: Client, **parameters: Any) -> list[tuple[str, date]]:
    answer = client.get(LIST, parameters)
    assert answer.status_code == 200
    return [(row.item.shop_id, row.week) for row in answer.context["cl"].result_list]


def save_list(client: Client, changes: dict[int, dict[str, str]]) -> HttpResponse:
    """Post the list as the browser does: every row as it is shown, with some values changed."""
    formset = client.get(LIST).context["cl"].formset
    form: dict[str, Any] = {"form-TOTAL_FORMS": len(formset), "form-INITIAL_FORMS": len(formset), "_save": "Save"}
    for row in formset:
        values = {"id": row.instance.pk, "display": row["display"].value(), "mailer": row["mailer"].value()}
        form |= {f"{row.prefix}-{name}": value for name, value in (values | changes.get(row.instance.pk, {})).items()}
    return client.post(LIST, form)


def test_shares_are_edited_in_the_list_in_per_cent(admin: Client) -> None:
    first, other, *_ = plan()
    assert save_list(admin, {first.pk: {"mailer": "50"}, other.pk: {"display": "", "mailer": "100"}}).status_code == 302
    assert list(Promotion.objects.order_by("pk").values_list("display", "mailer")) == [
        (1 / 3, 0.5), (0, 1), (1 / 3, 0.25), (1 / 3, 0.25)
    ]  # fmt: skip
    entries = AuditEntry.objects.order_by("pk").values_list("object_id", "staff__email", "label", "before", "after")
    assert sorted(entries) == [
        (str(first.pk), "admin@example.com", f"Green tea, {first.week}", {"mailer": 0.25}, {"mailer": 0.5}),
        (str(other.pk), "admin@example.com", f"Green tea, {other.week}", {"display": 1 / 3, "mailer": 0.25},
         {"display": 0, "mailer": 1}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("101", "Ensure this value is less than or equal to 100."),
        ("-1", "Ensure this value is greater than or equal to 0."),
        ("nan", "Enter a number."),
        ("many", "Enter a number."),
    ],
)
def test_an_impossible_share_is_refused_at_its_field(admin: Client, typed: str, words: str) -> None:
    first, *_ = plan()
    answer = save_list(admin, {first.pk: {"mailer": typed}})
    assert answer.status_code == 200
    assert [form.errors for form in answer.context["cl"].formset if form.errors] == [{"mailer": [words]}]
    assert not AuditEntry.objects.exists()


def test_a_week_of_an_item_is_added_once_and_on_the_shop_s_weekday(admin: Client) -> None:
    first, *_ = plan()
    week = localdate() + 3 * WEEK
    form = {"item": first.item.pk, "week": week.isoformat(), "display": "", "mailer": "12.5"}
    assert admin.post(ADD, form).status_code == 302
    promotion = Promotion.objects.get(week=week)
    assert (promotion.item, promotion.display, promotion.mailer) == (first.item, 0, 0.125)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.object_id) == ("plan", str(promotion.pk))
    assert entry.after == {"week": week.isoformat(), "display": 0, "mailer": 0.125}
    again = admin.post(ADD, form)
    assert again.context["adminform"].form.errors == {"__all__": ["Promotion with this Item and Week already exists."]}
    assert Promotion.objects.filter(week=week).count() == 1
    wrong = admin.post(ADD, form | {"week": (week + timedelta(days=1)).isoformat()})
    assert wrong.context["adminform"].form.errors == {
        "week": [f"The shop's promotion weeks start on a {week:%A}; enter the date of that day."]
    }


def test_a_promotion_is_edited_on_its_page(admin: Client) -> None:
    first, *_ = plan()
    address = reverse("admin:recommendations_promotion_change", args=[first.pk])
    page = admin.get(address).content.decode()
    assert 'value="33.3"' in page
    assert admin.post(address, {"display": "33.3", "mailer": "0", "week": "2000-01-01"}).status_code == 302
    first.refresh_from_db()
    assert (first.display, first.mailer, first.week) == (1 / 3, 0, localdate() - 2 * WEEK)
    assert AuditEntry.objects.get().after == {"mailer": 0}


def test_newest_weeks_come_first_and_are_chosen_or_searched(admin: Client) -> None:
    plan(weeks=4)
    last, this, soon = (localdate() + number * WEEK for number in (-1, 0, 1))
    assert listed(admin)[:3] == [("A0", soon), ("A1", soon), ("A0", this)]
    assert listed(admin, week=this.isoformat()) == [("A0", this), ("A1", this)]
    assert {week for _, week in listed(admin, week="plan")} == {this, soon}
    assert listed(admin, week="soon") == []
    assert {name for name, _ in listed(admin, q="tea")} == {"A0"}
    assert listed(admin, q="A1", week=last.isoformat()) == [("A1", last)]
    assert listed(admin, q="%") == []


def test_the_list_costs_the_same_however_long_it_is(admin: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            listed(admin)
        return len(captured)

    plan()
    few = queries()
    items = Item.objects.bulk_create(Item(shop_id=f"B{n}", title="Boot") for n in range(60))
    Promotion.objects.bulk_create(Promotion(item=item, week=localdate() - WEEK, mailer=1) for item in items)
    assert queries() == few


def test_the_item_s_page_shows_what_is_to_come(admin: Client) -> None:
    first, *_ = plan(weeks=4)
    page = admin.get(reverse("admin:recommendations_item_change", args=[first.item.pk])).content.decode()
    assert page.count("display 33.3 %, leaflet 25.0 %") == 2


@pytest.mark.parametrize("role", [Role.CATALOGUE_ADMIN, Role.MERCHANDISER])
def test_only_roles_of_the_catalogue_plan_promotions(signed_in: Callable[[Role], Client], role: Role) -> None:
    first, *_ = plan()
    form = {"item": first.item.pk, "week": (localdate() + 3 * WEEK).isoformat(), "display": "1", "mailer": "1"}
    allowed = role is Role.CATALOGUE_ADMIN
    signed_in(role).post(ADD, form)
    assert Promotion.objects.count() == 4 + allowed
