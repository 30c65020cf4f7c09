"""Drafts of weights on their page: saved, discarded, published past the gate, and rolled back."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import AuditEntry, BlendWeights
from recommendations.services.experiments.lifecycle import pause, resume
from recommendations.services.weights.blending import publish
from recommendations.services.weights.drafts import draft_of
from tests.analytics.pages.experiments import drafting
from tests.analytics.pages.weights.forms import HOME, box, flat, live, saved, sliders, staff, text
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


# --- Drafts


def test_a_draft_is_saved_found_again_and_discarded(publisher: Client) -> None:
    answer = publisher.post("/weights/save/", sliders(content=55), follow=True)
    assert "For you v2 is saved. What is live stays live." in flat(answer)
    assert box(flat(answer), "content") == "55"
    assert live().number == 1
    again = publisher.post("/weights/save/", sliders(content=60) | {"revision": "1"}, follow=True)
    assert box(flat(again), "content") == "60"
    assert "Discard Draft v2?" in flat(again)
    gone = publisher.post("/weights/discard/", {"blend": HOME, "revision": "2"}, follow=True)
    assert "The draft is discarded." in flat(gone)
    assert draft_of(HOME) is None


def test_somebody_elses_draft_is_shown_and_never_overwritten(publisher: Client) -> None:
    saved(by=staff(), content=90)
    answer = publisher.post("/weights/save/", sliders(content=55))
    page = flat(answer)
    assert "Mia has changed the draft while you edited it." in page
    assert box(page, "content") == "55"  # what was typed stays
    theirs, mine = re.findall(r'type="radio" name="w.content" value="([\d.]+)"', page)
    assert float(theirs) > float(mine) > 0
    draft = draft_of(HOME)
    assert draft is not None
    assert draft.revision == 1
    chosen = re.findall(r'type="radio" name="(w\.[a-z_]+)" value="([\d.]+)" checked', page)
    agreed = re.findall(r'type="hidden" name="((?:w\.)?[a-z_]+)" value="([\d.]+)"', page[: page.index("weights-form")])
    publisher.post("/weights/save/", {"blend": HOME} | dict(agreed) | dict(chosen))
    draft = draft_of(HOME)
    assert draft is not None
    assert draft.revision == 2
    assert draft.weights["content"] == pytest.approx(float(mine) / 100, abs=1e-4)


def test_a_draft_that_was_changed_is_not_discarded(publisher: Client) -> None:
    saved(content=90)
    saved(revision=1, content=80)
    answer = publisher.post("/weights/discard/", {"blend": HOME, "revision": "1"}, follow=True)
    assert "it was not discarded" in flat(answer)
    assert draft_of(HOME) is not None


# --- Publishing


def publication(client: Client) -> dict[str, str]:
    """The hidden fields of the dialog."""
    page = text(client, f"/weights/publication/?blend={HOME}")
    return {"blend": HOME} | dict(re.findall(r'type="hidden" name="(revision|replacing)" value="(\d+)"', page))


def test_the_publish_dialog_says_first_what_it_does(publisher: Client) -> None:
    publisher.post("/weights/save/", sliders(content=55))
    page = text(publisher, f"/weights/publication/?blend={HOME}")
    for words in (
        "What changes",
        "Similar descriptions",
        "What to expect, from the panel",
        "customers of the test window",
    ):
        assert words in page


def test_publish_needs_a_note_and_then_acts(publisher: Client) -> None:
    publisher.post("/weights/save/", sliders(buy_again=55))
    seen = publication(publisher)
    refused = flat(publisher.post("/weights/publish/", seen | {"note": " ", "override": "on"}))
    assert "Say why: it stays with the version." in refused
    assert 'id="publish" class="wide" aria-labelledby="publish-title" data-open' in refused
    assert live().number == 1
    done = publisher.post("/weights/publish/", seen | {"note": "More of what they buy", "override": "on"}, follow=True)
    assert "For you v2 is live: the shop&#x27;s next request uses it." in flat(done)
    assert (live().number, live().note) == (2, "More of what they buy")
    assert AuditEntry.objects.filter(verb="publish").latest("at").note == "More of what they buy"


def test_the_closed_gate_asks_for_an_override_and_keeps_the_note(publisher: Client) -> None:
    nothing_but = {name: "0" for name in sliders() if name.startswith("w.")} | {"w.popularity_home": "100"}
    publisher.post("/weights/save/", sliders() | nothing_but)
    seen = publication(publisher)
    page = flat(publisher.post("/weights/publish/", seen | {"note": "I insist"}))
    assert "Worse than" in page
    assert "Tick the box to publish it anyway." in page
    assert ">I insist</textarea>" in page
    ticked = flat(publisher.post("/weights/publish/", seen | {"note": "", "override": "on"}))
    assert 'name="override" checked' in ticked  # what is asked for is the note alone
    assert live().number == 1
    publisher.post("/weights/publish/", seen | {"note": "I insist", "override": "on"})
    assert live().number == 2


def test_a_version_published_meanwhile_is_shown_before_it_is_replaced(publisher: Client) -> None:
    publisher.post("/weights/save/", sliders(buy_again=55))
    seen = publication(publisher)
    other = BlendWeights.objects.create(
        blend=live().blend, number=9, weights={"buy_again": 1.0}, status="proposed", parent=live(), reason="a test"
    )
    publish(weights=other, by=staff(), now=NOW, note="Mine first", override=True)
    page = flat(publisher.post("/weights/publish/", seen | {"note": "And mine", "override": "on"}))
    assert "For you v9 was published since you looked." in page
    assert "Live v9" in page
    assert ">And mine</textarea>" in page
    assert live().number == 9
    replacing = re.findall(r'name="(revision|replacing)" value="(\d+)"', page[page.index('id="publish"') :])
    publisher.post("/weights/publish/", {"blend": HOME} | dict(replacing) | {"note": "And mine", "override": "on"})
    assert live().note == "And mine"


def test_a_draft_that_changed_since_the_dialog_is_not_published_unseen(publisher: Client) -> None:
    publisher.post("/weights/save/", sliders(buy_again=55))
    seen = publication(publisher)
    saved(revision=1, content=90)
    page = flat(publisher.post("/weights/publish/", seen | {"note": "Now", "override": "on"}))
    assert "Someone has changed the draft since you looked." in page
    assert live().number == 1


def test_publishing_a_draft_twice_says_so(publisher: Client) -> None:
    publisher.post("/weights/save/", sliders(buy_again=55))
    seen = publication(publisher) | {"note": "Once", "override": "on"}
    publisher.post("/weights/publish/", seen)
    twice = publisher.post("/weights/publish/", seen, follow=True)
    assert "The draft no longer exists: it was published or discarded in the meantime." in flat(twice)
    assert live().number == 2


def test_roll_back_makes_a_new_version_of_the_old_one(publisher: Client) -> None:
    before = live()
    publisher.post("/weights/save/", sliders(buy_again=55))
    publisher.post("/weights/publish/", publication(publisher) | {"note": "Try", "override": "on"})
    dialog = text(publisher, f"/weights/{before.pk}/roll-back/")
    assert "Roll back to For you v1?" in dialog
    assert "For you v2 stays in the list." in dialog
    address = f"/weights/{before.pk}/rolled-back/"
    assert "Say why you roll back" in flat(publisher.post(address, {"note": ""}, follow=True))
    assert live().number == 2
    done = flat(publisher.post(address, {"note": "It was better"}, follow=True))
    assert "For you v3 is live, with the weights of v1." in done
    assert (live().number, live().weights) == (3, before.weights)
    same = publisher.post(f"/weights/{live().pk}/rolled-back/", {"note": "Again"}, follow=True)
    assert "is already live, so nothing was changed." in flat(same)


# --- Beside a running experiment


def test_whoever_publishes_reads_which_visitors_an_experiment_keeps(publisher: Client) -> None:
    other = drafting.version()
    test = drafting.begun({"weights": {"home": other.pk}}, name="More tea", traffic=0.4)
    saved(content=90)
    said = "40% of the visitors stay with its versions and get this only when it ends."
    page = flat(publisher.get("/weights/publication/", {"blend": HOME}))
    assert f'<a href="/experiments/{test.pk}/">More tea</a> is running: {said}' in page
    pause(experiment=test, by=None, now=timezone.now())
    assert said not in flat(publisher.get("/weights/publication/", {"blend": HOME}))
    resume(experiment=test, by=None, now=timezone.now())
    fields = {"blend": HOME, "revision": "1", "replacing": str(live().pk), "note": "Tea sells", "override": "on"}
    page = flat(publisher.post("/weights/publish/", fields, follow=True))
    assert "is live: the next request uses it, but for the visitors of the running experiment." in page
