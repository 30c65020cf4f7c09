"""A bandit on its pages: drafted, refused by field, started, how it stands, and what a person can do to its arms."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import Arm, ArmShare, BlendWeights, Experiment, Placement, PracticeRun
from recommendations.services.experiments.bandit_steps import take_out
from recommendations.services.experiments.drafts import form_of
from recommendations.services.experiments.lifecycle import ship
from recommendations.services.experiments.starting import begin_experiments
from recommendations.services.experiments.states import ArmIsOutError
from recommendations.store.rules.conditions import shop_day
from recommendations.terms import ExperimentKind, ExperimentStatus, Role, RunStatus
from tests.analytics.pages.experiments.drafting import begun, drafted, version
from tests.analytics.pages.experiments.pages import seen, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def post(client: Client, address: str, *, status: int = 302, **fields: Any) -> str:
    answer = client.post(address, {name.replace("__", "-"): value for name, value in fields.items()})
    assert answer.status_code == status, answer.content
    return html.unescape(answer.content.decode())


def typed(*numbers: int, **fields: Any) -> dict[str, Any]:
    """The form of a bandit on the clicks at home of so many versions."""
    arms = {
        f"arm-{place}-{name}": value
        for place, number in enumerate(numbers, 1)
        for name, value in (("lever", "weights"), ("weights", f"home:{version(number).pk}"))
    }
    usual = {"name": "Which mix", "kind": "bandit", "traffic": "100", "primary": "ctr", "placement": "home"}
    return {**usual, "half_life": "7", **arms, **fields}


def running(arms: int = 3, **fields: Any) -> Experiment:
    changes = [{"weights": {"home": version(90 + place).pk}} for place in range(arms - 1)]
    given = {"kind": ExperimentKind.BANDIT, "primary": "ctr", "placement": "home", "name": "Which mix"}
    return begun(*changes, now=timezone.now() - timedelta(days=9), **given | fields)


def with_shares(own: Experiment, *, days: int = 8, segment: int | None = None, ago: int = 0) -> Experiment:
    """Shares of the last days, C the best; the last of them so many days ago."""
    today = shop_day(timezone.now()) - timedelta(days=ago)
    for day in range(days):
        for arm, share, chance in zip(own.arms.order_by("position"), (0.2, 0.34, 0.46), (0.1, 0.19, 0.71), strict=True):
            values = {"share": share, "chance_best": chance, "mean": 0.02 + 0.002 * arm.position, "sd": 0.001}
            key = {"arm": arm, "day": today - timedelta(days=day), "segment": segment}
            ArmShare.objects.update_or_create(**key, defaults=values | {"own_mean": 0.05 if segment else None})
    return own


def certain_of(own: Experiment, position: int, *, chance: float) -> Experiment:
    """The chance of an arm to be the best on all days, what is left of it for the next one."""
    for arm in own.arms.all():
        rest = 1 - chance if arm.position == (position + 1) % 3 else 0.0
        ArmShare.objects.filter(arm=arm).update(chance_best=chance if arm.position == position else rest)
    return own


def arm(own: Experiment, position: int) -> Arm:
    return own.arms.get(position=position)


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


def test_an_arm_is_pinned_freed_lifted_and_taken_out(publisher: Client) -> None:
    own = with_shares(running())
    address = f"/experiments/{own.pk}/"
    assert "Change B" in text(publisher, f"{address}?open=arm&arm=B")
    assert "at most" in post(publisher, f"{address}arms/B/pin/", status=422, pinned="94")
    page = post(publisher, f"{address}arms/B/pin/", status=422, pinned="much")
    assert "Between 1% and 95%" in page
    assert 'value="much"' in page
    post(publisher, f"{address}arms/B/pin/", pinned="30")
    assert arm(own, 1).pinned == pytest.approx(0.3)
    page = text(publisher, address)
    assert "pinned to 30.0%" in page
    assert "B was pinned to 30% of the visitors, from its next night on" in page
    post(publisher, f"{address}arms/B/unpin/")
    post(publisher, f"{address}arms/C/floor/", floor="12,5")
    page = text(publisher, address)
    assert "B is no longer pinned, from its next night on" in page
    assert "C gets at least 12.5% of the visitors, from its next night on" in page
    assert (arm(own, 1).pinned, arm(own, 2).floor) == (None, pytest.approx(0.125))
    post(publisher, f"{address}arms/C/out/")
    assert arm(own, 2).out_at is not None
    assert "C is out by now." in post(publisher, f"{address}arms/C/pin/", status=409, pinned="20")
    assert "B gets 63% today" in text(publisher, address)  # .34 of .54


def test_what_is_out_is_not_published(publisher: Client) -> None:
    own = with_shares(running())
    address = f"/experiments/{own.pk}/"
    shown = seen(publisher, f"{address}?open=publish&arm=B")
    take_out(experiment=own, arm=arm(own, 1), by=None, now=timezone.now())
    page = text(publisher, f"{address}?open=publish&arm=B")
    assert "<dialog class" not in page
    assert "Publish C for everybody?" in text(publisher, f"{address}?open=publish")
    page = post(publisher, f"{address}publish/", status=409, arm="B", note="It won", override="on", **shown)
    assert "B is out by now. Nothing of yours was done" in page
    own.refresh_from_db()
    assert own.status == ExperimentStatus.RUNNING
    with pytest.raises(ArmIsOutError):
        ship(experiment=own, arm=arm(own, 1), reason="It won", by=None, now=timezone.now(), override=True)


def test_taking_out_is_asked_once_more_and_says_who_is_left(publisher: Client) -> None:
    own = with_shares(running())
    address = f"/experiments/{own.pk}/"
    page = text(publisher, f"{address}?open=arm&arm=B")
    assert "/arms/B/out/" not in page
    assert f'href="{address}?open=out&arm=B"' in page
    page = text(publisher, f"{address}?open=out&arm=B")
    assert "nobody gets B any more; its visitors get A and C." in page
    assert "It cannot be put back." in page
    assert "Then only" not in page
    assert f'action="{address}arms/B/out/"' in page
    post(publisher, f"{address}arms/B/out/")
    assert "book-dialog" not in text(publisher, f"{address}?open=out&arm=B")
    assert "Then only C is left" in text(publisher, f"{address}?open=out&arm=A")
    post(publisher, f"{address}arms/A/out/")
    assert "book-dialog" not in text(publisher, f"{address}?open=out&arm=C")
    assert "open=out" not in text(publisher, f"{address}?open=arm&arm=C")
    assert "It is the last one" in post(publisher, f"{address}arms/C/out/", status=422)


def test_pausing_freezes_the_shares_and_the_second_reads_who_was_first(publisher: Client) -> None:
    own = with_shares(running())
    address = f"/experiments/{own.pk}/"
    post(publisher, f"{address}pause/")
    page = text(publisher, address)
    assert "C gets 46%; the shares stay as they are" in page
    assert "Paused: the shares stay as they are" in page
    assert "Paused since" in post(publisher, f"{address}pause/", status=409)
    post(publisher, f"{address}resume/")
    post(publisher, f"{address}stop/", **seen(publisher, f"{address}?open=stop"))
    assert "Stopped since" in post(publisher, f"{address}arms/B/pin/", status=409, pinned="20")
    assert "C got 46% at the end" in text(publisher, address)


def test_the_best_becomes_the_default_and_the_bandit_ends(publisher: Client) -> None:
    own = with_shares(running())
    address = f"/experiments/{own.pk}/"
    assert "Best with chance 71.0%" in text(publisher, f"{address}?open=publish&arm=C")
    shown = seen(publisher, f"{address}?open=publish&arm=C")
    post(publisher, f"{address}publish/", arm="C", note="It won", override="on", **shown)
    own.refresh_from_db()
    assert own.status == ExperimentStatus.SHIPPED


def test_a_viewer_sees_it_and_changes_nothing(client_of: Callable[[Role], Client]) -> None:
    own, viewer = with_shares(running()), client_of(Role.VIEWER)
    assert "?open=arm" not in text(viewer, f"/experiments/{own.pk}/")
    for step in ("pin", "unpin", "floor", "out"):
        assert viewer.post(f"/experiments/{own.pk}/arms/B/{step}/", {"pinned": "20"}).status_code == 403
