"""The desk of weights on a learned shop: what a move answers, and every way from a draft to what is served and back."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recommendations.models import AuditEntry, BlendWeights, Segment, Staff
from recommendations.services.weights import suggestions
from recommendations.services.weights.blending import publish
from recommendations.services.weights.drafts import draft_of, save_draft
from recommendations.services.weights.what_if import what_if
from recommendations.store.live.writes import rebuild
from recommendations.terms import BlendName, Role
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

MOST_QUERIES = 12
HOME = BlendName.HOME


@pytest.fixture
def publisher(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.PUBLISHER)


def live(blend: BlendName = HOME) -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name=blend, segment=None)


def sliders(**moved: object) -> dict[str, str]:
    """Live's values as the form sends them, some of them moved."""
    weights = {f"w.{name}": f"{100 * weight:g}" for name, weight in live().weights.items()}
    return {"blend": HOME, **weights, "promotion": f"{live().promotion:g}"} | {
        f"w.{name}": str(value) for name, value in moved.items()
    }


def saved(by: Staff | None = None, revision: int | None = None, **moved: float) -> BlendWeights:
    """A draft that somebody saved."""
    given = {name: 100 * weight for name, weight in live().weights.items()} | moved
    return save_draft(blend=HOME, values={"weights": given}, revision=revision, by=by, now=NOW)


def flat(answer: HttpResponse) -> str:
    return " ".join(answer.content.decode().split())


def text(client: Client, address: str = "/weights/", *, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return flat(answer)


def effect(client: Client, sent: dict[str, str]) -> dict[str, Any]:
    answer = client.get("/weights/effect/", sent)
    assert answer.status_code == 200
    content: dict[str, Any] = json.loads(answer.content)
    return content


def box(page: str, name: str) -> str:
    """What stands in the number box of a setting."""
    match = re.search(rf'id="box-{name}"[^>]* value="([^"]*)"', page)
    assert match, name
    return match[1]


def staff(name: str = "Mia") -> Staff:
    return Staff.objects.create_user(f"{name.lower()}@example.com", "correct horse", role=Role.PUBLISHER, name=name)


# --- Looking


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_try_weights_and_only_some_may_save(client_of: Callable[[Role], Client], role: Role) -> None:
    page = text(client_of(role))
    assert "All 60 customers of the tuning panel" in page
    assert ("Save draft" in page) is (role in {Role.MERCHANDISER, Role.PUBLISHER, Role.ADMIN})
    assert ("Publish…" in page) is (role in {Role.PUBLISHER, Role.ADMIN})
    assert ("Your role can try weights, but not save them." in page) is ("Save draft" not in page)


def test_live_weights_on_the_sliders_change_nothing(publisher: Client) -> None:
    page = text(publisher)
    for name, weight in live().weights.items():
        assert float(box(page, name)) == pytest.approx(100 * weight, abs=0.01)
    assert "No change yet: same as live." in page
    assert "Live v1" in page
    assert page.count('class="mover"') == 6


@pytest.mark.parametrize(
    "address",
    [
        "/weights/",
        "/weights/?blend=discover",
        "/weights/?blend=cart",
        "/weights/?load=preset",
        "/weights/?group=segment-0",
    ],
)
def test_the_desk_takes_few_queries(publisher: Client, address: str) -> None:
    rebuild()  # what customers did last is in Valkey, as it is while workers run
    text(publisher, address)  # the panel is read
    with CaptureQueriesContext(connection) as queries:
        text(publisher, address)
    assert len(queries) <= MOST_QUERIES


@pytest.mark.parametrize(
    "odd", ["blend=x", "load=x", "group=x", "group=segment-99", "group=audience-99", "w.buy_again=x", "load=%00&w.=1"]
)
def test_odd_parameters_are_as_if_absent(publisher: Client, odd: str) -> None:
    assert "No change yet" in text(publisher, f"/weights/?{odd}")


def test_weights_in_the_address_are_on_the_sliders(publisher: Client) -> None:
    answer = publisher.get("/weights/", sliders(content=55))
    assert box(flat(answer), "content") == "55"
    assert "As live" not in flat(answer)


def test_blends_of_items_in_view_say_that_nothing_measures_them(publisher: Client) -> None:
    page = text(publisher, "/weights/?blend=item")
    assert "No purchase tells what would have been right next to an item in view" in page
    assert "In view:" in page
    assert "effect-chart" not in page
    assert "Suggest…" not in page
    sent = {f"w.{name}": "1" for name in live(BlendName.ITEM).weights}
    parts = effect(publisher, sent | {"blend": "item"})
    assert parts["figures"] == {}
    assert "In view:" in parts["lists"]


def test_a_segment_gets_everybodys_weights_until_it_has_its_own(publisher: Client) -> None:
    segment = Segment.objects.order_by("-size")[0]
    page = text(publisher, f"/weights/?group=segment-{segment.number}")
    assert "This segment has no weights of its own" in page
    publisher.post("/weights/save/", sliders(content=55) | {"group": f"segment-{segment.number}"})
    draft = draft_of(HOME, segment)
    assert draft is not None
    assert draft_of(HOME) is None


# --- A move


def test_a_move_of_a_slider_answers_with_the_figures_of_the_panel(publisher: Client) -> None:
    sent = sliders(popularity_home=100)
    parts = effect(publisher, sent)
    weights = {name.removeprefix("w."): float(value) for name, value in sent.items() if name.startswith("w.")}
    result = what_if(blend=HOME, weights=weights, promotion=live().promotion)
    main = result.figures["accuracy"]
    table = " ".join(parts["html"]["effect-table"].split())
    assert "Accuracy&nbsp;" in table
    assert f"−{abs(100 * main.against.value / main.live.value):.1f}%" in table
    assert '<th scope="row">NDCG@10' not in table
    assert (
        f"{result.changed} of 60 customers get a different list (first 20 items)." in parts["html"]["effect-sentence"]
    )
    drawn = {
        y: x for trace in parts["figures"]["effect-chart"]["data"] for x, y in zip(trace["x"], trace["y"], strict=True)
    }
    assert len(drawn) == 4
    assert drawn[0] == pytest.approx(100 * main.against.value / main.live.value, abs=0.01)
    assert "new" in parts["lists"]


def test_answers_of_the_desk_say_how_long_they_took(publisher: Client) -> None:
    header = publisher.get("/weights/effect/", sliders())["Server-Timing"]
    panel, page = re.fullmatch(r"panel;dur=([\d.]+), page;dur=([\d.]+)", header).groups()  # type: ignore[union-attr]
    assert 0 <= float(panel) <= float(page)


@pytest.mark.parametrize(
    ("moved", "field", "said"),
    [
        ({"w.content": "101"}, "content", "Enter a number from 0 to 100."),
        ({"w.content": "-1"}, "content", "Enter a number from 0 to 100."),
        ({"w.content": "a lot"}, "content", "Enter a number."),
        ({"w.content": "nan"}, "content", "Enter a number."),
        ({"w.content": ""}, "content", "Enter a number."),
        ({"diversity": "1.5"}, "diversity", "Enter a number from 0 to 1."),
        ({"promotion": "4"}, "promotion", "Enter a number from 0 to 3."),
        ({"w.unheard_of": "3"}, "unheard_of", "There is no recommender unheard_of in this blend."),
    ],
)
def test_bad_input_is_told_at_its_field_and_saves_nothing(
    publisher: Client, moved: dict[str, str], field: str, said: str
) -> None:
    sent = sliders() | moved
    assert effect(publisher, sent) == {"errors": {field: said}}
    answer = publisher.post("/weights/save/", sent)
    page = flat(answer)
    assert answer.status_code == 422
    assert draft_of(HOME) is None
    if field != "unheard_of":
        assert f'id="error-{field}">{said}' in page
        assert box(page, field) == next(iter(moved.values()))


def test_weights_that_are_all_zero_are_refused_above_the_sliders(publisher: Client) -> None:
    nothing = {name: "0" if name.startswith("w.") else value for name, value in sliders().items()}
    assert "weights" in effect(publisher, nothing)["errors"]
    answer = publisher.post("/weights/save/", nothing)
    assert answer.status_code == 422
    assert 'role="alert">All weights are zero.' in flat(answer)
    assert draft_of(HOME) is None


def test_points_versions_and_worth_follow_in_a_slower_answer(publisher: Client) -> None:
    parts = json.loads(publisher.get("/weights/rest/", sliders(popularity_home=100)).content)
    assert set(parts["figures"]) == {"past-chart", "worth-chart"}
    names = [trace["customdata"][0] for trace in parts["figures"]["past-chart"]["data"][1:]]
    assert {"live", "sliders"} <= set(names)
    assert "Load v1" in parts["html"]["versions"]
    assert "Popularity of the week" in parts["html"]["worth"]
    assert "Load Live v1" in parts["html"]["places"]


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


# --- Suggestions


def test_a_suggestion_is_searched_and_lands_on_the_sliders(publisher: Client) -> None:
    form = text(publisher, f"/weights/suggestion/?blend={HOME}")
    assert "Show at least this share of the catalogue" in form
    begun = flat(
        publisher.post(
            "/weights/suggest/",
            sliders(popularity_home=100) | {"lock": "content", "least_coverage": "0"},
        )
    )
    assert "Waiting for a worker." in begun
    assert "Waiting for a worker." in text(publisher, f"/weights/suggestion/?blend={HOME}")  # it is found again
    key = re.search(r"/weights/suggestion/([\w-]+)/cancel/", begun)[1]  # type: ignore[index]
    suggestions.search(UUID(key))
    page = text(publisher, f"/weights/suggestion/{key}/")
    assert "Suggested: Accuracy +" in page
    suggestion = json.loads(re.search(r'<script id="suggested" type="application/json">(.*?)</script>', page)[1])  # type: ignore[index]
    assert suggestion["at_once"] is True
    assert suggestion["fields"].get("w.popularity_home", 0) < 100
    assert draft_of(HOME) is None


def test_a_search_is_cancelled_and_cancelled_twice(publisher: Client) -> None:
    begun = flat(publisher.post("/weights/suggest/", sliders(content=80) | {"least_coverage": ""}))
    key = re.search(r"/weights/suggestion/([\w-]+)/cancel/", begun)[1]  # type: ignore[index]
    for _ in range(2):
        assert "The search was cancelled." in flat(publisher.post(f"/weights/suggestion/{key}/cancel/"))
    assert publisher.get(f"/weights/suggestion/{uuid4()}/").status_code == 404


def test_limits_that_make_no_sense_are_told_at_their_fields(publisher: Client) -> None:
    page = flat(publisher.post("/weights/suggest/", sliders() | {"least_coverage": "800", "least_diversity": "some"}))
    for name in ("least_coverage", "least_diversity"):
        assert f'id="{name}-error">Enter a percentage from 0 to 100, such as 8.' in page
    assert 'value="800"' in page
    wrong = flat(publisher.post("/weights/suggest/", sliders(content="x") | {"least_coverage": "0"}))
    assert "Something on the sliders is not right: check there first." in wrong
