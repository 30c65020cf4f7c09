"""Starting, following, cancelling and resuming a run from its page."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.models import Artefact, AuditEntry, BlendWeights, ModelVersion, Run, RunLogLine, RunStage
from recommendations.store.models.event_points import event_points
from recommendations.terms import Role, RunStatus, Stage
from tests.analytics import records

pytestmark = pytest.mark.django_db


def text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_starting_leads_to_the_run_that_waits(
    admin: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        answer = admin.post("/runs/start/")
    run = Run.objects.get()
    assert answer["Location"] == f"/runs/{run.pk}/"
    assert len(callbacks) == 1  # the worker is told after the commit
    page = text(admin, f"/runs/{run.pk}/")
    assert "Waiting for a worker." in page
    assert "The run has started." in page
    assert AuditEntry.objects.get().staff == run.started_by
    assert admin.post("/runs/start/")["Location"] == f"/runs/{run.pk}/"  # the second press starts nothing
    assert Run.objects.count() == 1
    assert "A run is already in progress" in text(admin, "/runs/")


def test_progress_is_asked_for_only_while_the_run_goes_on(admin: Client) -> None:
    going = records.run(status=RunStatus.RUNNING, done=4, progress=0.5)
    RunLogLine.objects.create(run=going, text="tuning: 24 recommenders")
    address = reverse("run_progress", args=[going.pk])
    for page in ("/runs/", f"/runs/{going.pk}/"):
        assert f'hx-get="{address}?at=' in text(admin, page)
        assert 'hx-trigger="every 2s"' in text(admin, page)
    answer = admin.get(f"{address}?at=run")
    part = answer.content.decode()
    assert "<html" not in part
    assert 'role="status">Running: Recommend · Test' in part
    assert 'value="50"' in part
    assert "tuning: 24 recommenders" in part
    assert "HX-Refresh" not in answer
    Run.objects.filter(pk=going.pk).update(status=RunStatus.SUCCEEDED, finished_at=records.NOW)
    answer = admin.get(address)
    assert answer["HX-Refresh"] == "true"
    assert "hx-get" not in answer.content.decode()
    assert address not in text(admin, f"/runs/{going.pk}/")


def test_a_large_shop_s_run_tells_how_far_the_lists_are_and_what_their_parts_took(admin: Client) -> None:
    going = records.run(status=RunStatus.RUNNING, done=4, progress=0.5)
    running = going.stages.filter(status=RunStatus.RUNNING)
    running.update(counts={"now": {"parts": 412, "of": 977, "a_second": 81.2, "left": 1_520.0}})
    part = text(admin, f"/runs/{going.pk}/")
    said = "Customers' lists: 412 of 977 parts · 81 customers a second · about 25 min 20 s left"
    assert f'<p class="note">{said}</p>' in unescape(part)  # which a telephone breaks into lines
    running.update(counts={"now": {"parts": 0, "of": 977}})
    part = text(admin, f"/runs/{going.pk}/")
    assert "Customers' lists: 0 of 977 parts" in unescape(part)
    assert "left" not in unescape(part).partition("0 of 977 parts")[2].partition("</p>")[0]
    counts = {"parts": 271, "parts_again": 2, "part_cpu_seconds": {"all": 5_400.0}, "part_skew": 1.8}
    going.stages.filter(position=4).update(counts=counts)
    going.stages.filter(position=5).update(counts={"now": {"parts": 412, "of": 977}})
    Run.objects.filter(pk=going.pk).update(status=RunStatus.CANCELLED, finished_at=records.NOW)
    page = re.sub(r"</?(strong|li)>", "", unescape(text(admin, f"/runs/{going.pk}/")))
    assert "271 parts of the work2 parts begun more than once1 h 30 min of processor time for the parts" in page
    assert "1.8 times the mean time, for the longest part" in page
    assert "412 / 977 parts of the customers' lists made so far" in page
    going.stages.filter(position=4).update(counts=counts | {"parts_again": 0})
    assert "begun more than once" not in text(admin, f"/runs/{going.pk}/")
    for hosts, machines in ((1, "1 machine "), (12, "12 machines ")):
        elsewhere = {"part_place": "Spark at spark:15002", "part_hosts": hosts}
        going.stages.filter(position=4).update(counts=counts | elsewhere)
        page = re.sub(r"</?(strong|li)>", "", unescape(text(admin, f"/runs/{going.pk}/")))
        assert f"Spark at spark:15002 did the parts{machines}had a share in them" in page


def test_a_language_is_chosen_on_the_pages_of_runs_and_leads_back_to_them(admin: Client) -> None:
    for address in ("/runs/", f"/runs/{records.run().pk}/"):
        assert re.findall(r'name="next" value="([^"]*)"', text(admin, address)) == [address]


def test_cancel_names_its_effect_and_asks_first(admin: Client) -> None:
    going = records.run(status=RunStatus.RUNNING, done=3)
    page = text(admin, f"/runs/{going.pk}/")
    assert '<dialog id="cancel"' in page
    assert "what is live stays live" in page
    assert admin.post(f"/runs/{going.pk}/cancel/")["Location"] == f"/runs/{going.pk}/"
    going.refresh_from_db()
    assert going.cancel_requested_at is not None
    assert "Cancelling: the run stops at the next opportunity." in text(admin, f"/runs/{going.pk}/")
    admin.post(f"/runs/{going.pk}/cancel/")
    assert "nothing to cancel" in text(admin, f"/runs/{going.pk}/")


def test_a_failed_run_says_why_and_can_be_resumed(
    admin: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    failed = records.run(status=RunStatus.FAILED, done=2, message="There are no <b>events</b> yet.")
    page = text(admin, f"/runs/{failed.pk}/")
    assert "There are no &lt;b&gt;events&lt;/b&gt; yet." in page
    assert "What is live was not touched." in page
    with django_capture_on_commit_callbacks():
        admin.post(f"/runs/{failed.pk}/resume/")
    failed.refresh_from_db()
    assert failed.status == RunStatus.QUEUED
    assert "The run continues after its last finished stage." in text(admin, f"/runs/{failed.pk}/")
    with django_capture_on_commit_callbacks():
        admin.post(f"/runs/{failed.pk}/resume/")
    assert "nothing to resume" in text(admin, f"/runs/{failed.pk}/")


def test_a_cancelled_run_says_who_cancelled_it_what_stays_live_and_what_it_never_reached(
    admin: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    live = records.version(records.run(created=records.NOW - timedelta(days=1)))
    run = records.run(status=RunStatus.QUEUED, done=2)
    records.version(run, live=False)
    admin.post(f"/runs/{run.pk}/cancel/")
    page = text(admin, f"/runs/{run.pk}/")
    by = AuditEntry.objects.get(verb="cancel").staff
    assert f"Cancelled by {by} after 2 of 8 stages. Model {live} stays live." in page
    assert "Nothing rose" not in page
    stages = page.partition('id="stages-title"')[2].partition("</section>")[0]
    assert stages.count("Not reached") == 6
    assert "Waiting" not in stages
    strip = text(admin, "/runs/").partition('id="loop-title"')[2].partition("</section>")[0]
    assert strip.count("Not reached") == 2 * 4
    assert "Waiting" not in strip
    assert f'action="/runs/{run.pk}/resume/"' in text(admin, "/runs/")
    AuditEntry.objects.update(staff=None)
    ModelVersion.objects.update(is_live=False)
    assert "Cancelled after 2 of 8 stages. No model is live yet." in text(admin, f"/runs/{run.pk}/")


def test_a_finished_run_says_why_its_model_is_live_and_what_became_of_the_weights(admin: Client) -> None:
    first, second = records.run(created=records.NOW - timedelta(days=1)), records.run()
    m1, m2 = records.version(first, live=False), records.version(second)
    records.published("home")
    adjusts = RunStage.objects.filter(stage=Stage.ADJUST)
    adjusts.filter(run=first).update(counts={"home_weights": 1, "discover_weights": None})
    page = text(admin, f"/runs/{first.pk}/")
    assert f"Model {m1} went live as the first one, so there was nothing to compare it with." in page
    assert "Weights of For you: v1, tuned by this run, was published." in page
    assert "Weights of Discover: kept, as tuning found none that are better." in page
    BlendWeights.objects.update(status="proposed", is_default=False)
    assert "v1, tuned by this run, is proposed to staff." in text(admin, f"/runs/{first.pk}/")
    assert f"Model {m2} went live: compared with the one before it, nothing about its data" in text(
        admin, f"/runs/{second.pk}/"
    )
    ModelVersion.objects.filter(pk=m2.pk).update(gate={"home": {"outcome": "passed"}})
    assert "its changed settings tested no worse" in text(admin, f"/runs/{second.pk}/")
    ModelVersion.objects.filter(pk=m2.pk).update(gate={"home": {"outcome": "worse"}})
    assert f"Model {m2} had been held back; staff put it live." in text(admin, f"/runs/{second.pk}/")


def test_the_list_names_the_models_and_cancels_the_run_that_goes_on(admin: Client) -> None:
    old, live = (records.version(records.run(), live=live) for live in (False, True))
    going = records.run(status=RunStatus.RUNNING, done=1, created=records.NOW + timedelta(days=1))
    page = text(admin, "/runs/")
    cells = [" ".join(each.partition("</td>")[0].split()) for each in page.split('data-label="Model">')[1:]]
    assert cells[0] == "–"
    assert sorted(cell.partition(" ")[0] for cell in cells[1:]) == sorted([str(old), str(live)])
    assert [cell.partition(" ")[0] for cell in cells if "Live" in cell] == [str(live)]
    assert f'action="/runs/{going.pk}/cancel/"' in page.partition('<dialog id="cancel"')[2]
    assert "/resume/" not in page


def test_resuming_during_another_run_leads_to_that_run(admin: Client) -> None:
    failed, going = records.run(status=RunStatus.FAILED, done=2), records.run(status=RunStatus.RUNNING, done=1)
    assert admin.post(f"/runs/{failed.pk}/resume/")["Location"] == f"/runs/{going.pk}/"


def test_a_model_that_was_held_back_says_why_and_goes_live_with_a_note(
    admin: Client, client_of: Callable[[Role], Client]
) -> None:
    gate = {
        "outcome": "worse", "users": 1983, "worse_than": ["live"],
        "against": {"live": {"value": -0.02, "low": -0.03, "high": -0.01}},
    }  # fmt: skip
    live = records.version(records.run(created=records.NOW - timedelta(days=1)))
    run = records.run()
    held = records.version(run, live=False)
    ModelVersion.objects.filter(pk=held.pk).update(gate={"home": gate}, live_since=None)
    page = text(admin, f"/runs/{run.pk}/")
    assert "the new ones tested worse" in page
    assert "Next purchases: Worse than what is live on 1,983 customers of the test window" in page
    assert "The model of the last run is not live" in text(admin, "/")
    viewer = client_of(Role.VIEWER)
    assert "Make it live anyway" not in text(viewer, f"/runs/{run.pk}/")
    assert viewer.post(f"/runs/{run.pk}/make-live/", {"note": "x"}).status_code == 403

    admin.post(f"/runs/{run.pk}/make-live/", {"note": "x"})
    assert "The files of this model are gone" in text(admin, f"/runs/{run.pk}/")
    Artefact.objects.create(
        version=held, cut="live", name="a", path="a", dtype="f4", shape=[1], size=1, sha256="0" * 64
    )
    admin.post(f"/runs/{run.pk}/make-live/", {"note": " "})
    assert "Say why it should go live" in text(admin, f"/runs/{run.pk}/")
    admin.post(f"/runs/{run.pk}/make-live/", {"note": "The bakery is new"})
    page = text(admin, f"/runs/{run.pk}/")
    assert f"Model {held} is live." in page
    assert "tested worse" not in page
    live.refresh_from_db()
    assert live.is_live is False
    assert admin.post(f"/runs/{records.run(created=records.NOW - timedelta(days=2)).pk}/make-live/").status_code == 404


def test_a_model_with_unusual_data_waits_for_a_person_and_says_what_is_unusual(admin: Client) -> None:
    live = records.version(records.run(created=records.NOW - timedelta(days=1)))
    run = records.run()
    held = records.version(run, live=False)
    guard = [
        {"check": "customers", "before": 2469.0, "now": 30323.0},
        {"check": "trending", "before": 0.05, "now": 0.2},
    ]
    ModelVersion.objects.filter(pk=held.pk).update(guard=guard, live_since=None)
    page = text(admin, f"/runs/{run.pk}/")
    assert "so much from what is live that someone should look first" in page
    assert "Customers: 2,469 became 30,323." in page
    assert "Trending: items that hardly any confirmed customer buys hold 20% of its positions." in page
    assert "settings of the recommenders changed" not in page
    dialog = page.partition('<dialog id="make-live"')[2]
    assert "Its data differ from what is live" in dialog
    assert "On the test window it is worse" not in dialog
    overview = text(admin, "/")
    assert f"Model {held} waits: Customers: 2,469 became 30,323. Trending:" in overview
    assert "it tested worse" not in overview
    Artefact.objects.create(
        version=held, cut="live", name="a", path="a", dtype="f4", shape=[1], size=1, sha256="0" * 64
    )
    admin.post(f"/runs/{run.pk}/make-live/", {"note": "Sales week"})
    page = text(admin, f"/runs/{run.pk}/")
    assert f"Model {held} is live." in page
    assert "became" not in page
    live.refresh_from_db()
    assert live.is_live is False


def test_what_rose_most_stands_on_the_page_of_its_run(admin: Client) -> None:
    run, tea = records.run(), records.item("tea", title="Green tea")
    version = records.version(run)
    assert "Nothing rose" in text(admin, f"/runs/{run.pk}/")
    rose = [
        {"item": tea.pk, "before": None, "now": 3, "people": 40, "confirmed": 10},
        {"item": tea.pk + 99, "before": 7, "now": 4, "people": 1, "confirmed": 1},
    ]
    ModelVersion.objects.filter(pk=version.pk).update(risers=rose)
    page = text(admin, f"/runs/{run.pk}/").partition('id="risers-title"')[2].partition("</section>")[0]
    assert f'href="/catalogue/{tea.pk}/">Green tea</a>' in page
    assert "below 50" in page
    assert "25%" in page
    assert page.count("<tr>") == 2  # the head and the one that is still there
    failed = records.run(created=records.NOW - timedelta(days=2), status=RunStatus.FAILED, done=2)
    assert "What rose most" not in text(admin, f"/runs/{failed.pk}/")


def test_counts_of_customers_have_their_words(admin: Client) -> None:
    run = records.run()
    counts = {"events": 900, "new": 7, "seen": 20, "confirmed": 90, "set_aside": 12, "removed_new": 5}
    RunStage.objects.filter(run=run, stage=Stage.PREPROCESS).update(counts=counts)
    page = text(admin, f"/runs/{run.pk}/")
    for words in (
        "<strong>12</strong> new events", "<strong>7</strong> new customers", "<strong>90</strong> confirmed customers",
        "<strong>20</strong> customers who were seen", "<strong>12</strong> events set aside",
        "<strong>5</strong> events of new customers left out",
    ):  # fmt: skip
        assert words in page, words


def test_the_page_before_the_first_run(admin: Client) -> None:
    page = text(admin, "/runs/")
    assert "No run yet" in page
    assert "Start the first run" in page


@pytest.mark.parametrize("page", ["x", "-1", "0", "²", "9" * 30, "2"])
def test_odd_page_numbers_show_a_page(admin: Client, page: str) -> None:
    records.run()
    assert admin.get("/runs/", {"page": page}).status_code == 200


def test_the_strip_shows_the_six_stages_of_the_last_run_in_order(admin: Client) -> None:
    records.run()
    page = text(admin, "/runs/")
    places = [
        page.index(f"{stage}<span")
        for stage in ("Collect", "Preprocess", "Interests", "Recommend", "Evaluate", "Adjust")
    ]
    assert places == sorted(places)
    assert "<strong>12</strong> new events" in page


def test_the_page_is_loaded_again_when_a_waiting_run_begins(admin: Client) -> None:
    """The head of the page says in what state the run is, and is not asked for with the progress."""
    run = records.run(status=RunStatus.QUEUED, done=0)
    page = text(admin, f"/runs/{run.pk}/")
    asked = re.search(r'hx-get="([^"]+progress[^"]+)"', page)
    assert asked is not None
    address = asked[1].replace("&amp;", "&")
    assert "HX-Refresh" not in admin.get(address)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING)
    assert admin.get(address)["HX-Refresh"] == "true"


def proposal(outcome: str = "passed") -> dict[str, object]:
    points = {"value": 1.67, "low": 1.2, "high": 2.1}
    view = {"points": points, "pairs": 900, "bought": 0.05, "expected": 0.02}
    gain = {"value": 0.0012, "low": -0.0004, "high": 0.0031}
    return {"points": {"view_item": view}, "gain": gain, "users": 812, "gate": {"outcome": outcome}}


def test_proposed_event_weights_are_accepted_or_declined_on_the_page_of_the_run(
    admin: Client, client_of: Callable[[Role], Client]
) -> None:
    version = records.version(records.run())
    ModelVersion.objects.filter(pk=version.pk).update(points_proposal=proposal(), event_weights={"view_item": 1.0})
    page = text(admin, f"/runs/{version.run.pk}/")
    assert "Proposed event weights" in page
    for figure in ("1.00", "1.67", "1.20 – 2.10", "5.0%", "2.0%"):
        assert figure in page
    assert "On the test window it is not worse than what is live." in page
    address = f"/runs/{version.run.pk}/event-weights/"
    viewer = client_of(Role.VIEWER)
    assert "Accept for the next run" not in text(viewer, f"/runs/{version.run.pk}/")
    assert viewer.post(address, {"decision": "accept"}).status_code == 403
    answer = admin.post(address, {"decision": "accept"}, follow=True).content.decode()
    assert "The next run uses the new event weights." in answer
    assert "runs after that use them." in answer
    assert event_points()["view_item"] == 1.67
    assert "Somebody has decided" in admin.post(address, {"decision": "decline"}, follow=True).content.decode()


def test_event_weights_that_tested_worse_need_a_note(admin: Client) -> None:
    version = records.version(records.run())
    ModelVersion.objects.filter(pk=version.pk).update(points_proposal=proposal("worse"))
    address = f"/runs/{version.run.pk}/event-weights/"
    assert "say why you accept" in admin.post(address, {"decision": "accept"}, follow=True).content.decode()
    assert event_points()["view_item"] == 1.0
    page = admin.post(address, {"decision": "decline"}, follow=True).content.decode()
    assert "The event weights stay as they are." in page
    assert "Declined" in page
