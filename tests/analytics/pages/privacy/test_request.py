"""A request: asked for, followed, tried again; and what is held of a customer."""

import html
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.models import AuditEntry, Customer, ModelVersion, PrivacyRequest, Run
from recommendations.privacy_terms import EraseMode, HolderCode, LiveLog, RequestKind, RequestState
from recommendations.services.privacy.holds import hold, lift_hold
from recommendations.services.privacy.sealed import PersonIds, open_sealed
from recommendations.services.privacy.work import do_request
from recommendations.store.erasure.subjects import subject_digest
from recommendations.store.jobs import finish
from recommendations.terms import Role, RunStatus, VersionStatus
from tests.analytics import records
from tests.analytics.pages.privacy.asking import ENTRY, ERASED, erased, request_in
from tests.dead_servers import dead_valkey
from tests.services.privacy.test_asked_run import run_under_way

pytestmark = pytest.mark.django_db

MOST_QUERIES = 12
NEW = "/privacy/new/"
ERASE = {"kind": "erase", "user_id": "shopper 7", "word": "ERASE"}


def text(client: Client, address: str, *, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return html.unescape(answer.content.decode())


def refused(client: Client, **sent: str) -> str:
    """The page that answers a request which is not taken."""
    answer = client.post(NEW, sent)
    assert answer.status_code == 422
    assert not PrivacyRequest.objects.exists()
    return html.unescape(answer.content.decode())


def steps(page: str) -> list[str]:
    return re.findall(r'class="step step-(\w+)"', page)


def test_an_erasure_is_asked_for_by_an_id_that_stays_in_no_address(admin: Client) -> None:
    sent = ERASE | {"anonymous_ids": "v1\n v2 \n", "mode": "block", "export_first": "on", "reference": "T-7"}
    answer = admin.post(NEW, sent)
    request = PrivacyRequest.objects.get()
    assert answer["Location"] == f"/privacy/{request.pk}/"
    assert (request.kind, request.mode, request.reference) == (RequestKind.ERASE, EraseMode.BLOCK, "T-7")
    assert bytes(request.subject) == subject_digest("shopper 7", ["v1", "v2"])
    page = text(admin, answer["Location"])
    assert "The request is taken" in page
    assert "shopper 7" not in page
    assert not AuditEntry.objects.filter(after__icontains="shopper 7").exists()


@pytest.mark.parametrize("word", ["erase", " ERASE ", "Erase", "删除"])
def test_the_word_may_be_typed_in_either_language(admin: Client, word: str) -> None:
    assert admin.post(NEW, ERASE | {"word": word}).status_code == 302


def test_nothing_is_erased_without_the_word(admin: Client) -> None:
    assert "Type “erase” to go on. Nothing was changed." in refused(admin, kind="erase", user_id="u1", word="yes")


def test_what_is_wrong_is_said_beside_its_field(admin: Client) -> None:
    assert "Type an id, here or among the anonymous ones." in refused(admin, kind="export")
    assert "Line 2 has more than 128 characters." in refused(admin, kind="export", anonymous_ids="a\n" + 129 * "b")
    many = "\n".join(map(str, range(101)))
    assert "At most 100 ids go into one request" in refused(admin, kind="export", anonymous_ids=many)
    assert "Select a valid choice" in refused(admin, kind="forget", user_id="u1")
    assert "This customer is not there any more." in refused(admin, kind="export", customer="C-0000")


def test_a_reference_is_that_of_one_request(admin: Client) -> None:
    first, second = (admin.post(NEW, {"kind": "export", "user_id": "u1", "reference": "T-7"}) for _time in range(2))
    assert first["Location"] == second["Location"]
    answer = admin.post(NEW, {"kind": "export", "user_id": "u2", "reference": "T-7"})
    assert answer.status_code == 422
    assert "Another request has this reference." in answer.content.decode()


def test_a_customer_is_asked_for_from_their_page(admin: Client) -> None:
    """By the code, as nobody there knows the id; the digest is the one that the id would give."""
    customer = records.customer("u1")
    page = text(admin, f"{NEW}?kind=erase&customer={customer.code}")
    assert f"New request for {customer.code}" in page
    assert 'name="user_id"' not in page
    admin.post(NEW, {"kind": "erase", "customer": customer.code, "word": "ERASE"})
    request = PrivacyRequest.objects.get()
    assert bytes(request.subject) == subject_digest("u1", [])
    assert request.sealed is not None
    assert open_sealed(request.sealed).keys == {customer.pk}  # type: ignore[union-attr]
    assert admin.get(f"{NEW}?customer=C-0000").status_code == 404


@override_settings(RECEIPT_KEYS=[], EXPORT_KEYS=[])
def test_without_keys_nothing_is_taken_and_the_page_says_why(admin: Client) -> None:
    assert "RECEIPT_KEYS, EXPORT_KEYS is not set" in refused(admin, **ERASE)


def test_steps_and_counts_of_an_erasure(admin: Client) -> None:
    request = erased()
    page = text(admin, f"/privacy/{request.pk}/")
    assert steps(page) == ["succeeded"] * 4 + ["queued"] * 4
    assert "sums over many people, until the next run" in page
    assert "17 of 17 places done; the scan found nothing" in page
    assert "1,214" in page
    assert "Learn without them now" in page
    assert 'hx-get="/privacy/' not in page
    closed = text(admin, f"/privacy/{erased(closed=True).pk}/")
    assert steps(closed) == ["succeeded"] * 7 + ["queued"]
    assert "Learn without them now" not in closed


@pytest.mark.parametrize(
    ("fate", "step", "words"),
    [
        (LiveLog.BEGUN, "queued", "under way"),
        (LiveLog.REWRITTEN, "succeeded", "Valkey's append-only file rewritten"),
        (LiveLog.REFUSED, "failed", "run BGREWRITEAOF there by hand"),
    ],
)
def test_the_last_step_says_what_became_of_the_append_only_file(
    admin: Client, fate: LiveLog, step: str, words: str
) -> None:
    page = text(admin, f"/privacy/{erased(closed=True, options={'live_log': fate}).pk}/")
    assert steps(page) == ["succeeded"] * 7 + [step]
    assert words in page


def test_only_who_may_is_offered_to_act(client_of: Callable[[Role], Client]) -> None:
    viewer, failed = client_of(Role.VIEWER), request_in(RequestState.FAILED)
    assert "/again/" not in text(viewer, f"/privacy/{failed.pk}/")
    assert "Learn without them now" not in text(viewer, f"/privacy/{erased().pk}/")


def test_a_run_begins_that_learns_without_them(admin: Client) -> None:
    request = erased()
    answer = admin.post(f"/privacy/{request.pk}/learn/")
    run = Run.objects.get()
    assert answer["Location"] == f"/runs/{run.pk}/"
    assert "This run learns without them" in text(admin, answer["Location"])
    page = text(admin, f"/privacy/{request.pk}/")
    assert "A run is under way that learns without them." in page
    assert f'href="/runs/{run.pk}/"' in page
    assert "Learn without them now" not in page


def test_a_run_that_read_before_the_erasure_is_named_and_another_follows(admin: Client) -> None:
    before, request = run_under_way(), erased()
    address, useless = f"/privacy/{request.pk}/", "A run is under way that read events before this erasure."
    page = text(admin, address)
    assert useless in page
    assert "Learn without them now" in page
    assert "Another begins after it." not in page
    assert admin.post(f"{address}learn/")["Location"] == address
    for page in (text(admin, address), text(admin, address)):  # first as the answer to the press
        assert f"{useless} Another begins after it." in page
        assert "Learn without them now" not in page
    finish(before, RunStatus.SUCCEEDED, now=timezone.now())
    assert "The run begins within a minute." in text(admin, address)


def test_no_run_begins_for_what_is_over(admin: Client) -> None:
    request = erased(closed=True)
    assert admin.post(f"/privacy/{request.pk}/learn/")["Location"] == f"/privacy/{request.pk}/"
    assert "No run is needed for this request" in text(admin, f"/privacy/{request.pk}/")
    assert not Run.objects.exists()


def test_what_goes_on_is_followed_until_it_is_over(admin: Client) -> None:
    request = request_in(RequestState.RUNNING, unknown_at=timezone.now(), counts={HolderCode.CONTACTS: ENTRY})
    page = text(admin, f"/privacy/{request.pk}/")
    progress = f"/privacy/{request.pk}/progress/?state=running"
    assert f'hx-get="{progress}"' in page
    assert steps(page) == ["succeeded", "succeeded", "running", *["queued"] * 5]
    assert "HX-Refresh" not in admin.get(progress)
    PrivacyRequest.objects.update(status=RunStatus.FAILED)
    assert admin.get(progress)["HX-Refresh"] == "true"


def test_a_failed_one_says_what_is_left_and_goes_on(admin: Client) -> None:
    counts = ERASED | {HolderCode.EVENTS: ENTRY | {"found": 9, "deleted": 6, "left": 3}}
    request = request_in(RequestState.FAILED, unknown_at=timezone.now(), counts=counts, message="LeftoverError: events")
    page = text(admin, f"/privacy/{request.pk}/")
    assert "The scan still found something in: Events. Try again." in page
    assert "the scan found 3 entries" in page
    admin.post(f"/privacy/{request.pk}/again/")
    request.refresh_from_db()
    assert request.unfinished
    assert "It goes on where it stopped." in text(admin, f"/privacy/{request.pk}/")
    PrivacyRequest.objects.update(status=RunStatus.RUNNING)
    admin.post(f"/privacy/{request.pk}/again/")
    assert "so there was nothing to repeat" in text(admin, f"/privacy/{request.pk}/")


def test_an_export_is_made_and_downloaded(admin: Client, client_of: Callable[[Role], Client]) -> None:
    """Of a made-up customer, as the empty page offers it."""
    admin.post(NEW, {"kind": "export", "user_id": "made-up-customer"})
    request = PrivacyRequest.objects.get()
    do_request(request.pk)
    page = text(admin, f"/privacy/{request.pk}/")
    assert steps(page) == ["succeeded"] * 3
    assert "Download the export" in page
    assert "Download the export" not in text(client_of(Role.PUBLISHER), f"/privacy/{request.pk}/")
    answer = admin.get(f"/privacy/{request.pk}/export/")
    assert answer["Content-Type"] == "application/zip"
    assert b"".join(answer).startswith(b"PK")
    PrivacyRequest.objects.update(file_until=timezone.now())
    assert admin.get(f"/privacy/{request.pk}/export/")["Location"] == f"/privacy/{request.pk}/"
    assert "There is no file, or its time is over" in text(admin, f"/privacy/{request.pk}/")


def test_a_held_one_says_so(admin: Client) -> None:
    now = timezone.now()
    lasting = hold(PersonIds(user_id="held"), reason="case", until=None, by=None, now=now)
    address = f"/privacy/{request_in(RequestState.HELD, options={'holds': [lasting.pk]}).pk}/"
    assert "A legal hold lasts for this person" in text(admin, address)
    lift_hold(lasting, reason="closed", by=None, now=now)
    assert "The legal hold is over: the erasure begins within a minute." in text(admin, address)


def test_a_model_that_learned_without_them_and_waits_is_named(admin: Client) -> None:
    """The guard held it back, so the sums stay until somebody looks, or a later model is live."""
    request = erased()
    run = run_under_way(read=False)
    ModelVersion.objects.filter(run=run).update(status=VersionStatus.READY)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED, finished_at=timezone.now())
    page = text(admin, f"/privacy/{request.pk}/")
    assert f"Model {run.model_version} learned without them, and waits for somebody to look at it." in page
    assert f'href="/runs/{run.pk}/"' in page
    assert "Learn without them now" in page
    ModelVersion.objects.filter(run=run).update(is_live=True)
    assert "waits for somebody" not in text(admin, f"/privacy/{request.pk}/")


def test_one_that_waits_for_another_says_so(admin: Client) -> None:
    other = request_in(RequestState.FAILED)
    waiting = request_in(RequestState.RECEIVED, options={"same_as": str(other.pk)})
    page = text(admin, f"/privacy/{waiting.pk}/")
    assert "Another request is erasing this person." in page
    assert f'href="/privacy/{other.pk}/"' in page
    over = erased(closed=True, options={"same_as": str(other.pk)})
    assert "its receipts say what was found" in text(admin, f"/privacy/{over.pk}/")


def test_few_queries_for_a_request(admin: Client) -> None:
    request = erased(closed=True)
    with CaptureQueriesContext(connection) as queries:
        text(admin, f"/privacy/{request.pk}/")
    assert len(queries) <= MOST_QUERIES


def test_an_unknown_request_is_not_there(admin: Client) -> None:
    page = text(admin, "/privacy/00000000-0000-0000-0000-000000000000/", status=404)
    assert 'href="/privacy/"' in page


def test_what_is_held_of_a_customer_is_counted_when_asked_for(client_of: Callable[[Role], Client]) -> None:
    viewer, customer = client_of(Role.VIEWER), records.customer("u1")
    page = text(viewer, f"/customers/{customer.code}/held/")
    assert "What an erasure would delete or change" in page
    profile = text(viewer, f"/customers/{customer.code}/")
    assert f'hx-get="/customers/{customer.code}/held/"' in profile
    assert "/privacy/new/" not in profile
    profile = text(client_of(Role.ADMIN), f"/customers/{customer.code}/")
    assert f'href="/privacy/new/?kind=erase&customer={customer.code}"' in profile


def test_what_is_held_is_counted_as_far_as_it_can_be_while_valkey_is_away(admin: Client) -> None:
    customer = records.customer("u1")
    address = f"/customers/{customer.code}/held/"
    with dead_valkey():
        page = text(admin, address)
    away = page.partition("could not be asked:")[2].partition("</p>")[0]
    assert away.startswith(" Recent acts")
    assert ">Customer record<" in page
    assert "could not be asked" not in text(admin, address)


def test_who_was_erased_is_listed_nowhere(admin: Client) -> None:
    """The row is there for a minute more; no list and no page shows it."""
    gone, here = records.customer("u1"), records.customer("u2")
    Customer.objects.filter(pk=gone.pk).update(erased_at=timezone.now(), pseudonym=b"r" * 32)
    for address in ("", "reach/", "messages/", "held/"):
        assert admin.get(f"/customers/{gone.code}/{address}").status_code == 404, address
    assert f"There is no customer “{gone.code}”" in text(admin, f"/customers/{gone.code}/", status=404)
    for address in ("/customers/", "/admin/recommendations/customer/", f"/search/palette/?recent=customer:{gone.code}"):
        assert gone.code not in text(admin, address), address
    assert here.code in text(admin, "/customers/")
    assert "Location" not in admin.get("/search/", {"q": gone.code})
