"""A bandit on its pages: drafted, refused by field, started, how it stands, and what a person can do to its arms."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import Arm, ArmShare, BlendWeights, Experiment, Placement, PracticeRun
from recommendations.services.experiments.drafts import form_of
from recommendations.services.experiments.starting import begin_experiments
from recommendations.terms import ExperimentStatus, RunStatus
from tests.analytics.pages.experiments.bandits import arm, certain_of, post, running, typed, with_shares
from tests.analytics.pages.experiments.drafting import begun, drafted, version
from tests.analytics.pages.experiments.pages import seen, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def test_a_bandit_is_drafted_changed_and_started(publisher: Client) -> None:
    page = post(publisher, "/experiments/new/", status=200, edit="kind:bandit", **typed(90))
    assert "A day counts half after" in page
    assert 'name="arm-1-share"' not in page
    assert "Planned days" not in page
    assert "Each keeps a least share, unless a guardrail takes it out: then it gets nobody any more." in page
    post(publisher, "/experiments/new/", **typed(91, 92, by_segment="on", **{"guard-latency": "20"}))
    own = Experiment.objects.get()
    form = form_of(own)
    assert (form.kind, form.half_life, form.by_segment, form.placement) == ("bandit", 7, True, "home")
    assert form.guardrails == {"latency": 0.2}
    assert [placement.name for placement in own.placements.all()] == ["home"]
    assert "The plan" not in text(publisher, f"/experiments/{own.pk}/")
    assert 'name="half_life" value="7"' in text(publisher, f"/experiments/{own.pk}/edit/")
    post(publisher, f"/experiments/{own.pk}/edit/", revision=own.revision, steady="on", **typed(93))
    own.refresh_from_db()
    assert own.half_life is None
    post(publisher, f"/experiments/{own.pk}/start/", revision=own.revision)
    assert begin_experiments(timezone.now()) == 1
    own.refresh_from_db()
    assert (own.status, own.placements.get().name) == (ExperimentStatus.RUNNING, "home")
    assert set(ArmShare.objects.values_list("share", flat=True)) == {0.5}
    assert "All versions get the same share until the fourth day" in text(publisher, f"/experiments/{own.pk}/")


def test_of_several_placements_the_first_is_chosen_and_said(publisher: Client) -> None:
    page = text(publisher, f"/experiments/new/?weights=home:{version(90).pk}&kind=bandit")
    assert '<option value="home" selected>' in page
    assert "The blend also serves: Buy again, Best of the category" in page
    page = post(publisher, "/experiments/new/", status=200, edit="kind:bandit", **typed(91, placement=""))
    assert '<option value="home" selected>' in page
    page = post(publisher, "/experiments/new/", status=422, **typed(92, placement=""))
    assert "Choose the placement where it decides." in page
    assert '<option value="home" selected>' in page
    assert not Experiment.objects.exists()


def test_where_a_blend_serves_one_placement_there_is_nothing_to_choose(publisher: Client) -> None:
    Placement.objects.filter(blend__name="home").exclude(name="home").update(blend=None)
    page = text(publisher, f"/experiments/new/?weights=home:{version(90).pk}&kind=bandit")
    assert '<option value="home" selected>' in page
    assert "The blend also serves" not in page
    post(publisher, "/experiments/new/", **typed(91, placement=""))
    assert [each.name for each in Experiment.objects.get().placements.all()] == ["home"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"primary": "revenue"}, "This cannot be what decides here"),
        ({"placement": "nowhere"}, "Choose the placement where it decides."),
        ({"placement": "discover"}, "served by another blend"),
        ({"half_life": "0"}, "tick that the shop does not change"),
        ({"half_life": "soon"}, "tick that the shop does not change"),
        ({"half_life": "400"}, "Between 1 and 365 days"),
        ({"arm-1-weights": ""}, "Choose a version of the weights that is there."),
        ({"arm-1-lever": "rules", "arm-1-rules": ""}, "versions of the weights of one blend"),
        ({"name": " "}, "Give it a name"),
    ],
)
def test_a_bandit_that_cannot_be_is_refused_by_field(publisher: Client, fields: dict[str, str], words: str) -> None:
    page = post(publisher, "/experiments/new/", status=422, **typed(90, **fields))
    assert words in page
    assert not Experiment.objects.exists()


def test_the_same_version_twice_and_what_is_live_are_refused(publisher: Client) -> None:
    twice = typed(90)
    twice |= {"arm-2-lever": "weights", "arm-2-weights": twice["arm-1-weights"]}
    assert "twice" in post(publisher, "/experiments/new/", status=422, **twice)
    live = typed(91)
    weights = begun({"weights": {"home": version(92).pk}}).arms.get(position=0).changes["weights"]["home"]
    page = post(publisher, "/experiments/new/", status=422, **live | {"arm-1-weights": f"home:{weights}"})
    assert "It is what is live" in page


def test_the_page_says_what_the_best_gets_and_why(publisher: Client) -> None:
    own = with_shares(running())
    page = text(publisher, f"/experiments/{own.pk}/")
    assert "C gets 46% today" in page
    assert 'data-figure-for="beliefs-chart"' in page
    assert 'data-figure-for="shares-chart"' in page
    assert "best: 71 %" in page
    assert "2.4%" in page
    assert "No new shares" not in page
    assert "C gets 46% today" in text(publisher, "/experiments/")
    own.by_segment = True
    own.save()
    assert "once each version has 100 successes" in text(publisher, f"/experiments/{own.pk}/")
    with_shares(own, days=1, segment=1)
    assert "By segment" in text(publisher, f"/experiments/{own.pk}/")


@pytest.mark.parametrize(
    ("status", "simulated", "unclear", "clear"),
    [
        ("running", False, "Go on, or keep A.", "publish it when you like."),
        ("paused", False, "Resume it, or keep A.", "publish it when you like."),
        ("stopped", False, "Keep A, or start a copy.", "publish it when you like."),
        ("stopped", True, "In the shop you would go on, or keep A.", "in the shop you could publish it."),
    ],
)
def test_the_page_says_what_to_do(publisher: Client, status: str, simulated: bool, unclear: str, clear: str) -> None:
    own = with_shares(running())
    Experiment.objects.filter(pk=own.pk).update(status=status, simulated=simulated)
    if simulated:
        PracticeRun.objects.create(experiment=own, seed=1, effect="same", status=RunStatus.SUCCEEDED)
    tab = "practice" if simulated else "finished" if status == "stopped" else "running"
    for chance in (0.71, 0.9499):
        page = text(publisher, f"/experiments/{certain_of(own, 2, chance=chance).pk}/")
        assert unclear in page
        assert "No version" in page
        assert clear not in page
        assert unclear[:-1] in text(publisher, f"/experiments/?tab={tab}")
    page = text(publisher, f"/experiments/{certain_of(own, 2, chance=0.9501).pk}/")
    assert f"C is the best with chance 95%: {clear}" in page
    assert "No version" not in page
    assert "A is the best with chance 97%: keep it." in text(
        publisher, f"/experiments/{certain_of(own, 0, chance=0.97).pk}/"
    )


def test_nothing_is_advised_of_what_is_out_published_or_unknown(publisher: Client) -> None:
    own = certain_of(with_shares(running()), 2, chance=0.99)
    Arm.objects.filter(experiment=own, position=2).update(out_at=timezone.now())
    page = text(publisher, f"/experiments/{own.pk}/")
    assert "No version is clearly the best yet" in page
    assert "publish it when you like" not in page
    Experiment.objects.filter(pk=own.pk).update(status="shipped")
    assert 'class="advice"' not in text(publisher, f"/experiments/{own.pk}/")
    Experiment.objects.filter(pk=own.pk).update(status="running")
    ArmShare.objects.update(chance_best=None)
    assert 'class="advice"' not in text(publisher, f"/experiments/{own.pk}/")


def test_its_start_says_that_shares_move_where_it_decides_and_that_it_has_no_end(publisher: Client) -> None:
    post(publisher, "/experiments/new/", **typed(90))
    own = Experiment.objects.get()
    page = text(publisher, f"/experiments/{own.pk}/?open=start")
    assert "from then on they move each night with the answers" in page
    assert "It decides at “For you” by “Lists clicked”: only the lists there come from its versions." in page
    assert "It has no end until somebody stops it or publishes a version." in page
    assert "<dt>Where</dt><dd>For you</dd>" in page
    test = drafted(name="A test")
    assert "each night" not in text(publisher, f"/experiments/{test.pk}/?open=start").partition("<dialog class")[2]


def test_who_comes_second_reads_that_a_bandit_has_no_end(publisher: Client) -> None:
    running(traffic=1.0)
    second = drafted({"weights": {"home": version(95).pk}}, name="Second")
    page = post(publisher, f"/experiments/{second.pk}/start/", status=409, revision=second.revision)
    words = "“Which mix” (no planned end) has hold of it. No visitors are free: stop it first, or wait."
    assert words in page
    assert "take so many" not in page
    Experiment.objects.filter(name="Which mix").update(range_to=6000)
    page = post(publisher, f"/experiments/{second.pk}/start/", status=409, revision=second.revision)
    assert "“Which mix” (no planned end) has hold of it. 40% of the visitors are free: take so many" in page


def sentence(client: Client, own: Experiment) -> str:
    """The first sentence of the page, with the advice, which the list has as well."""
    page = text(client, f"/experiments/{own.pk}/")
    parts = re.findall(r'verdict-sentence">.*?<span>(.*?)</span>|class="advice">(.*?)</p>', page, re.DOTALL)
    words = ". ".join("".join(part).removesuffix(".") for part in parts)
    assert words in text(client, "/experiments/")
    return words


def test_the_first_days_say_what_staff_set_and_from_when(publisher: Client) -> None:
    own = running()
    address = f"/experiments/{own.pk}/"
    assert sentence(publisher, own) == "All versions get the same share until the fourth day"
    assert "Share at the start" in text(publisher, address)
    post(publisher, f"{address}arms/B/pin/", pinned="70")
    assert sentence(publisher, own) == (
        "A, B and C get the same share today; B is pinned to 70% from tonight on; the rest is even until the fourth day"
    )
    for place, share in enumerate((0.15, 0.7, 0.15)):  # the night after
        ArmShare.objects.filter(arm=arm(own, place)).update(share=share)
    post(publisher, f"{address}arms/C/floor/", floor="20")
    assert sentence(publisher, own) == (
        "B gets 70% today; B is pinned to 70%; C gets at least 20% from tonight on; "
        "the rest is even until the fourth day"
    )
    post(publisher, f"{address}pause/")
    assert "C gets at least 20% once it goes on" in sentence(publisher, own)


def test_what_is_set_while_it_is_paused_holds_once_it_goes_on(publisher: Client) -> None:
    own = running()
    address = f"/experiments/{own.pk}/"
    for step, fields in (("pin", {"pinned": "30"}), ("unpin", {}), ("floor", {"floor": "20"})):
        post(publisher, f"{address}arms/C/{step}/", **fields)
        assert "Saved for C: it holds from tonight on." in text(publisher, address)
    post(publisher, f"{address}pause/")
    for step, fields in (("pin", {"pinned": "70"}), ("unpin", {}), ("floor", {"floor": "25"})):
        post(publisher, f"{address}arms/C/{step}/", **fields)
        page = text(publisher, address)
        assert "Saved for C: it holds once the bandit goes on." in page
        assert "tonight" not in page


def test_what_ended_on_its_first_day_got_the_same_share_to_the_end(publisher: Client) -> None:
    own = running()
    address = f"/experiments/{own.pk}/"
    assert "as it was" in text(publisher, address)
    post(publisher, f"{address}stop/", **seen(publisher, f"{address}?open=stop"))
    assert "All versions got the same share to the end" in text(publisher, address)
    Arm.objects.filter(experiment=own, position=1).update(out_at=timezone.now())
    page = text(publisher, address)
    assert "A and C got the same share to the end" in page
    ArmShare.objects.filter(arm=arm(own, 2)).update(share=0.7)
    assert "C got 70% at the end" in text(publisher, address)


def test_a_of_a_draft_is_as_it_is(publisher: Client) -> None:
    bandit = {"kind": "bandit", "primary": "ctr", "placement": "home"}
    for own in (drafted(), drafted({"weights": {"home": version(95).pk}}, **bandit)):
        page = text(publisher, f"/experiments/{own.pk}/")
        assert "<strong>A</strong> as it is now" in page
        assert "as it was" not in page


def test_a_version_that_is_live_by_now_is_marked(publisher: Client) -> None:
    own = with_shares(running())
    tag = '<span class="tag">is live</span>'
    assert tag not in text(publisher, f"/experiments/{own.pk}/")
    best = BlendWeights.objects.get(pk=arm(own, 2).changes["weights"]["home"])
    BlendWeights.objects.defaults().of_group(None).filter(blend=best.blend).update(is_default=False)
    BlendWeights.objects.filter(pk=best.pk).update(is_default=True, status="published")
    page = text(publisher, f"/experiments/{own.pk}/")
    assert page.count(tag) == 1
    assert re.search(rf"<strong>C</strong>[^/]*{tag}", page)
    Experiment.objects.filter(pk=own.pk).update(status="stopped")
    assert tag not in text(publisher, f"/experiments/{own.pk}/")


def test_pins_and_floors_stand_beside_the_best(publisher: Client) -> None:
    own = with_shares(running())
    post(publisher, f"/experiments/{own.pk}/arms/B/floor/", floor="30")
    post(publisher, f"/experiments/{own.pk}/arms/A/pin/", pinned="25")
    words = sentence(publisher, own)
    assert words.startswith("C gets 46% today; A is pinned to 25% from tonight on; B gets at least 30%. No version")


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("B", "A and C get the same share until the fourth day"),
        ("BC", "Only A is left: it gets all who take part. Nothing is left to compare: stop it, and keep A"),
        (
            "AC",
            "Only B is left: it gets all who take part. Nothing is left to compare: publish B, or stop it and keep A",
        ),
    ],
)
def test_who_is_left_is_said_with_what_to_do(publisher: Client, out: str, words: str) -> None:
    own = running()
    address = f"/experiments/{own.pk}/"
    post(publisher, f"{address}arms/B/pin/", pinned="50")
    post(publisher, f"{address}arms/B/unpin/")
    for letter in out:
        post(publisher, f"{address}arms/{letter}/out/")
    assert sentence(publisher, own) == words
    assert ("?open=arm" in text(publisher, address)) == (len(out) == 1)


def test_two_nights_without_shares_are_said(publisher: Client) -> None:
    own = running()
    ArmShare.objects.all().delete()
    with_shares(own, days=3, ago=1)
    assert "No new shares" not in text(publisher, f"/experiments/{own.pk}/")
    ArmShare.objects.all().delete()
    with_shares(own, days=3, ago=2)
    assert "No new shares since" in text(publisher, f"/experiments/{own.pk}/")
