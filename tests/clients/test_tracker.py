"""The JavaScript tracker in a real browser, against the real API: small, each event once, nothing kept unasked."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from recommendations.ingest.proofs import prove
from recommendations.models import Customer, CustomerAlias, Event
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind
from tests.clients.conftest import Pages, Recsite

pytestmark = pytest.mark.django_db

CSP = "default-src 'none'; script-src 'self'"
TILES = "".join(f'<a href="/shop/next.html" data-item-id="SKU{number}">{number}</a> ' for number in range(3))
SLOT = f'<section data-recsite-slot="home" data-recommendation-id="r-1">{TILES}</section>'
PAGE = (
    '<!doctype html><html lang="en"><head><title>A shop</title>{script}</head>'
    '<body><p class="space"></p>{body}</body></html>'
)

type Open = Callable[..., None]


@pytest.fixture
def sent(page: Page) -> list[dict[str, Any]]:
    """Every event that left the page, in order, beacons and repeats included."""
    rows: list[dict[str, Any]] = []

    def look(request: Request) -> None:
        if request.url.endswith("/events/") and request.method == "POST" and request.post_data:
            rows.extend(json.loads(request.post_data)["events"])

    page.context.on("request", look)
    return rows


@pytest.fixture
def open_page(page: Page, pages: Pages, recsite: Recsite) -> Open:
    """Open a page of the shop with ``body``; the tracker begins with ``options``, its events meet ``answer``."""
    pages.policy = f"{CSP}; connect-src {recsite.url}"
    page.add_init_script("window.violations = []; document.addEventListener('securitypolicyviolation',"
                         " (event) => window.violations.push(event.violatedDirective));")  # fmt: skip

    def show(
        *,
        body: str = "",
        script: str = '<script src="/shop/recsite.js"></script>',
        answer: Callable[[Route], object] | None = None,
        **options: Any,
    ) -> None:
        pages.body = PAGE.format(script=script, body=body)
        page.unroute_all()
        if answer:
            page.route("**/api/v1/events/", answer)
        page.goto(f"{pages.url}/shop/index.html")
        page.evaluate("(options) => recsite.init(options)", {"url": recsite.url, "key": recsite.browser_key} | options)

    return show


def until(page: Page, condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait while the browser goes on; a sleep of ours would hold its requests."""
    for _ in range(round(20 * seconds)):
        if condition():
            return
        page.wait_for_timeout(50)
    assert condition()


def stored(page: Page, anonymous_id: str, count: int) -> list[Event]:
    """The visitor's events in the record, once there are so many."""

    def found() -> list[Event]:
        key = pseudonym(anonymous_id, kind=CustomerKind.ANONYMOUS)
        return list(Event.objects.filter(customer__pseudonym=key).order_by("occurred_at"))

    until(page, lambda: len(found()) >= count, 15)
    return found()


def row_of(page: Page, sent: list[Any], number: int) -> dict[str, Any]:
    """The event that left as the so-manieth, once it did."""
    until(page, lambda: len(sent) >= number)
    return dict(sent[number - 1])


def queued(page: Page) -> int:
    return int(page.evaluate("(JSON.parse(localStorage.getItem('recsite'))?.queue ?? []).length"))


@pytest.mark.parametrize("kind", ["", 'type="module" '])
def test_an_event_is_in_the_record_as_it_was_sent(page: Page, open_page: Open, sent: list[Any], kind: str) -> None:
    visitor = f"a-{len(kind)}"
    open_page(anonymous_id=visitor, session_id="s1", script=f'<script {kind}src="/shop/recsite.js"></script>')
    page.evaluate("recsite.addToCart('SKU1', {quantity: 2, price: '1.00'}, {recommendation_id: 'r-9'})")
    [event] = stored(page, visitor, 1)
    assert (event.name, event.quantity, str(event.price), event.session_id) == ("add_to_cart", 2, "1.00", "s1")
    assert (str(event.event_id), event.recommendation_id) == (row_of(page, sent, 1)["event_id"], "r-9")
    assert page.evaluate("window.violations") == []


def test_events_go_in_batches(page: Page, open_page: Open, sent: list[Any]) -> None:
    open_page(anonymous_id="batch")
    with page.expect_request("**/api/v1/events/") as first:
        page.evaluate("for (let number = 0; number < 30; number++) recsite.viewItem(`SKU${number}`)")
    assert len(json.loads(first.value.post_data or "")["events"]) == 30
    assert len(stored(page, "batch", 30)) == 30


def test_a_server_that_is_busy_gets_the_same_event_later(page: Page, open_page: Open, sent: list[Any]) -> None:
    answers = [503, 429]
    times: list[float] = []

    def fail(route: Route) -> None:
        times.append(page.evaluate("Date.now()"))
        if answers:
            shared = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
            route.fulfill(status=answers.pop(0), headers={"Retry-After": "1", **shared}, body="{}")
        else:
            route.continue_()

    open_page(anonymous_id="busy", answer=fail)
    page.evaluate("recsite.viewItem('SKU1')")
    assert len(stored(page, "busy", 1)) == 1
    row_of(page, sent, 3)
    assert len(sent) == 3
    assert len({(row["event_id"], row["timestamp"]) for row in sent}) == 1
    assert all(later - earlier >= 950 for earlier, later in itertools.pairwise(times))


def test_events_made_offline_are_sent_later(page: Page, open_page: Open, context: BrowserContext) -> None:
    open_page(anonymous_id="tunnel", consent=True)
    context.set_offline(True)
    page.evaluate("for (let number = 0; number < 3; number++) recsite.viewItem(`SKU${number}`)")
    page.wait_for_timeout(400)
    assert queued(page) == 3
    context.set_offline(False)
    assert len(stored(page, "tunnel", 3)) == 3
    until(page, lambda: queued(page) == 0)


def test_the_next_page_sends_the_queue_of_the_last_one(page: Page, open_page: Open) -> None:
    open_page(anonymous_id="heir", consent=True)
    page.route("**/api/v1/events/", lambda route: route.abort())
    page.evaluate("recsite.viewItem('SKU1')")
    open_page(anonymous_id="heir", consent=True)
    assert len(stored(page, "heir", 1)) == 1
    until(page, lambda: queued(page) == 0)


def test_the_queue_is_bounded(page: Page, open_page: Open) -> None:
    open_page(anonymous_id="bound", consent=True, answer=lambda route: route.abort())
    page.evaluate("for (let number = 0; number < 300; number++) recsite.search(`word ${number}`)")
    assert queued(page) == 200
    assert page.evaluate("JSON.parse(localStorage.getItem('recsite')).queue[199].search_term") == "word 299"


def test_an_event_outlives_the_page(page: Page, open_page: Open) -> None:
    open_page(anonymous_id="leaver")
    page.evaluate("recsite.viewItem('SKU1'); location.assign('/shop/next.html')")
    page.wait_for_url("**/next.html")
    assert len(stored(page, "leaver", 1)) == 1


@pytest.mark.parametrize("consent", [False, True])
def test_the_last_events_of_a_page_are_a_beacon(page: Page, open_page: Open, consent: bool) -> None:
    """A beacon has no answer, so where the queue is kept the next page repeats it; the record has it once."""
    visitor, options = f"beacon-{consent}", {"consent": True} if consent else {}
    open_page(anonymous_id=visitor, **options)
    with page.expect_request("**/api/v1/events/") as first:
        page.evaluate("recsite.viewItem('SKU1'); dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert (first.value.resource_type, first.value.headers.get("authorization")) == ("ping", None)
    stored(page, visitor, 1)
    assert queued(page) == (1 if consent else 0)
    open_page(anonymous_id=visitor, **options)
    until(page, lambda: queued(page) == 0)
    page.evaluate("recsite.viewItem('SKU2')")
    assert len(stored(page, visitor, 2)) == 2


def test_a_rejected_event_is_dropped_and_its_neighbours_are_not(page: Page, open_page: Open, sent: list[Any]) -> None:
    open_page(anonymous_id="mixed", consent=True)
    page.evaluate("recsite.viewItem('SKU1'); recsite.track('buy'); recsite.viewItem('GONE'); recsite.viewItem('SKU2')")
    assert len(stored(page, "mixed", 2)) == 2
    until(page, lambda: queued(page) == 0)
    page.evaluate("recsite.track('buy')")  # alone: the answer is 400
    until(page, lambda: queued(page) == 0)
    assert len(sent) == 5


def test_a_slate_is_seen_once_and_a_click_says_where(page: Page, open_page: Open, sent: list[Any]) -> None:
    open_page(body=SLOT, anonymous_id="eyes")
    stored(page, "eyes", 3)
    page.evaluate("recsite.watch()")
    page.get_by_role("link", name="2").click()
    page.wait_for_url("**/next.html")
    rows = stored(page, "eyes", 4)
    assert [row.name for row in rows] == ["view_item_list"] * 3 + ["select_item"]
    assert sorted((row.item.shop_id, row.position) for row in rows[:3] if row.item) == [
        ("SKU0", 1), ("SKU1", 2), ("SKU2", 3),
    ]  # fmt: skip
    assert (rows[3].item.shop_id if rows[3].item else "", rows[3].position) == ("SKU2", 3)
    assert {row.recommendation_id for row in rows} == {"r-1"}
    assert len([row for row in sent if row["name"] == "view_item_list"]) == 1


def test_a_slate_out_of_view_is_not_reported_as_seen(page: Page, open_page: Open, sent: list[Any]) -> None:
    open_page(body="<br>" * 200 + SLOT, anonymous_id="blind")
    page.wait_for_timeout(300)
    assert sent == []
    page.get_by_role("link", name="0").scroll_into_view_if_needed()
    stored(page, "blind", 3)


def test_nothing_is_kept_without_consent(page: Page, open_page: Open, context: BrowserContext, sent: list[Any]) -> None:
    open_page()
    page.evaluate("recsite.viewItem('SKU1')")
    first = row_of(page, sent, 1)
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert context.cookies() == []
    open_page()
    page.evaluate("recsite.viewItem('SKU1')")
    assert row_of(page, sent, 2)["anonymous_id"] != first["anonymous_id"]
    assert "session_id" not in first


def test_consent_is_kept_and_can_be_taken_back(page: Page, open_page: Open, sent: list[Any]) -> None:
    open_page()
    page.evaluate("recsite.consent(true); recsite.viewItem('SKU1')")
    given = row_of(page, sent, 1)
    assert given["consent"] == {"personalisation": True}
    visitor = given["anonymous_id"]
    until(page, lambda: queued(page) == 0)
    open_page(consent=True)
    page.evaluate("recsite.viewItem('SKU2')")
    again = row_of(page, sent, 2)
    assert (again["anonymous_id"], again["session_id"]) == (visitor, given["session_id"])
    assert "consent" not in again
    stored(page, visitor, 2)

    page.evaluate("recsite.consent(false)")
    objection = row_of(page, sent, 3)
    assert (objection["anonymous_id"], objection["consent"]) == (visitor, {"personalisation": False})
    assert page.evaluate("localStorage.length") == 0
    key = pseudonym(visitor, kind=CustomerKind.ANONYMOUS)
    until(page, lambda: Customer.objects.get(pseudonym=key).personalise is False)
    page.evaluate("recsite.viewItem('SKU3')")
    after = row_of(page, sent, 4)
    assert after["consent"] == {"personalisation": False}
    assert "anonymous_id" not in after
    assert page.evaluate("localStorage.length") == 0
    assert len(stored(page, visitor, 2)) == 2


def test_a_consent_mode_grants_what_it_names(page: Page, open_page: Open, sent: list[Any]) -> None:
    denied = {"personalization_storage": "denied", "ad_personalization": "granted"}
    open_page(consent=denied)
    page.evaluate("recsite.viewItem('SKU1')")
    nameless = row_of(page, sent, 1)
    assert {*nameless} & {"anonymous_id", "session_id"} == set()
    assert page.evaluate("localStorage.length") == 0
    page.evaluate("recsite.consent({ ad_personalization: 'granted', analytics_storage: 'denied' })")
    page.evaluate("recsite.viewItem('SKU2')")
    named = row_of(page, sent, 2)
    assert named["consent"] == {"personalisation": True, "measure": False}
    assert named["anonymous_id"]
    page.evaluate("recsite.viewItem('SKU3')")
    assert "consent" not in row_of(page, sent, 3)


def test_a_consent_mode_holds_from_the_first_event_of_a_page(page: Page, open_page: Open, sent: list[Any]) -> None:
    known = {"personalization_storage": "granted"}
    open_page(anonymous_id="unmeasured", consent={**known, "analytics_storage": "denied"})
    page.evaluate("recsite.viewItem('SKU1'); recsite.viewItem('SKU2')")
    assert row_of(page, sent, 2).get("consent") is None
    assert sent[0]["consent"] == {"measure": False}
    key = pseudonym("unmeasured", kind=CustomerKind.ANONYMOUS)
    until(page, Customer.objects.filter(pseudonym=key, personalise=True, measure=False).exists)
    until(page, lambda: queued(page) == 0)
    open_page(anonymous_id="unmeasured", consent={**known, "analytics_storage": "granted"})
    page.evaluate("recsite.viewItem('SKU3')")
    assert row_of(page, sent, 3)["consent"] == {"measure": True}
    until(page, Customer.objects.filter(pseudonym=key, measure=True).exists)


def test_signing_in_joins_the_visitor(page: Page, open_page: Open, sent: list[Any]) -> None:
    open_page(consent=True)
    page.evaluate("recsite.viewItem('SKU1')")
    anonymous = row_of(page, sent, 1)["anonymous_id"]
    proof = prove(user_id="u-77", anonymous_id=anonymous, now=timezone.now())
    page.evaluate("(proof) => { recsite.identify('u-77', proof); recsite.viewItem('SKU2') }", proof.text)
    row_of(page, sent, 2)
    assert [row.get("user_id") for row in sent] == [None, "u-77"]
    assert sent[1]["anonymous_id"] == anonymous
    joined = CustomerAlias.objects.filter(
        anonymous__pseudonym=pseudonym(anonymous, kind=CustomerKind.ANONYMOUS),
        customer__pseudonym=pseudonym("u-77"),
    )
    until(page, joined.exists)
    page.evaluate("recsite.identify(); recsite.viewItem('SKU3')")
    last = row_of(page, sent, 3)
    assert "user_id" not in last
    assert last["anonymous_id"] != anonymous


def test_broken_storage_does_not_stop_the_tracker(page: Page, open_page: Open) -> None:
    page.add_init_script("localStorage.setItem('recsite', '{')")
    open_page(anonymous_id="torn", consent=True)
    page.evaluate("recsite.viewItem('SKU1')")
    assert len(stored(page, "torn", 1)) == 1
    expect(page).to_have_title("A shop")
