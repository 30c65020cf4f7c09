"""Weights through the gate, on a shop that was really learned: popularity alone is far worse than the tuned weights."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone, translation

from recommendations.models import AuditEntry, Blend, BlendWeights, Measurement, ModelVersion, Staff
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.operations.quality import NotMeasuredError, differences
from recommendations.services.operations.versions import VersionNotReadyError, make_live
from recommendations.services.weights.blending import AlreadyPublishedError, GateClosedError, publish
from recommendations.services.weights.tuning import NothingToTuneOnError, tune
from recommendations.store.live import fetch
from recommendations.terms import BlendName, GateOutcome, Role, Task, VersionStatus, WeightsStatus
from recommendations.wording import labels

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user("boss@example.com", role=Role.PUBLISHER)


def default(blend: BlendName = BlendName.HOME) -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name=blend)


def proposed(weights: dict[str, float], blend: BlendName = BlendName.HOME) -> BlendWeights:
    return BlendWeights.objects.create(
        blend=Blend.objects.get(name=blend), number=99, weights=weights, status=WeightsStatus.PROPOSED, reason="test"
    )


def test_the_first_weights_carry_the_verdict_that_let_them_pass() -> None:
    gate = default().gate
    assert (gate["outcome"], gate["users"], gate["worse_than"]) == (GateOutcome.PASSED, 60, [])
    assert set(gate["against"]) == {"popular", "recent", "personal_frequency"}
    assert labels.gate_text(gate) == "On 60 customers of the test window, no worse than what it is compared with."


def test_worse_weights_are_stopped_by_the_gate(boss: Staff) -> None:
    before, worse = default(), proposed({"popularity_home": 1.0})
    with pytest.raises(GateClosedError) as closed:
        publish(weights=worse, by=boss, now=timezone.now(), note="Sale week")
    assert closed.value.weights == worse
    verdict = closed.value.gate_result
    assert verdict["outcome"] == GateOutcome.WORSE
    assert verdict["worse_than"][0] == "live"  # and worse than what a person always buys
    assert "personal_frequency" in verdict["worse_than"]
    assert verdict["against"]["live"]["high"] < 0
    assert verdict["earns_less"]
    assert verdict["revenue"]["high"] < 0 < verdict["revenue_reached"]
    assert default() == before
    text = labels.gate_text(verdict)
    assert text.startswith("Worse than what is live on 60 customers of the test window, first 20 items: accuracy −")
    with translation.override("zh-hans"):
        assert "线上版本" in labels.gate_text(verdict)


def test_a_verdict_on_money_alone_says_so() -> None:
    lost = {"value": -0.002, "low": -0.003, "high": -0.001}
    verdict = {
        "outcome": GateOutcome.WORSE, "users": 1234, "worse_than": [], "against": {}, "earns_less": True,
        "revenue": lost, "revenue_reached": 0.2,
    }  # fmt: skip
    assert labels.gate_text(verdict) == (
        "Earns less than what is live on 1,234 customers of the test window, first 10 items: revenue −1.0%, "
        "95% interval −1.5% to −0.5%."
    )


def test_staff_can_publish_worse_weights_with_a_note(boss: Staff, django_capture_on_commit_callbacks: Any) -> None:
    before, worse = default(), proposed({"popularity_home": 1.0})
    with pytest.raises(NoteNeededError):
        publish(weights=worse, by=boss, now=timezone.now(), override=True, note="  ")
    marks = fetch.state_of(1, since=None).changed
    with django_capture_on_commit_callbacks(execute=True):
        version = publish(weights=worse, by=boss, now=timezone.now(), override=True, note="Sale week")
    assert default() == version == worse
    assert (version.status, version.gate["override"], version.gate["outcome"]) == ("published", "Sale week", "worse")
    before.refresh_from_db()
    assert (before.is_default, before.status) == (False, WeightsStatus.PUBLISHED)
    entry = AuditEntry.objects.get(verb="publish")
    assert (entry.staff, entry.note, entry.before) == (boss, "Sale week", {"default": before.number})
    assert fetch.state_of(1, since=None).changed != marks


def test_weights_as_good_as_the_live_ones_pass() -> None:
    same = proposed(default().weights)
    published = publish(weights=same, by=None, now=timezone.now())
    assert published.is_default
    assert published.gate["against"]["live"] == {"value": 0, "low": 0, "high": 0}
    with pytest.raises(AlreadyPublishedError):
        publish(weights=published, by=None, now=timezone.now())
    assert AuditEntry.objects.filter(verb="publish").count() == 1


def test_weights_of_an_unmeasured_blend_need_an_override_with_a_note() -> None:
    items = proposed({"also_bought": 1.0}, BlendName.ITEM)
    with pytest.raises(GateClosedError) as closed:
        publish(weights=items, by=None, now=timezone.now())
    assert closed.value.gate_result["outcome"] == GateOutcome.UNMEASURED
    assert "nothing could be compared" in labels.gate_text(closed.value.gate_result)
    assert publish(weights=items, by=None, now=timezone.now(), override=True, note="by judgement").is_default


def test_tuning_proposes_and_changes_nothing(boss: Staff) -> None:
    before = default(BlendName.DISCOVER)
    weights = tune(blend=BlendName.DISCOVER, seed=3, by=boss, now=timezone.now())
    assert default(BlendName.DISCOVER) == before
    assert (weights.status, weights.author, weights.parent) == (WeightsStatus.PROPOSED, boss, before)
    assert sum(weights.weights.values()) == pytest.approx(1, abs=1e-3)
    assert weights.expected["against_default"]["accuracy"]["value"] >= 0  # the default is where it starts
    assert set(weights.expected["ablation"]) == {name for name, weight in weights.weights.items() if weight > 0}
    assert weights.gate["against"].keys() == {"live", "popular", "recent", "personal_frequency"}
    with pytest.raises(NothingToTuneOnError):
        tune(blend=BlendName.CART, seed=0, by=None, now=timezone.now())


def test_the_tune_command_prints_proposes_and_publishes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = default()
    call_command("tune", "--blend", "home", "--seed", "1", "--json", str(tmp_path / "told.json"))
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "told.json").read_text())["home"]
    assert default() == before
    assert BlendWeights.objects.get(pk=report["version"]).number == report["number"] == before.number + 1
    assert f"against {before}" in printed
    assert "on the tuning window" in printed
    call_command("tune", "--blend", "home", "--publish", "--json", str(tmp_path / "told.json"))
    report = json.loads((tmp_path / "told.json").read_text())["home"]
    assert report["published"] is (report["gate"]["outcome"] == "passed") is (default().pk == report["version"])


def test_the_tune_command_without_a_live_version_says_what_to_do() -> None:
    ModelVersion.objects.update(is_live=False)
    with pytest.raises(CommandError, match="Run the loop"):
        call_command("tune")


def test_customers_where_two_rows_differ_most() -> None:
    frame = differences(task=Task.HOME, a="hybrid", b="popular")
    assert list(frame.columns) == ["customer", "a", "b", "difference"]
    assert len(frame) == frame["customer"].nunique() == 60
    assert (frame["difference"].abs().diff().dropna() <= 0).all()
    assert frame["difference"].tolist() == pytest.approx((frame["a"] - frame["b"]).tolist())
    for column, name in {"a": "hybrid", "b": "popular"}.items():
        stored = Measurement.objects.get(evaluation__task=Task.HOME, name=name).metrics["ndcg@10"]["value"]
        assert frame[column].mean() == pytest.approx(stored, abs=1e-6)
    with pytest.raises(NotMeasuredError) as missing:
        differences(task=Task.HOME, a="hybrid", b="ease_discover")
    assert missing.value.name == "ease_discover"
    ModelVersion.objects.update(is_live=False)
    with pytest.raises(NotMeasuredError):
        differences(task=Task.HOME, a="hybrid", b="popular")


def test_every_row_of_an_evaluation_is_compared_and_cut_in_slices() -> None:
    measured = Measurement.objects.filter(evaluation__task=Task.HOME).select_related("evaluation").order_by("pk")
    rows = {row.name: row for row in measured}
    hybrid, popular = rows["hybrid"], rows["popular"]
    assert hybrid.against == {}
    expected = popular.metrics["ndcg@10"]["value"] - hybrid.metrics["ndcg@10"]["value"]
    assert popular.against["ndcg@10"]["value"] == pytest.approx(expected, abs=2e-6)
    assert popular.against["ndcg@10"]["high"] < 0
    overall = {(each["kind"], each["key"]): each for each in hybrid.slices}
    assert overall[("activity", "warm")]["users"] == overall[("department", "FOOD")]["users"] == 60  # all alike
    assert overall[("department", "FOOD")]["metrics"]["ndcg@10"]["value"] == hybrid.metrics["ndcg@10"]["value"]
    assert hybrid.evaluation.overlap["names"] == list(rows)
    assert [row[number] for number, row in enumerate(hybrid.evaluation.overlap["shares"])] == [1.0] * len(rows)
    assert (hybrid.fit_seconds or 0) > (rows["buy_again"].fit_seconds or 0)
    assert (hybrid.peak_mb or 0) > 100
    assert rows["buy_again"].score_seconds is not None


def test_a_version_that_was_held_back_goes_live_with_a_note(boss: Staff) -> None:
    held = ModelVersion.objects.get()
    ModelVersion.objects.update(is_live=False, live_since=None)
    with pytest.raises(NoteNeededError):
        make_live(version=held, by=boss, now=timezone.now(), note="")
    live = make_live(version=held, by=boss, now=timezone.now(), note="The old one has no bakery")
    assert live.is_live
    assert AuditEntry.objects.get(verb="make live").note == "The old one has no bakery"
    assert "The old one has no bakery" in live.run.log.last().text
    assert make_live(version=live, by=boss, now=timezone.now(), note="") == live
    ModelVersion.objects.update(is_live=False, status=VersionStatus.BUILDING)
    with pytest.raises(VersionNotReadyError):
        make_live(version=live, by=boss, now=timezone.now(), note="x")
