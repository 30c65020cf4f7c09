"""The page of new items: what is promised in a sentence, who waits, publishing with a note, single items, the file."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.models import AuditEntry, Item, NewItem, NewItemBudget, NewItemPromise, Placement, PlacementDay
from recommendations.promise_terms import NewItemState
from recommendations.services.promises import readiness
from recommendations.services.promises.publishing import PromiseForm, publish_promise
from recommendations.terms import Role

pytestmark = pytest.mark.django_db
PAGE = "/catalogue/new-items/"
PUBLISH, PRICE = f"{PAGE}publish/", f"{PAGE}price/"
MOST_QUERIES = 12
FIELDS = {
    "placement": "home", "based_on": "0", "gives": "on", "impressions": "30", "days": "7", "highest_share": "35",
    "new_days": "28", "needs_price": "on",
}  # fmt: skip


@pytest.fixture
def publisher(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.PUBLISHER)


@pytest.fixture
def home() -> Placement:
    return Placement.objects.get(name="home")


@pytest.fixture
def promise(home: Placement) -> NewItemPromise:
    return publish_promise(home, PromiseForm(), note="to be seen", by=None, now=timezone.now())


@pytest.fixture
def new(home: Placement, promise: NewItemPromise) -> dict[NewItemState, NewItem]:
    """An item of every state, promised three days ago where it was."""
    now, by_state = timezone.now(), {}
    for state in NewItemState:
        promised = state in {NewItemState.PROMISED, NewItemState.KEPT, NewItemState.LATE, NewItemState.STOPPED}
        over = state not in {NewItemState.WAITING, NewItemState.PROMISED}
        by_state[state] = NewItem.objects.create(
            placement=home, item=Item.objects.create(shop_id=state, title=f"Tea, {state}", price=Decimal(2)),
            state=state, promise=promise if promised else None, noted_at=now, fit=0.75,
            promised_at=now - timedelta(days=3) if promised else None, ended_at=now if over else None,
            shown=30 if state == NewItemState.KEPT else 12, clicks=2, expected=1.5 if promised else 0,
        )  # fmt: skip
    NewItemBudget.objects.create(placement=home, share=0.16, load=0.45, requests_a_day=1487, counted_until=now)
    return by_state


def words_of(client: Client, address: str, **query: str) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, address
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_before_a_promise_the_page_says_so_and_who_would_get_one(client_of: Callable[[Role], Client]) -> None:
    Item.objects.create(shop_id="a", title="Tea", price=Decimal(2))
    page = words_of(client_of(Role.VIEWER), PAGE)
    assert "“For you” promises new items nothing: they are shown where the ranking puts them." in page
    assert "1 item was listed in the last 28 days and would get a promise, or wait for one." in page
    assert "You may try numbers here; a publisher publishes them." in page


@pytest.mark.usefixtures("new")
def test_how_the_promises_go_is_seen_at_once(client_of: Callable[[Role], Client]) -> None:
    viewer = client_of(Role.VIEWER)
    page = words_of(viewer, PAGE)
    assert (
        "“For you” promises each new item 30 impressions within 7 days, in the last slot of at most 35% of its "
        "answers. 1 of 2 promises of the last 28 days were kept." in page
    )
    assert "16% of the answers show one now" in page
    assert "12 / 30" in page
    assert "1.5 expected" in page
    assert "4.0 days left" in page
    assert "Put first" not in page
    assert viewer.get(PAGE).context["figure"]


def test_what_a_placement_carries_stands_beside_what_comes(
    client_of: Callable[[Role], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "answers_a_day", lambda _placement, now: 1487.0)
    Item.objects.bulk_create(Item(shop_id=f"{number}", title="Soap", price=Decimal(2)) for number in range(14))
    page = words_of(client_of(Role.VIEWER), PAGE)
    assert "1,487 answers a day carry 17.3 new items a day at 30 impressions each; 0.5 a day come" in page


@pytest.mark.usefixtures("new")
def test_the_page_asks_little(admin: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        admin.get(PAGE)
    assert len(asked) <= MOST_QUERIES


@pytest.mark.usefixtures("new")
@pytest.mark.parametrize("state", NewItemState)
def test_items_of_a_state(admin: Client, state: NewItemState) -> None:
    rows = admin.get(PAGE, {"state": state}).context["rows"]
    assert [row.new.item.title for row in rows] == [f"Tea, {state}"]


def test_a_promise_is_published_with_a_note_and_taken_back(publisher: Client, home: Placement) -> None:
    answer = publisher.post(PUBLISH, FIELDS)
    assert answer.status_code == 422
    assert "Say why in a few words" in answer.content.decode()
    answer = publisher.post(PUBLISH, {**FIELDS, "note": "to be seen", "impressions": "40"}, follow=True)
    assert answer.redirect_chain == [(f"{PAGE}?placement=home", 302)]
    promise = NewItemPromise.objects.get()
    assert (promise.placement, promise.impressions, promise.highest_share, promise.needs_picture) == (
        home, 40, 0.35, False,
    )  # fmt: skip
    token = re.search(r'name="token" value="([^"]+)"', answer.content.decode())
    assert token
    publisher.post("/undo/", {"token": token[1]})
    assert NewItemPromise.objects.get(is_default=True).gives is False


def test_wrong_numbers_come_back_with_what_is_wrong(publisher: Client) -> None:
    answer = publisher.post(PUBLISH, {**FIELDS, "note": "x", "impressions": "0", "highest_share": "60"})
    assert answer.status_code == 422
    fields = answer.context["fields"]
    assert set(fields.errors) == {"impressions", "highest_share"}
    assert "Nothing was published." in answer.content.decode()
    assert not NewItemPromise.objects.exists()
    answer = publisher.post(PUBLISH, {**FIELDS, "note": "x", "placement": "buy_again"})
    assert answer.status_code == 422
    assert "new items have no place" in answer.content.decode()
    assert publisher.post(PUBLISH, {**FIELDS, "note": "x", "placement": "nowhere"}).status_code == 404


@pytest.mark.usefixtures("promise")
def test_what_somebody_else_published_is_not_overwritten(publisher: Client) -> None:
    answer = publisher.post(PUBLISH, {**FIELDS, "note": "mine"})
    assert answer.status_code == 409
    assert "n1 was published meanwhile" in answer.content.decode()
    assert NewItemPromise.objects.count() == 1


@pytest.mark.usefixtures("promise")
def test_an_earlier_version_fills_the_form(publisher: Client, home: Placement) -> None:
    publish_promise(home, PromiseForm(impressions=90), note="more", by=None, now=timezone.now(), based_on=1)
    assert publisher.get(PAGE).context["fields"]["impressions"].value() == 90
    answer = publisher.get(PAGE, {"like": "1"})
    assert answer.context["fields"]["impressions"].value() == 30
    assert "As in n1" in answer.content.decode()


def test_the_price_follows_the_form(client_of: Callable[[Role], Client]) -> None:
    viewer = client_of(Role.VIEWER)
    assert "it cannot be said yet" in words_of(viewer, PRICE, **FIELDS)
    for position, clicked in ((1, 90), (2, 10)):
        PlacementDay.objects.create(
            day=timezone.localdate(), placement="home", replay=False, position=position, listed=500, seen=500,
            clicked=clicked, carted=0, bought=0, purchases=0, revenue=0, squares=0,
        )  # fmt: skip
    page = words_of(viewer, PRICE, **{**FIELDS, "highest_share": "20"})
    assert "slot 2 got 10.0% of this placement's 100 clicks in 28 days" in page
    assert "it costs at most 2.00% of them" in page
    assert "As soon as the fields above are right" in words_of(viewer, PRICE, **{**FIELDS, "days": "x"})


def test_single_items_are_put_first_taken_out_and_let_in(publisher: Client, new: dict[NewItemState, NewItem]) -> None:
    waiting, open_ = new[NewItemState.WAITING], new[NewItemState.PROMISED]
    publisher.post(f"{PAGE}{waiting.pk}/", {"step": "first"})
    publisher.post(f"{PAGE}{open_.pk}/", {"step": "out"})
    answer = publisher.post(f"{PAGE}{open_.pk}/", {"step": "first"}, follow=True)
    assert "Nothing was changed: the item is in another state by now." in answer.content.decode()
    for each in (waiting, open_):
        each.refresh_from_db()
    assert (waiting.first, open_.state) == (True, NewItemState.STOPPED)
    publisher.post(f"{PAGE}{open_.pk}/", {"step": "in"})
    open_.refresh_from_db()
    assert open_.state == NewItemState.WAITING
    assert AuditEntry.objects.filter(object_type="newitem").count() == 3
    assert publisher.post(f"{PAGE}{open_.pk}/", {"step": "away"}).status_code == 404


@pytest.mark.usefixtures("new")
def test_the_file_has_what_the_page_has(admin: Client) -> None:
    answer = admin.get(PAGE, {"format": "csv", "state": "late"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["Id", "Item", "Listed", "State"]
    assert [row[1] for row in rows[1:]] == ["Tea, late"]
    assert rows[1][5:7] == ["12", "30"]


def test_without_a_placement_that_can_the_page_says_what_it_takes(admin: Client) -> None:
    Placement.objects.update(enabled=False)
    assert "No placement can show new items" in words_of(admin, PAGE)


def test_odd_addresses_are_no_fault(admin: Client, promise: NewItemPromise) -> None:
    del promise
    for query in ({"state": "x"}, {"page": "-4"}, {"like": "99999999999"}, {"placement": "nowhere"}):
        assert admin.get(PAGE, query).status_code == 200
