"""What stands on the sliders, and how two versions differ, against numbers known by hand."""

import re
from html import unescape

import pytest
from django.template.loader import render_to_string
from pytest_django.fixtures import Settings

from analytics.queries.weights import changes, sliders
from analytics.queries.weights import desk as weights_desk
from analytics.queries.weights.live_facts import live_facts
from analytics.queries.weights.visiting import visit_texts
from analytics.templatetags.weights import rise
from recommendations.customer_codes import customer_code
from recommendations.models import BlendWeights, Item, Segment
from recommendations.services.weights.drafts import StaleDraftError, draft_of, save_draft
from recommendations.services.weights.movers import ListPlace, Mover
from recommendations.services.weights.values import Values, differences
from recommendations.services.weights.versions import versions
from recommendations.terms import BlendName
from tests.analytics import records

pytestmark = pytest.mark.django_db

MORE = {"may_publish": True, "live": {"accuracy": None, "revenue": None, "coverage": None}}
LIVE = Values(weights={"buy_again": 0.5, "ease_home": 0.3, "content": 0.2}, promotion=0.5)
NAMES = ["buy_again", "ease_home", "content", "als"]


@pytest.fixture
def live() -> BlendWeights:
    """v1 of home, published."""
    weights = records.published("home")
    BlendWeights.objects.filter(pk=weights.pk).update(weights=dict(LIVE.weights), promotion=0.5)
    weights.refresh_from_db()
    return weights


def on_sliders(values: Values) -> dict[str, float]:
    return dict(sliders.fields(values, live=LIVE, names=NAMES))


def moved(field: str, text: str) -> dict[str, object]:
    """Fields of live with one slider elsewhere, as a form sends them."""
    sent = {name: str(100 * weight) for name, weight in LIVE.weights.items()}
    return {"weights": sent | {field: text}}


def test_live_weights_stand_at_their_marks() -> None:
    assert on_sliders(LIVE) == {
        "w.buy_again": 50, "w.ease_home": 30, "w.content": 20, "w.als": 0,
        "diversity": 0, "exploration": 0, "cards": 0, "promotion": 0.5, "revenue": 0, "margin": 0, "clearance": 0,
    }  # fmt: skip


@pytest.mark.parametrize("weights", [{"ease_home": 1.0}, {"ease_home": 0.5, "transformer": 0.5}])
def test_a_transformer_without_a_net_says_so_and_moves_only_where_it_counts(
    weights: dict[str, float], settings: Settings
) -> None:
    settings.SHOP_DOMAIN = "video"
    values, lacking = Values(weights=weights), live_facts().lacking
    stood = sliders.settings_of(
        BlendName.HOME, values, live=values, saved=values, points=[values], given={}, errors={}, lacking=lacking
    )
    (setting,) = (one for one in stood if one.name == "transformer")
    html = unescape(render_to_string("dashboard/weights/setting.html", {"setting": setting}))
    assert ("install the extra sequence-torch" in html) == (html.count("disabled") == 2) == (len(weights) == 1)


def test_only_the_slider_that_was_moved_leaves_its_mark() -> None:
    """0.5 : 0.3 : 0.4, stored as shares of 1.2, comes back as 50, 30 and 40."""
    shares = Values(weights={"buy_again": 0.416667, "ease_home": 0.25, "content": 0.333333})
    fields = on_sliders(shares)
    assert (fields["w.buy_again"], fields["w.ease_home"], fields["w.content"]) == (50, 30, 40)


def test_weights_that_have_nothing_in_common_with_live_are_shares() -> None:
    fields = on_sliders(Values(weights={"als": 0.75, "content": 0.25}))
    assert (fields["w.als"], fields["w.content"], fields["w.buy_again"]) == (75, 25, 0)


def test_no_slider_goes_beyond_its_end() -> None:
    """50 : 30 as live, the third at 160: on live's scale it would not fit."""
    fields = on_sliders(Values(weights={"buy_again": 0.208333, "ease_home": 0.125, "content": 0.666667}))
    assert max(fields.values()) <= 100
    assert fields["w.content"] == pytest.approx(66.67)


def test_what_explores_is_folded_apart_from_what_the_panel_measures(live: BlendWeights) -> None:
    desk = weights_desk.desk(BlendName.HOME, None)
    assert [each.name for each in desk.beside] == ["diversity", "promotion"]
    assert [each.name for each in desk.exploring] == ["exploration", "cards"]


def test_the_desk_is_empty_before_the_first_weights() -> None:
    desk = weights_desk.desk(BlendName.HOME, None)
    assert (desk.live, desk.loaded, desk.settings, weights_desk.loadable(desk)) == (None, None, (), {})


def test_the_desk_loads_the_point_asked_for_else_the_draft_else_live(live: BlendWeights) -> None:
    assert weights_desk.desk(BlendName.HOME, None).loaded.key == "live"
    save_draft(blend=BlendName.HOME, values=moved("content", "40"), revision=None, by=None, now=records.NOW)
    desk = weights_desk.desk(BlendName.HOME, None, versions=versions(BlendName.HOME))
    assert desk.loaded.key == "draft"
    content = next(each for each in desk.settings if each.name == "content")
    assert (content.text, content.live, content.saved, content.mark) == ("40", 20, 40, 20)
    assert desk.changed == 1
    assert [point.key for point in desk.menu] == ["live", "draft", "preset"]
    for key in ("live", "preset", "1"):
        assert weights_desk.desk(BlendName.HOME, None, versions=versions(BlendName.HOME), load=key).loaded.key == key
    assert weights_desk.desk(BlendName.HOME, None, load="99").loaded.key == "draft"


def test_settings_without_weight_are_folded_away_unless_they_are_wrong(live: BlendWeights) -> None:
    desk = weights_desk.desk(BlendName.HOME, None, given={"w.als": "x"}, errors={"als": "Enter a number."})
    assert "als" in [each.name for each in desk.used]
    assert next(each.text for each in desk.used if each.name == "als") == "x"
    assert "als" in [each.name for each in weights_desk.desk(BlendName.HOME, None).unused]
    assert "second_stage" not in [each.name for each in desk.settings]


def test_a_segment_without_weights_of_its_own_gets_those_of_everybody(live: BlendWeights) -> None:
    segment = Segment.objects.create(number=3, name="Tea")
    desk = weights_desk.desk(BlendName.HOME, segment)
    assert (desk.inherits, desk.live) == (True, live)
    assert not weights_desk.desk(BlendName.HOME, None).inherits


def test_versions_tell_what_changed_in_words(live: BlendWeights) -> None:
    BlendWeights.objects.create(
        blend=live.blend, number=2, weights={"buy_again": 0.65, "ease_home": 0.35}, promotion=0.25, diversity=0.1,
        status="proposed", parent=live, reason="a test",
    )  # fmt: skip
    newest, first = (text_of("versions.html", versions=[version], **MORE) for version in versions(BlendName.HOME))
    assert "Promotion plan 0.50 → 0.25 , Similar descriptions 20% → 0% , Bought often 50% → 65% , 2 more" in newest
    assert "v2 Proposed" in newest
    assert "v1 Live the loop" in first
    assert "the first" in first
    assert "Roll back" not in newest + first
    live.is_default = False
    live.save()
    assert "Roll back" in text_of("versions.html", versions=versions(BlendName.HOME)[1:], **MORE)


def test_a_value_that_went_up_is_marked_so() -> None:
    changes = differences(Values(weights={"buy_again": 0.65, "content": 0.35}), LIVE)
    text = text_of("changes.html", changes=changes, before="v1", after="v2")
    assert "Promotion plan 0.50 ▼ 0.00" in text
    assert "Bought often 50% ▲ 65%" in text


def test_a_conflict_shows_live_theirs_and_mine(live: BlendWeights) -> None:
    save_draft(blend=BlendName.HOME, values=moved("content", "0"), revision=None, by=None, now=records.NOW)
    mine = {"w.buy_again": "50", "w.ease_home": "30", "w.content": "120", "promotion": "0.5"}
    with pytest.raises(StaleDraftError) as refused:
        save_draft(
            blend=BlendName.HOME, values={"weights": {"buy_again": "50", "ease_home": "30", "content": "20"}},
            revision=None, by=None, now=records.NOW,
        )  # fmt: skip
    conflict = changes.draft_conflict(refused.value, mine | {"w.content": "20"}, edited=None)
    assert (conflict["draft"].revision, conflict["edited"]) == (1, None)
    text = text_of("conflict.html", conflict=conflict)
    assert "Similar descriptions 20% 0% Theirs: Similar descriptions 20% Mine" in text
    assert "Bought often 50% 62.5% Theirs: Bought often 50% Mine" in text
    assert conflict["agreed"] == {"promotion": "0.5"}
    draft = draft_of(BlendName.HOME)
    assert draft is not None
    assert draft.revision == 1  # theirs is as it was


def test_items_of_a_list_rise_enter_and_leave() -> None:
    """An item second before and first now rises; one from below ten is new; one that left has no place."""
    first, second = ListPlace(item=1, was=2, now=1), ListPlace(item=2, was=12, now=2)
    fallen, gone, left = (
        ListPlace(item=4, was=1, now=3),
        ListPlace(item=9, was=1, now=1),
        ListPlace(item=3, was=1, now=11),
    )
    mover = Mover(
        customer=7, baskets=2, segment=None, live=[first, left], draft=[first, second, fallen, gone], replaced=1
    )
    assert [rise(place) for place in (first, second, fallen)] == [1, None, -2]
    assert mover.left == [left]
    items = {key: Item(pk=key, title=f"Item {key}", shop_id=str(key)) for key in (1, 2, 3, 4)}
    text = text_of("movers.html", movers=[mover], items=items)
    assert text == f"{customer_code(7)} 2 baskets · 1 new 1 Item 1 ▲ 1 2 Item 2 new 3 Item 4 ▼ 2 Item 3 out"


def text_of(template: str, **context: object) -> str:
    """What a reader reads of a part of the page."""
    html = re.sub(r"<svg.*?</svg>", "", render_to_string(f"dashboard/weights/{template}", context), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


# --- What a visit makes of the score


def visits(**learned: object) -> str:
    """What the desk of home says where the live version learned this."""
    (text,) = visit_texts(BlendName.HOME, {"home": learned})
    return text


def test_a_share_that_was_learned_stands_with_what_it_gains() -> None:
    tried = [[0.0, 0.19], [0.2, 0.2], [0.35, 0.25]]
    text = visits(share=0.35, visits=1200, ndcg=tried, gain=[0.05, 0.02, 0.08])
    assert "a visit makes up 35% of the score" in text
    assert "1,200 visits" in text
    assert "better by +25% (95% interval +10% to +40%) than with the usual 20%" in text


def test_the_usual_share_says_why_it_is_the_usual() -> None:
    assert "no other was measurably better" in visits(share=0.2, visits=400, ndcg=[[0.2, 0.2]], gain=[0.0, 0.0, 0.0])


def test_too_few_visits_and_a_version_of_before_keep_the_usual() -> None:
    assert "40 visits, too few" in visits(share=0.2, visits=40, ndcg=[], gain=None)
    both = visit_texts(BlendName.SESSION, {})
    assert [text.partition(":")[0] for text in both] == ["For you", "Discover"]
    assert all("20% of the score. That is the usual share; the next run" in text for text in both)
    assert visit_texts(BlendName.CART, {}) == []
