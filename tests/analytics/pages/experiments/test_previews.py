"""Examples on the page of a draft and in its form; a start that is under way, or came to nothing, says so."""

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import Experiment, Placement
from recommendations.services.experiments.starting import begin_experiments, start
from recommendations.store.live import fetch
from tests.analytics.pages.experiments.drafting import begun, drafted, typed, version
from tests.analytics.pages.experiments.pages import text
from tests.services.experiments.test_previews import copied

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def customers(page: str) -> list[str]:
    return re.findall(r'<h3><a href="(/customers/[^"]+)"', page)


def test_a_draft_shows_three_customers_of_each_arm_the_same_for_the_same_address(viewer: Client) -> None:
    draft = drafted({"weights": {"home": version().pk}}, {"placements": {"home": {"n": 3}}})
    page = text(viewer, f"/experiments/{draft.pk}/?seed=7")
    address = f"/experiments/{draft.pk}/preview/?seed=7"
    assert f'hx-get="{address}"' in page
    part = text(viewer, address)
    assert len(customers(part)) == 6
    assert "B · For you: v90" in part
    assert "C · Placement “For you”: 3 items" in part
    assert re.search(r"3 of the first \d+ customers drawn get another list: For you", part)
    assert 'id="more-of-B"' in part
    assert f'href="/experiments/{draft.pk}/?seed=8#preview"' in part
    assert part == text(viewer, address)
    assert customers(part) != customers(text(viewer, f"/experiments/{draft.pk}/preview/?seed=8"))
    assert text(viewer, customers(part)[0])


def test_what_changes_nothing_says_so_before_it_is_started(viewer: Client) -> None:
    draft = drafted({"weights": {"home": copied().pk}})
    part = text(viewer, f"/experiments/{draft.pk}/preview/?seed=nonsense")
    assert not customers(part)
    assert "customers drawn gets another list. Before it starts 500 are asked" in part


def test_what_only_explores_otherwise_says_that_it_can_start(viewer: Client) -> None:
    draft = drafted({"weights": {"home": copied(exploration=0.3).pk}}, kind="bandit", primary="ctr", placement="home")
    address = f"/experiments/{draft.pk}/preview/"
    part = text(viewer, address)
    assert not customers(part)
    assert "gets another list as it is ranked. But it explores otherwise than what is live" in part
    assert "it does not start" not in part
    Placement.objects.filter(name="home").update(explores=False)
    fetch.announce(fetch.Changed.PLACEMENTS)
    assert "Before it starts 500 are asked" in text(viewer, address)


def test_the_form_shows_what_stands_in_it(admin: Client, viewer: Client) -> None:
    assert 'hx-post="/experiments/preview/"' in text(admin, "/experiments/new/")
    part = html.unescape(admin.post("/experiments/preview/", typed()).content.decode())
    assert len(customers(part)) == 3
    for odd in ({"arm-1-lever": "weights"}, {"arm-1-lever": "page"}, {"arm-1-placement": "nowhere"}):
        part = admin.post("/experiments/preview/", typed() | odd).content.decode()
        assert "Examples stand here once it is clear" in part
    assert viewer.post("/experiments/preview/", typed()).status_code == 403


def test_there_are_no_examples_of_what_runs_or_changes_nothing_by_design(viewer: Client) -> None:
    of_a_start, never = begun(), drafted({"placements": {"discover": {"n": 3}}}, kind="aa", name="A/A")
    for test, status in ((of_a_start, 204), (never, 404)):  # a page may ask while its draft is started
        assert f"/experiments/{test.pk}/preview/" not in text(viewer, f"/experiments/{test.pk}/")
        part = text(viewer, f"/experiments/{test.pk}/preview/", status=status)
        assert (part == "") is (test == of_a_start)


def test_a_start_says_what_the_worker_is_at_and_can_be_cancelled(publisher: Client) -> None:
    test = drafted()
    start(experiment=test, revision=test.revision, by=None, now=timezone.now())
    address = f"/experiments/{test.pk}/"
    assert "Waiting for a worker. Nobody is in it yet." in text(publisher, address)
    Experiment.objects.filter(pk=test.pk).update(beginning={"step": "lists", "done": 120, "of": 500})
    page = text(publisher, address)
    assert "A worker compares lists before and after: 120 of 500 customers." in page
    assert '<progress class="meter" max="1" value="0.24"' in page
    assert 'hx-trigger="every 2s"' in page
    assert f"{address}cancel-start/" in page
    Experiment.objects.filter(pk=test.pk).update(beginning={"step": "past"})
    page = text(publisher, address)
    assert "A worker measures the last four weeks." in page
    assert "<progress" not in page
    Experiment.objects.filter(pk=test.pk).update(beginning={})
    test.notes.filter(code="starting").update(at=timezone.now() - timedelta(minutes=7, seconds=5))
    assert "No worker has begun for 7 minutes: do they run?" in text(publisher, address)


def test_a_start_that_came_to_nothing_says_why_and_offers_another(publisher: Client, viewer: Client) -> None:
    test = drafted({"weights": {"home": copied().pk}})
    start(experiment=test, revision=test.revision, by=None, now=timezone.now())
    assert begin_experiments(timezone.now()) == 0
    page = text(publisher, f"/experiments/{test.pk}/")
    assert "It was not started." in page
    (many,) = set(re.findall(r"B is the same as A for (\d+) of \d+ customers. Choose another version", page))
    assert int(many) > 20
    assert "Start again…" in page
    assert "every 2s" not in page
    assert "Start again…" not in text(viewer, f"/experiments/{test.pk}/")
    trail = text(publisher, f"/activity/?type=experiment&id={test.pk}")
    assert "could not start" in trail
    assert f"Not started: B is the same as A for {many} of {many} customers." in trail
    Experiment.objects.filter(pk=test.pk).update(revision=99)  # as a change of the draft does
    assert "It was not started." not in text(publisher, f"/experiments/{test.pk}/")
