"""Catalogue and segments on the grocery after a run.

Seventy-two items of six tastes; nobody buys soaps, so the model knows sixty. No item has a picture or a description;
all have a price, a brand and a category.
"""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from analytics.pages.catalogue import health as pages
from analytics.queries.catalogue import health
from analytics.queries.catalogue.health import Age
from recommendations.models import (
    AuditEntry,
    Customer,
    Event,
    Import,
    Item,
    Promotion,
    RejectedRow,
    Segment,
)
from recommendations.services.operations.data_health import Suspect, suspects
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Availability, Role, SuspicionRule
from tests.analytics import quarantines

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

MOST_QUERIES = 12
ITEMS, KNOWN = 72, 60


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def titles(page: str) -> list[str]:
    return re.findall(r'<a href="/catalogue/\d+/">([^<]+)</a>', page)


def tea() -> Item:
    return Item.objects.get(shop_id="tea-0")


@pytest.mark.parametrize(
    "address",
    [
        "/catalogue/",
        "/catalogue/items/",
        "/catalogue/items/?flaw=never_recommended&department=FOOD+%3E+TEA&sort=title",
        "/catalogue/items/?flaw=stale_price&q=tea&sort=price",
        "/catalogue/items/?format=csv",
        "/segments/",
        "/segments/1/",
        "/segments/together/",
        "/segments/together/?q=tea&baskets=3&sort=lift",
        "/segments/together/?format=csv",
    ],
)
def test_few_queries_a_page(admin: Client, address: str) -> None:
    text(admin, address)
    with CaptureQueriesContext(connection) as queries:
        text(admin, address)
    assert len(queries) <= MOST_QUERIES, [each["sql"][:150] for each in queries]


def test_few_queries_with_new_items_pictures_and_robots(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once that the catalogue of the fixture has not."""
    Item.objects.update(image_url="https://shop.example/one.png", listed_at=timezone.now(), updated_at=timezone.now())
    robot = Suspect(customer=Customer.objects.all()[0].pk, days=1, events=912, busiest=timezone.localdate(), most=912)
    monkeypatch.setattr(pages, "suspects", lambda model: [*(suspects(model) or []), robot])
    assert all(words in text(admin, "/catalogue/") for words in ("912", "Some pictures are not shown here."))
    with CaptureQueriesContext(connection) as queries:
        text(admin, "/catalogue/")
    assert len(queries) <= MOST_QUERIES, [each["sql"][:150] for each in queries]


def test_few_queries_for_an_item(admin: Client) -> None:
    Promotion.objects.create(item=tea(), week=timezone.localdate(), display=0.5)
    address = f"/catalogue/{tea().pk}/"
    text(admin, address)
    with CaptureQueriesContext(connection) as queries:
        text(admin, address)
    assert len(queries) <= MOST_QUERIES, [each["sql"][:150] for each in queries]


def test_health_counts_what_is_missing(admin: Client) -> None:
    page = text(admin, "/catalogue/")
    assert f'<p class="tile-value">{ITEMS}</p>' in page
    assert f"knows {KNOWN}" in page
    assert "12 it cannot know" in page
    assert 'aria-label="What does “Recommended to someone” mean?"' in page  # it is not Quality's coverage
    insights = page[page.index("Fix first") : page.index("How complete it is")]
    assert 'href="/catalogue/items/?flaw=no_picture">No picture</a> <span class="quiet-text">72 items' in insights
    assert "100.0%" in insights
    assert "No price" not in insights
    assert 'href="/catalogue/items/mend/?flaw=no_picture"' in insights
    assert "Everyone acts at a human pace" in page


def test_an_edit_of_an_item_is_counted_at_once(admin: Client) -> None:
    assert 'Price</a><span class="num">100.0%' in text(admin, "/catalogue/")
    Item.objects.filter(shop_id="wine-3").update(price=None, updated_at=timezone.now())
    assert "1 item lacks it" in text(admin, "/catalogue/")


def test_items_out_of_stock_touch_the_slots_that_they_would_fill(admin: Client) -> None:
    best = titles(text(admin, "/catalogue/items/"))[0]
    Item.objects.filter(title=best).update(availability=Availability.OUT_OF_STOCK, updated_at=timezone.now())
    page = text(admin, "/catalogue/")
    row = page[page.index('flaw=out_of_stock">Out of stock') :]
    row = row[: row.index("</tr>")]
    assert "1 item" in row
    assert int(re.search(r'affected">(\d+)<br>', row).group(1)) > 0  # type: ignore[union-attr]


def test_refused_rows_are_told_with_their_remedy(admin: Client) -> None:
    source = Import.objects.create(
        kind="events", file="may.csv", rows=100, kept=90, rejected=10, reasons={"future": 8, "missing": 2}
    )
    RejectedRow.objects.create(source=source, line=3, reason="The time is ahead.")
    page = text(admin, "/catalogue/")
    assert "may.csv (Events). Mostly: The time is more than 10 minutes ahead" in page
    assert "10 of 100 rows" in page
    assert "The field is required but empty." in page
    assert f'href="/catalogue/imports/{source.pk}/#refused"' in page


def test_what_is_set_aside_is_told_with_the_data(admin: Client) -> None:
    assert "Nothing is set aside" in text(admin, "/catalogue/")
    who = Event.objects.values_list("customer", flat=True)[0]
    quarantines.of_people(SuspicionRule.PACE, [Customer.objects.get(pk=who)])
    data = text(admin, "/catalogue/").partition('id="data"')[2]
    count = Event.objects.filter(customer=who).count()
    assert f"{count} events of 1 customer are set aside, nothing is learned from them." in data
    assert 'href="/catalogue/suspicious/"' in data


def test_the_list_is_searched_filtered_and_sorted(admin: Client) -> None:
    assert titles(text(admin, "/catalogue/items/?flaw=no_events&sort=title"))[:3] == ["Soap 0", "Soap 1", "Soap 10"]
    assert titles(text(admin, "/catalogue/items/?q=wine+1&sort=-price")) == ["Wine 11", "Wine 10", "Wine 1"]
    assert titles(text(admin, "/catalogue/items/?q=tea-7")) == ["Tea 7"]
    bought = text(admin, "/catalogue/items/?sort=-bought")
    counts = [int(n) for n in re.findall(r'data-label="Bought">([\d,]+)<', bought)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]
    page = text(admin, "/catalogue/items/?q=zzzz&flaw=no_price")
    assert "No item matches" in page
    assert 'href="?flaw=no_price">“zzzz”' in page
    assert "Clear the filters" in page


def test_the_list_as_a_file(admin: Client) -> None:
    answer = admin.get("/catalogue/items/?q=wine+1&sort=price&format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    rows = answer.content.decode("utf-8-sig").splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [
        ["wine-1", "Wine 1"],
        ["wine-10", "Wine 10"],
        ["wine-11", "Wine 11"],
    ]


@pytest.mark.parametrize(
    "query",
    ["flaw=nothing", "sort=weight", "page=99", "days=-1", "q=%00", "department=%00", "days=99999999999999999999"],
)
def test_odd_parameters_show_a_page(admin: Client, query: str) -> None:
    text(admin, f"/catalogue/items/?{query}")
    text(admin, f"/segments/together/?{query}&baskets=x")


def test_an_item_lists_the_customers_who_get_it(admin: Client) -> None:
    page = text(admin, f"/catalogue/{tea().pk}/")
    assert "12 customers" in page  # of the taste; all of them buy Tea 0 now and then
    assert ">C-" in page[page.index("Who it is recommended to") :]
    assert "/rules/new/?action=boost&amp;item=tea-0" in page
    assert "The live model does not know it".lower() not in page.lower()
    neighbours = page[page.index("Bought together with it") :]
    assert {"Tea 1", "Tea 2"} <= set(titles(neighbours))


def test_an_item_tells_whom_it_suits_by_what_is_written_of_it(admin: Client) -> None:
    suits = admin.get(f"/catalogue/{tea().pk}/suits/").context
    first = Customer.objects.in_bulk(suits["suited"].customers)
    taste = {bytes(pseudonym(f"u{number}")) for number in range(3, 60, 5)}
    assert len(first) == 10
    assert {bytes(customer.pseudonym) for customer in first.values()} <= taste  # of those who drink tea
    assert suits["segments"][0][1] > 1.5
    assert [beside for _segment, beside in suits["segments"]] == sorted(
        (beside for _segment, beside in suits["segments"]), reverse=True
    )
    assert "Nobody can say yet" in text(admin, f"/catalogue/{Item.objects.create(shop_id='x', title='X').pk}/suits/")


def test_whom_it_suits_stands_on_the_page_of_what_few_have_bought(admin: Client) -> None:
    assert "Whom it suits" not in text(admin, f"/catalogue/{tea().pk}/")


def test_an_item_stands_beside_what_reads_like_it(admin: Client) -> None:
    alike = admin.get(f"/catalogue/{tea().pk}/alike/").context["alike"]
    assert alike
    assert all(each.item.title.startswith("Tea") for each in alike[:3])
    assert all(0 < each.reads <= 1 and each.item != tea() for each in alike)
    assert [each.reads for each in alike] == sorted((each.reads for each in alike), reverse=True)
    together = next(each for each in alike if each.item.title == "Tea 1")
    assert together.bought is not None
    assert 0.3 < together.bought <= 1
    soap = admin.get(f"/catalogue/{Item.objects.get(shop_id='soap-1').pk}/alike/").context["alike"]
    assert all(each.bought is None for each in soap)


def test_films_are_asked_for_what_films_have(admin: Client, settings: Settings) -> None:
    item = Item.objects.get(shop_id="tea-0")
    Item.objects.filter(pk=item.pk).update(brand="", price=None, collection="Trilogy")
    address = f"/catalogue/{item.pk}/"
    of_goods = text(admin, address)
    assert all(f"?field={field}" in of_goods for field in ("brand", "price"))
    assert "?field=duration" not in of_goods
    settings.SHOP_DOMAIN = "video"
    Item.objects.update(price=None)
    of_films = text(admin, address)
    assert not any(f"?field={field}" in of_films for field in ("brand", "price"))
    assert all(f"?field={field}" in of_films for field in ("duration", "number"))
    assert "Price history" in of_goods
    assert "Price history" not in of_films
    assert "Price unchanged for 180 days" not in text(admin, "/catalogue/")
    listed = text(admin, "/catalogue/items/")
    assert "?sort=price" not in listed
    assert 'value="no_brand"' not in listed
    edited = text(admin, f"{address}edit/")
    assert edited.index('id="work-title"') < edited.index('id="sale-title"')
    head = admin.get("/catalogue/items/?format=csv&q=tea").content.decode("utf-8-sig").splitlines()[0]
    assert head == "Id,Item,Brand,Category,Number in its collection,Duration,Availability,Listed,Bought,Slots"
    assert "Without price" not in text(admin, "/setup/your-data/")


def test_only_flaws_of_this_shop_are_offered_as_filters(admin: Client) -> None:
    page = text(admin, "/catalogue/items/")
    assert '<option value="no_price"' in page
    assert '<option value="no_duration"' not in page  # shoes need none
    assert '<option value="no_duration" selected' in text(admin, "/catalogue/items/?flaw=no_duration")


def test_an_item_that_nobody_bought_says_so(admin: Client) -> None:
    page = text(admin, f"/catalogue/{Item.objects.get(shop_id='soap-1').pk}/")
    assert "it appears only by a promise to new items, by a rule or among the newest items." in page
    assert "No event yet" in page
    assert admin.get("/catalogue/999999/").status_code == 404


def test_segments_are_described_by_their_interests(admin: Client) -> None:
    page = text(admin, "/segments/")
    assert page.count('class="card segment-card"') == Segment.objects.count() == 5
    assert 'data-figure-for="map"' in page
    assert page.count("Use in a rule") == 5
    number = next(each.number for each in Segment.objects.all() if each.top_categories[0]["name"] == "Tea")
    assert f'href="/rules/new/?segment={number}"' in page
    assert f'href="/weights/?group=segment-{number}"' in page
    one = text(admin, f"/segments/{number}/")
    assert '<th scope="row">Tea</th>' in one
    assert "Its busiest customers" in one
    assert admin.get("/segments/99/").status_code == 404


def test_a_segment_is_renamed_in_place(client_of: Callable[[Role], Client]) -> None:
    client = client_of(Role.MERCHANDISER)
    answer = client.post("/segments/1/rename/", {"name": "  Tea   people ", "back": "segments"}, follow=True)
    assert answer.redirect_chain == [("/segments/#segment-1", 302)]
    page = answer.content.decode()
    assert "is now called “Tea people”." in page
    assert ">Tea people</a>" in page
    assert AuditEntry.objects.get(verb="rename").after == {"name": "Tea people"}
    refused = client.post("/segments/2/rename/", {"name": "TEA PEOPLE", "back": "segment"})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "Another segment already has this name." in page
    assert 'value="TEA PEOPLE"' in page  # what was typed is not lost
    assert Segment.objects.get(number=2).name == ""


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CATALOGUE_ADMIN])
def test_roles_that_may_not_draft_rename_no_segment(client_of: Callable[[Role], Client], role: Role) -> None:
    client = client_of(role)
    assert client.post("/segments/1/rename/", {"name": "Mine"}).status_code == 403
    page = text(client, "/segments/")
    assert "/rename/" not in page
    assert "Use in a rule" not in page


def test_pairs_are_drawn_listed_and_filtered(admin: Client) -> None:
    page = text(admin, "/segments/together/")
    assert 'data-figure-for="network"' in page
    only = text(admin, "/segments/together/?q=wine")
    names = titles(only)
    assert names
    assert all("Wine" in one or "Wine" in other for one, other in zip(names[::2], names[1::2], strict=True))
    assert "No pair matches" in text(admin, "/segments/together/?q=zzzz")
    rows = admin.get("/segments/together/?q=wine&format=csv").content.decode("utf-8-sig").splitlines()
    assert f">{len(rows) - 1} pairs<" in only


def test_how_new_items_warm_up_needs_older_ones_beside_them(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (Age(start=0, end=7, items=items, bought=0, recommended=0, slots=0) for items in (3, 5))
    old = Age(start=182, end=None, items=5, bought=4, recommended=2, slots=9)
    for young, compared in ((few, True), (many, False)):
        monkeypatch.setattr(health, "warming", lambda _known, mark, young=young: [young, old])
        page = text(admin, "/catalogue/")
        assert ("Of the newest items" in page) == compared
        assert ("Most items are new" in page) != compared
