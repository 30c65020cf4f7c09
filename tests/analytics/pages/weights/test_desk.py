"""The desk of weights on a learned shop: what a move answers, and every way from a draft to what is served and back."""

import json
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recommendations.models import Segment
from recommendations.services.weights.drafts import draft_of
from recommendations.services.weights.what_if import what_if
from recommendations.store.live.writes import rebuild
from recommendations.terms import BlendName, Role
from tests.analytics.pages.weights.forms import HOME, box, effect, flat, live, sliders, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

MOST_QUERIES = 12


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


def test_the_desk_says_what_a_visit_makes_of_the_score(publisher: Client) -> None:
    assert "a visit makes up 20% of the score" in text(publisher)
    assert text(publisher, "/weights/?blend=session").count("a visit makes up 20% of the score") == 2
    assert "a visit makes up" not in text(publisher, "/weights/?blend=cart")


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
    assert "All 60 customers get a different list (first 20 items)." in parts["html"]["effect-sentence"]
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
