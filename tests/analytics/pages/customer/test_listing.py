"""Customers and the review of one of them, on a shop that the loop has really learned.

Sixty customers of five tastes (``grocery.py``), so whoever likes tea buys teas: the review shows them.
"""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recommendations.models import Customer, CustomerAlias, Event, Item, ModelVersion, Placement
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import writes
from recommendations.terms import Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

MOST_QUERIES = 12
CARD = re.compile(r'<li class="product .*?</li>\s*(?=<li class="product|</ol>)', flags=re.DOTALL)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def cards(page: str) -> list[str]:
    return CARD.findall(page)


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/?days=91",
        "/customers/",
        "/customers/?state=heavy&sort=segment",
        "/customers/?text=tea&changed=taste&sort=-events",
        "/customers/?format=csv",
        "/runs/",
        "/search/?q=Tea",
        "/quality/",
        "/quality/?task=discover&slice=segment&a=popular",
        "/quality/?slice=department",
        "/quality/?format=csv",
    ],
)
def test_few_queries_a_page(admin: Client, address: str) -> None:
    text(admin, address)
    with CaptureQueriesContext(connection) as queries:
        text(admin, address)
    assert len(queries) <= MOST_QUERIES, [each["sql"][:150] for each in queries]


@pytest.mark.parametrize("cut", ["live", "test"])
@pytest.mark.parametrize("placement", ["home", "discover", "buy_again", "item", "also_bought", "cart", "trending"])
def test_few_queries_for_a_review(admin: Client, tea_drinker: Customer, placement: str, cut: str) -> None:
    writes.rebuild()  # as a worker does where Valkey has forgotten
    address = f"/customers/{tea_drinker.code}/?placement={placement}&cut={cut}"
    text(admin, address)  # the process has read the model now
    with CaptureQueriesContext(connection) as queries:
        page = text(admin, address)
    assert len(queries) <= MOST_QUERIES
    assert cards(page)


def test_few_queries_for_a_run(admin: Client) -> None:
    run = ModelVersion.objects.get().run
    for address in (f"/runs/{run.pk}/", f"/runs/{run.pk}/progress/?at=run"):
        with CaptureQueriesContext(connection) as queries:
            text(admin, address)
        assert len(queries) <= MOST_QUERIES


def test_the_review_shows_interests_and_recommendations(admin: Client, tea_drinker: Customer) -> None:
    page = text(admin, f"/customers/{tea_drinker.code}/")
    assert f"Customer {tea_drinker.code}" in page
    assert '<th scope="row">Tea</th>' in page  # the numbers of the interests
    items = cards(page)
    assert len(items) == 20
    assert "<h3>Tea " in items[0]
    assert "Live: data up to" in page
    assert "Bought later" not in page
    first = items[0]
    assert '<ul class="reasons"><li>' in first
    assert "tile.svg" in first
    assert "Score <strong>" in first


def test_contributions_of_a_card_are_those_of_the_table(admin: Client, tea_drinker: Customer) -> None:
    """Every row of the table adds up to its score, and the bar names its largest parts."""
    page = text(admin, f"/customers/{tea_drinker.code}/")
    table = page[page.index("The numbers: what each recommender adds") :]
    rows = re.findall(r"<tr><td class=\"num\">\d+</td><th scope=\"row\">[^<]+</th>(.*?)</tr>", table)
    assert len(rows) == 20
    for row in rows:
        *parts, score = [float(value.replace("−", "-")) for value in re.findall(r">([+−]?\d+\.\d{3})<", row)]
        assert sum(parts) == pytest.approx(score, abs=0.0005 * (len(parts) + 1))


def test_the_list_as_tested_marks_items_bought_later(admin: Client, tea_drinker: Customer) -> None:
    page = text(admin, f"/customers/{tea_drinker.code}/?cut=test")
    version = ModelVersion.objects.get()
    hits = [card for card in cards(page) if "Bought later" in card]
    total = len(cards(page))
    assert f"{len(hits)} of {total} bought later" in page
    assert f"precision {round(100 * len(hits) / total)}%" in page
    titles = {re.search(r"<h3>(.*?)</h3>", card).group(1) for card in hits}
    bought = Event.objects.purchases().filter(
        customer=tea_drinker, occurred_at__gte=version.windows["cuts"]["test"], occurred_at__lt=version.windows["end"]
    )
    later = {event.item.title for event in bought.select_related("item") if event.item}
    assert titles
    assert titles <= later
    assert "Test view: data up to" in page
    assert "purchases from" in page


def test_a_cold_customer_is_told_apart(admin: Client) -> None:
    cold = Customer.objects.create(pseudonym=pseudonym("nobody yet"))
    page = text(admin, f"/customers/{cold.code}/")
    assert "Nothing known yet" in page
    assert "No event yet" in page
    assert "has no history of this customer, and nothing has come in since." in page
    assert "events below" not in page
    assert "Source: Popular items, because: Nothing known about the customer" in page
    assert cards(page)


def test_the_context_is_the_last_purchases_until_staff_choose(admin: Client, tea_drinker: Customer) -> None:
    page = text(admin, f"/customers/{tea_drinker.code}/?placement=item")
    assert page.count('class="chip-item"') == 1
    assert "the customer's last purchase" in page
    wine, bread = Item.objects.get(shop_id="wine-1"), Item.objects.get(shop_id="bread-1")
    page = text(admin, f"/customers/{tea_drinker.code}/?placement=cart&around={wine.pk}&around={bread.pk}")
    assert page.count('class="chip-item"') == 2
    assert "Wine 1</span>" in page
    assert f'name="around" value="{bread.pk}"' in page  # the next item goes in beside them
    page = text(admin, f"/customers/{tea_drinker.code}/?placement=item&around={wine.pk}&around={bread.pk}")
    assert "Bread 1</span>" in page  # a single item in view: the last one chosen
    assert "Wine 1</span>" not in page[page.index('class="context') : page.index('class="products"')]


def test_items_are_suggested_while_a_title_is_typed(admin: Client) -> None:
    part = text(admin, "/customers/items/?find=wine+1")
    assert "<html" not in part
    assert part.count("<button") == 3  # Wine 1, 10 and 11
    assert "No item has this" in text(admin, "/customers/items/?find=zzzz")
    assert text(admin, "/customers/items/?find=").strip() == ""


@pytest.mark.parametrize(
    "query",
    ["placement=nowhere", "cut=yesterday", "placement=item&around=x", "placement=cart&around=999999999", "around=%00"],
)
def test_odd_parameters_show_a_page(admin: Client, tea_drinker: Customer, query: str) -> None:
    assert admin.get(f"/customers/{tea_drinker.code}/?{query}").status_code == 200


def test_where_two_rows_differ_most_the_customer_opens_as_tested(admin: Client) -> None:
    page = text(admin, "/quality/?task=discover&a=hybrid&b=popular")
    table = page[page.index("where they differ most") :]
    links = re.findall(r'href="(/customers/C-\w+/\?placement=discover&amp;cut=test)#recommendations"', table)
    apart = [abs(float(sign.replace("−", "-"))) for sign in re.findall(r"[▲▼] ([+−][\d.]+)", table)]
    assert len(links) == 20
    assert apart == sorted(apart, reverse=True)
    assert apart[0] > 0
    assert "purchases from" in text(admin, links[0].replace("&amp;", "&"))


def test_unmeasured_rows_of_a_comparison_are_replaced_and_named(admin: Client) -> None:
    page = text(admin, "/quality/?a=nobody&b=hybrid")
    assert "“nobody” cannot be compared here" in page
    assert page.count("cannot be compared here") == 2  # the hybrid takes the first place, so it cannot be the second
    assert "“Hybrid, as served” serves" in page
    assert "cannot be compared" not in text(admin, "/quality/?a=popular&b=hybrid")


def test_a_placement_that_is_switched_off_has_no_tab(admin: Client, tea_drinker: Customer) -> None:
    Placement.objects.exclude(name="trending").update(enabled=False)
    page = text(admin, f"/customers/{tea_drinker.code}/?placement=home")
    assert "placement=home" not in page[page.index('class="tabs ') : page.index("products")]
    Placement.objects.update(enabled=False)
    assert "Every placement is switched off." in text(admin, f"/customers/{tea_drinker.code}/")


def test_a_merged_key_leads_to_its_customer(admin: Client, tea_drinker: Customer) -> None:
    anonymous = Customer.objects.create(pseudonym=pseudonym("cookie"))
    CustomerAlias.objects.create(anonymous=anonymous, customer=tea_drinker, source="api")
    assert admin.get(f"/customers/{anonymous.code}/")["Location"] == f"/customers/{tea_drinker.code}/"
    told = f"{anonymous} was merged into this customer."
    assert told in text(admin, f"/customers/{tea_drinker.code}/")
    assert told not in text(admin, f"/customers/{tea_drinker.code}/")


def test_a_random_customer_keeps_filters_and_lens(admin: Client) -> None:
    location = admin.get("/customers/random/?state=heavy&placement=discover&cut=test")["Location"]
    assert re.fullmatch(r"/customers/C-\w+/\?state=heavy&placement=discover&cut=test", location)
    assert admin.get("/customers/random/?segment=999&page=2")["Location"] == "/customers/?segment=999"


def test_filters_stand_in_the_address_and_can_be_taken_off(admin: Client) -> None:
    page = text(admin, "/customers/?state=warm&sort=number")
    assert '<option value="warm" selected>' in page
    assert 'href="?sort=number"' in page  # without the state
    assert 'aria-sort="ascending"' in page
    for segment in ("999", "abc", "9" * 30):
        page = text(admin, f"/customers/?segment={segment}")
        assert f"{segment[:20]} (no longer there)" in page
        assert "No customer matches" in page
    page = text(admin, "/customers/?state=cold&segment=1")
    assert "No customer matches" in page
    assert "Clear the filters" in page


def test_customers_are_found_by_purchases_and_next_stays_among_them(admin: Client, tea_drinker: Customer) -> None:
    page = text(admin, "/customers/?text=tea&sort=number")
    assert "<strong>12 customers</strong>" in page  # every fifth of sixty
    assert "“tea”" in page
    assert f'href="/customers/{tea_drinker.code}/?text=tea&amp;sort=number"' in page
    order = re.findall(r'<th scope="row"[^>]*><a href="/customers/(C-\w+)/', page)
    assert order == sorted(order)
    page = text(admin, f"/customers/{order[0]}/?text=tea&sort=number")
    assert "1 of 12" in page
    assert f'rel="next" href="/customers/{order[1]}/?text=tea&amp;sort=number"' in page
    assert 'rel="prev"' not in page
    assert 'href="/customers/random/?text=tea&amp;sort=number&amp;state=cold"' in page
    assert "Browsing:" in page
    assert "Not among:" in text(admin, f"/customers/{tea_drinker.code}/?text=wine")


def test_most_changed_opens_the_largest_shift_of_taste(admin: Client) -> None:
    location = admin.get("/customers/most-changed/?state=warm")["Location"]
    assert re.fullmatch(r"/customers/C-\w+/\?state=warm&sort=-change", location)
    page = text(admin, location)
    assert "1 of " in page
    assert 'rel="prev"' not in page


def test_the_list_as_a_file(admin: Client) -> None:
    answer = admin.get("/customers/?format=csv&text=tea&sort=number")
    head, *rows = answer.content.decode("utf-8-sig").splitlines()
    assert head == "Customer,State,Activity,Events,Most recent event,New this week,Share gained,Segment"
    assert len(rows) == 12
    codes = [row.split(",")[0] for row in rows]
    assert codes == sorted(set(codes))
    assert answer["Content-Disposition"] == 'attachment; filename="customers.csv"'


def test_every_header_sorts_and_the_next_click_runs_the_order_round(admin: Client) -> None:
    page = text(admin, "/customers/?state=warm")
    heads = re.findall(r'<th scope="col"[^>]*><a href="(\?[^"]+)"', page)
    assert [head.rpartition("sort=")[2] for head in heads] == [
        "number", "activity", "-events", "-last", "-change", "segment",
    ]  # fmt: skip
    for head in heads:
        address = "/customers/" + head.replace("&amp;", "&")
        assert "state=warm" in address
        assert text(admin, address).count("aria-sort=") == 1
    assert "sort=events" in text(admin, "/customers/?sort=-events")


def test_one_customer_found_is_opened_at_once(admin: Client, tea_drinker: Customer) -> None:
    assert admin.get("/search/", {"q": "u3"})["Location"] == f"/customers/{tea_drinker.code}/"
    page = text(admin, "/search/?q=tea")
    assert page.count('class="with-thumb"') == 12
    assert "Nothing matches" in text(admin, "/search/?q=zzzz")
    assert "Type what you are looking for" in text(admin, "/search/?q=+")


def test_items_found_by_the_search_box_lead_to_their_pages(client_of: Callable[[Role], Client]) -> None:
    """Staff who may not open the admin also want to see who gets an item; its page leads on to the admin."""
    merchandiser, teas = client_of(Role.MERCHANDISER), Item.objects.filter(title__startswith="Tea")
    page = text(merchandiser, "/search/?q=tea")
    assert all(f'href="/catalogue/{tea.pk}/"' in page for tea in teas)
    tea = teas[0]
    assert merchandiser.get("/search/", {"q": tea.shop_id})["Location"] == f"/catalogue/{tea.pk}/"
