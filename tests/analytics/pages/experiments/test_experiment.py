"""The page of an experiment: what it says at each stage, and the steps from one to the next."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import BlendWeights, Experiment, Placement, Reading, Segment, Unit
from recommendations.services.experiments.lifecycle import stop
from recommendations.services.experiments.starting import begin_experiments
from recommendations.terms import ExperimentKind, ExperimentStatus
from tests.analytics.pages.experiments.drafting import begun, drafted, half_of, reading, version, with_readings
from tests.analytics.pages.experiments.pages import seen, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def post(client: Client, test: Experiment, step: str, *, status: int = 302, **fields: Any) -> str:
    answer = client.post(f"/experiments/{test.pk}/{step}/", fields)
    assert answer.status_code == status, answer.content
    test.refresh_from_db()
    return html.unescape(answer.content.decode())


def ten_days_old(*changes: dict[str, Any], **fields: Any) -> Experiment:
    return begun(*changes, now=timezone.now() - timedelta(days=10, minutes=5), **fields)


def test_a_draft_is_started_paused_resumed_widened_and_stopped(publisher: Client) -> None:
    test = drafted(traffic=0.4)
    page = text(publisher, f"/experiments/{test.pk}/")
    assert "nobody sees it until it is started" in page
    assert "?open=start" in page
    assert f"/experiments/{test.pk}/edit/" in page
    page = text(publisher, f"/experiments/{test.pk}/?open=start")
    assert "Planned: 28 days." in page
    assert f'hx-get="/experiments/{test.pk}/plan/?sentence"' in page  # how long it would take, or why nobody knows
    assert page.count("20.0% of the visitors") == 2
    assert "All others get what is live" in page
    post(publisher, test, "start", revision=test.revision)
    assert test.status == ExperimentStatus.STARTING
    page = text(publisher, f"/experiments/{test.pk}/")
    assert "Nobody is in it yet." in page
    assert "More like it" in text(publisher, "/experiments/")
    post(publisher, test, "cancel-start")
    assert test.status == ExperimentStatus.DRAFT
    post(publisher, test, "start", revision=test.revision)
    begin_experiments(timezone.now())
    test.refresh_from_db()
    assert test.status == ExperimentStatus.RUNNING
    page = text(publisher, f"/experiments/{test.pk}/")
    assert "Counting starts with the first answers; the next look is at" in page
    assert "Started with 40% of the traffic, planned for 28 days" in page
    assert "?open=start" not in page
    post(publisher, test, "pause")
    assert "Resume" in text(publisher, f"/experiments/{test.pk}/")
    post(publisher, test, "resume")
    shown = seen(publisher, f"/experiments/{test.pk}/?open=widen")
    assert "narrowed" in post(publisher, test, "widen", status=422, traffic="30", **shown)
    post(publisher, test, "widen", traffic="100", **shown)
    assert test.traffic == 1
    page = text(publisher, f"/experiments/{test.pk}/")
    assert "Traffic widened from 40% to 100%" in page
    assert "?open=widen" not in page
    post(publisher, test, "stop", **seen(publisher, f"/experiments/{test.pk}/?open=stop"))
    page = text(publisher, f"/experiments/{test.pk}/")
    assert test.status == ExperimentStatus.STOPPED
    assert "?open=stop" not in page
    assert f"/experiments/new/?copy={test.pk}" in page


def test_who_comes_second_reads_who_was_first(publisher: Client) -> None:
    test = drafted()
    assert "has changed the draft" in post(publisher, test, "start", status=409, revision=99)
    post(publisher, test, "start", revision=test.revision)
    page = post(publisher, test, "start", status=409, revision=test.revision)
    assert "Starting since" in page
    assert "The publisher was faster." in page
    begin_experiments(timezone.now())
    post(publisher, test, "stop", **seen(publisher, f"/experiments/{test.pk}/?open=stop"))
    assert "Stopped since" in post(publisher, test, "pause", status=409)
    assert "Stopped since" in post(publisher, test, "widen", status=409, traffic="90")
    assert "Stopped since" in post(publisher, test, "delete", status=409)


def test_who_has_the_lever_stands_in_the_dialog(publisher: Client) -> None:
    begun(traffic=0.7, name="First")
    second = drafted({"placements": {"home": {"n": 9}}}, name="Second")
    page = post(publisher, second, "start", status=409, revision=second.revision)
    assert "“First” until" in page
    assert "30% of the visitors are free" in page
    assert "Start “Second”?" in page


def test_a_draft_is_deleted(admin: Client) -> None:
    test = drafted()
    assert "Nobody sees it" in text(admin, f"/experiments/{test.pk}/?open=delete")
    admin.post(f"/experiments/{test.pk}/delete/")
    assert not Experiment.objects.exists()
    text(admin, f"/experiments/{test.pk}/", status=404)


def test_a_viewer_sees_everything_and_can_do_nothing(viewer: Client) -> None:
    for test in (drafted(), with_readings(ten_days_old(name="Runs"))):
        for opened in ("start", "stop", "publish", "delete", "widen"):
            page = text(viewer, f"/experiments/{test.pk}/?open={opened}")
            assert "<dialog class" not in page
            assert "?open=" not in page.replace(f"?open={opened}", "", 0).split("<main")[1]


def test_the_readings_stand_in_figures_and_tables(admin: Client) -> None:
    test = with_readings(ten_days_old(guardrails={"refunds": 0.1}), days=10, lift=0.1)
    for arm in test.arms.all():
        at = test.started_at + timedelta(days=10) if test.started_at else timezone.now()
        reading(arm, at, n=10_000, mean=0.05, sd=0.3, metric="refunds", x=10_000.0, xx=10_500.0, xy=500.0)
        reading(arm, at, n=400, mean=12.0, sd=20, segment=1)
        reading(
            arm,
            at,
            n=0,
            mean=0,
            sd=0,
            metric="coverage",
            y=45.2 + 4.52 * arm.position,
            x=1.0,
            yy=0.0,
            facts={"lists": 1200},
        )
    own = Reading.objects.filter(arm__experiment=test, metric="revenue", segment=None, at=at)
    split = {"kind": "placement", "name": "home", "counts": [3, 9], "broken": True}
    own.update(facts={"above_cap": 4, "answers": 90, "answers_without_id": 10, "sample": 0.5, "splits": [split]})
    Unit.objects.create(experiment=test, unit=1, arm=test.arms.get(position=0), first_at=timezone.now(), mixed=True)
    page = text(admin, f"/experiments/{test.pk}/")
    low, high = (f"{100 * (0.1 + side * half_of(10)):+.1f}%" for side in (-1, 1))
    assert f"{low} … {high}".replace("-", "−") in page
    assert "▲ +10.0%" in page
    assert re.search(r'data-label="A">\D?10(\.00)?<', page)
    assert re.search(r'data-label="B">\D?11(\.00)?<', page)
    assert "split as planned in all, but not in: For you" in page
    assert "10.0% of the answers without an id" in page
    assert "counted on 50% of the visitors" in page
    assert "That holds down 8 people." in page
    assert re.search(r"Different items in 1,200 lists</th>.*?>45<.*?>50<.*?\+10\.0%.*?>–<", page, flags=re.DOTALL)
    assert "100.0% saw two arms" in page
    assert "Money given back" in page
    assert "10.0% tolerated" in page
    assert str(Segment.objects.get(number=1)) in page
    assert "counts as" in page
    assert "It explains next to nothing" in page
    for chart in ("lift-B", "metrics-chart", "visitors-chart", "segments-chart"):
        assert f'data-figure-for="{chart}"' in page
    assert page.count('<td class="num">1,000</td>') == 20


def test_the_columns_have_what_people_spent_and_the_change_allows_for_the_past(admin: Client) -> None:
    """Of B people spent 10% more before and as much more after, as y = x: so the change is none, by hand."""
    test = ten_days_old()
    at = timezone.now()
    for arm, mean in zip(test.arms.order_by("position"), (10.0, 11.0), strict=True):
        n, yy = 1_000, 1_000 * mean**2 + 999 * 20**2
        past = {"x": n * mean, "xx": yy, "xy": yy}
        reading(arm, at, n=n, mean=mean, sd=20, **past)
        reading(arm, at, n=n, mean=mean, sd=20, metric="attributed")
    page = text(admin, f"/experiments/{test.pk}/")
    rows = re.findall(r"(Revenue per visitor|Revenue through these lists)</th>(.*?)</tr>", page, flags=re.DOTALL)
    cells = {name: re.findall(r'data-label="(?:A|B|Change)">\D*?([−+]?[\d.]+)', row) for name, row in rows}
    assert cells["Revenue per visitor"][:2] == cells["Revenue through these lists"][:2] == ["10", "11"]
    assert float(cells["Revenue per visitor"][2].strip("+−")) == pytest.approx(0)
    assert cells["Revenue through these lists"][2].startswith("+10")
    assert "allows for what people spent before" in page
    Reading.objects.update(x=0, xx=0, xy=0)
    assert "allows for what people spent before" not in text(admin, f"/experiments/{test.pk}/")


def test_an_even_split_is_said(admin: Client) -> None:
    test = with_readings(ten_days_old())
    assert "split as planned, 50.0 : 50.0" in text(admin, f"/experiments/{test.pk}/")


def test_a_broken_split_is_said(admin: Client) -> None:
    test = with_readings(ten_days_old(), days=1)
    last = test.started_at + timedelta(days=1, hours=1) if test.started_at else timezone.now()
    for arm, people in zip(test.arms.order_by("position"), (5_400, 4_600), strict=True):
        reading(arm, last, n=people, mean=10, sd=20)
    assert "split 54.0 : 46.0, not 50.0 : 50.0" in text(admin, f"/experiments/{test.pk}/")


def test_with_three_arms_each_has_its_lift(admin: Client) -> None:
    test = with_readings(ten_days_old({"placements": {"home": {"n": 7}}}, {"placements": {"home": {"n": 9}}}))
    page = text(admin, f"/experiments/{test.pk}/")
    for chart in ("lift-B", "lift-C"):
        assert f'data-figure-for="{chart}"' in page
    assert "Revenue per visitor · C" in page


def test_what_won_is_published_with_a_note(publisher: Client) -> None:
    test = with_readings(ten_days_old({"placements": {"home": {"n": 9}}}))
    page = text(publisher, f"/experiments/{test.pk}/?open=publish&arm=B")
    assert "Publish B for everybody?" in page
    assert "Revenue per visitor: +5.0%" in page
    assert "9 items" in page
    shown = seen(publisher, f"/experiments/{test.pk}/?open=publish&arm=B")
    page = post(publisher, test, "publish", status=422, arm="B", note=" ", **shown)
    assert "Say why" in page
    post(publisher, test, "publish", arm="B", note="It won", **shown)
    assert test.status == ExperimentStatus.SHIPPED
    assert Placement.objects.get(name="home").n == 9
    assert "B was published" in text(publisher, f"/experiments/{test.pk}/")


def test_weights_that_the_gate_refuses_need_a_tick(publisher: Client) -> None:
    worse = version(weights={"popularity": 1.0})
    test = with_readings(ten_days_old({"weights": {"home": worse.pk}}))
    assert f"/experiments/{test.pk}/gate/?arm=B" in text(publisher, f"/experiments/{test.pk}/?open=publish")
    assert "Publish anyway" in text(publisher, f"/experiments/{test.pk}/gate/?arm=B")
    shown = seen(publisher, f"/experiments/{test.pk}/?open=publish")
    page = post(publisher, test, "publish", status=422, arm="B", note="It won", **shown)
    assert "Tick the box" in page
    assert ">It won</textarea>" in page
    post(publisher, test, "publish", arm="B", note="It won", override="on", **shown)
    assert BlendWeights.objects.get(pk=worse.pk).is_default
    text(publisher, f"/experiments/{test.pk}/gate/?arm=A", status=404)


def test_what_is_simulated_is_not_published(publisher: Client) -> None:
    test = with_readings(ten_days_old())
    Experiment.objects.filter(pk=test.pk).update(simulated=True)
    page = text(publisher, f"/experiments/{test.pk}/?open=publish")
    assert "Simulated visitors" in page
    assert "<dialog class" not in page
    assert post(publisher, test, "publish", status=409, arm="B", note="It won")


def test_an_experiment_without_people_that_ended_says_so(admin: Client) -> None:
    test = begun()
    stop(experiment=test, by=None, now=timezone.now())
    for address in (f"/experiments/{test.pk}/", "/experiments/?tab=finished"):
        assert "Nothing was counted<" in text(admin, address)
    assert re.search(r"Scheduled or by command</span> · Stopped", text(admin, f"/experiments/{test.pk}/"))


def test_of_replayed_customers_only_what_their_lists_held_is_compared(admin: Client) -> None:
    test = begun({"placements": {"home": {"blend": "home"}}}, kind=ExperimentKind.AA, primary="ctr")
    at = timezone.now()
    for arm in test.arms.all():
        for metric in ("ctr", "revenue", "converted", "fallback"):
            x = {"x": 200.0, "xx": 500.0, "xy": 100.0} if metric != "converted" else {}
            reading(arm, at, n=100, mean=0.5, sd=0.2, metric=metric, facts={"successes": 50}, **x)
    mark = "Replay: bought anyway; says how often the list held it, not whether it sold more."
    page = text(admin, f"/experiments/{test.pk}/")
    assert mark not in page
    assert "Revenue per visitor" in page
    facts = {"arm": 1, "value": 0.01, "low": -0.02, "high": 0.04, "days_to_go": None, "smallest": 0.1}
    test.decision = {"code": "not_yet", "facts": facts, "replayed": True}
    test.save()
    page = text(admin, f"/experiments/{test.pk}/")
    assert page.count(mark) == 1
    assert "No difference, as it should be: clicks per list +1% (−2% to +4%)" in page
    assert "Revenue per visitor" not in page
    assert "allows for what people spent before" not in page
    assert "Lists clicked" in page
    assert "open=publish" not in page  # there is nothing to publish of what everybody gets
    assert "open=stop" in page
    assert mark in text(admin, "/experiments/")
