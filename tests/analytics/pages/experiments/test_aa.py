"""An A/A on its pages: it asks where it compares and for no version, and both groups get what is live."""

import html
import re

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import BlendWeights, Experiment, Placement
from recommendations.services.experiments.starting import begin, start
from tests.analytics.pages.experiments.drafting import drafted, typed, version
from tests.analytics.pages.experiments.pages import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def sent(client: Client, *, status: int = 302, **fields: str) -> str:
    answer = client.post("/experiments/new/", typed(**{"kind": "aa", **fields}))
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def live() -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name="home", segment=None, audience=None)


def arms_in(page: str) -> list[str]:
    """What each arm gets, by the dialog of the start."""
    who = page.partition('class="who-gets"')[2].partition("</ul>")[0]
    return [" ".join(re.sub(r"<[^>]+>", "", line).split()) for line in who.split("<li>")[1:]]


def test_it_asks_where_and_for_no_version(publisher: Client) -> None:
    tried = version()
    page = sent(
        publisher, status=200, edit="kind:aa", **{"arm-1-lever": "weights", "arm-1-weights": f"home:{tried.pk}"}
    )
    assert "Both groups get what is live" in page
    assert '<option value="weights:home" selected>Blend: For you</option>' in page
    assert '<option value="placement:discover" >' in page
    assert "Choose a version" not in page
    assert "What is live against itself" in page
    assert f'<input type="hidden" name="arm-1-weights" value="home:{tried.pk}">' in page  # for an A/B again
    page = sent(publisher, status=422, where="")
    assert 'id="arms-error">Say where: choose a blend or a placement.' in page
    for odd in ("weights:nowhere", "placement:nowhere", "rules", "\x00"):
        sent(publisher, status=422, where=odd)
    assert not Experiment.objects.exists()


def test_both_groups_get_what_is_live_when_it_starts(publisher: Client) -> None:
    sent(publisher, where="weights:home", **{"arm-1-lever": "weights", "arm-1-weights": f"home:{version(90).pk}"})
    own, before = Experiment.objects.get(), live()
    assert [arm.changes for arm in own.arms.order_by("position")] == [{}, {"weights": {"home": before.pk}}]
    assert '<option value="weights:home" selected>' in text(publisher, f"/experiments/{own.pk}/edit/")
    assert "For you: what is live in both groups" in text(publisher, "/experiments/?tab=drafts")
    BlendWeights.objects.filter(pk=before.pk).update(is_default=False)  # another is published before it starts
    BlendWeights.objects.filter(number=90).update(is_default=True)
    page = text(publisher, f"/experiments/{own.pk}/?open=start")
    assert arms_in(page) == [f"{letter} 50.0% of the visitors · For you: v90" for letter in "AB"]
    assert "A and B get what is live there when it starts, and keep it until the end." in page
    assert page.count("Both groups get what is live: whatever it finds is chance.") == 1
    assert begin(start(experiment=own, revision=own.revision, by=None, now=timezone.now()), now=timezone.now())
    assert [arm.changes for arm in own.arms.all()] == [{"weights": {"home": live().pk}}] * 2
    assert "For you: v90 in both groups" in text(publisher, "/experiments/")


def test_at_a_placement_it_compares_how_much_that_shows(publisher: Client) -> None:
    sent(publisher, where="placement:home")
    own = Experiment.objects.get()
    n = Placement.objects.get(name="home").n
    assert own.arms.get(position=1).changes == {"placements": {"home": {"n": n}}}
    assert [each.name for each in own.placements.all()] == ["home"]
    page = text(publisher, f"/experiments/{own.pk}/?open=start")
    assert arms_in(page) == [f"{letter} 50.0% of the visitors · Placement “For you”: {n} items" for letter in "AB"]


def test_what_else_a_draft_names_is_what_is_live(publisher: Client) -> None:
    own = drafted({"placements": {"home": {"n": 3}}}, kind="aa")
    assert own.arms.get(position=1).changes == {"placements": {"home": {"n": Placement.objects.get(name="home").n}}}
    assert '<option value="placement:home" selected>' in text(publisher, f"/experiments/new/?copy={own.pk}")
