"""Gate of a run: first weights, automatic weights, and changed settings that go live by themselves; leaks end a run."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.utils import timezone

from recommendations.engine.feedback.tuning import SearchConfig, tuned
from recommendations.engine.recommenders.registry import INSTANCES
from recommendations.loop import adjust
from recommendations.loop.run import run_loop
from recommendations.models import Blend, BlendWeights, Event, ModelVersion, Run
from recommendations.services.operations.runs import start_run
from recommendations.store import domain
from recommendations.terms import BlendName, GateOutcome, RunStatus, Trust, VersionStatus, WeightsStatus
from tests.grocery import open_shop
from tests.trained import artefact_folder

NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def grocery(tmp_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A shop, and a short search: what passes the gate is the question here, not what the tuner finds."""
    short = SearchConfig(draws=8, climbs=1, rounds=1)
    monkeypatch.setattr(adjust, "tuned", partial(tuned, search=short))
    open_shop(now=NOW)
    with artefact_folder(tmp_path / "artefacts"):
        yield


def go_round() -> Run:
    run = start_run(by=None, now=NOW, in_worker=False)
    run_loop(run.pk, clock=timezone.now)
    run.refresh_from_db()
    return run


def log_of(run: Run) -> str:
    return "\n".join(run.log.values_list("text", flat=True))


def default(blend: BlendName = BlendName.HOME) -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name=blend)


def served_alone(name: str) -> BlendWeights:
    """The default of home is one recommender from now on."""
    BlendWeights.objects.filter(pk=default().pk).update(weights={name: 1.0})
    return default()


def test_a_version_with_worse_settings_does_not_go_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bread only by what the neighbours bought: one neighbour of any taste instead of fifty of the same."""
    first = go_round()
    served_alone("user_knn")
    spoilt = tuple(
        replace(one, config=replace(one.config, neighbours=1, half_life=0.5, power=0.0))
        if one.name == "user_knn"
        else one
        for one in INSTANCES
    )
    monkeypatch.setattr(domain, "INSTANCES", spoilt)
    second = go_round()
    assert second.status == RunStatus.SUCCEEDED, second.message
    held = second.model_version
    assert (held.status, held.is_live) == (VersionStatus.READY, False)
    assert ModelVersion.objects.live().get().run == first
    assert held.gate["home"]["outcome"] == GateOutcome.WORSE
    assert held.gate["home"]["worse_than"] == ["live"]
    assert "discover" not in held.gate  # nothing of it changed
    assert held.instances["user_knn"]["neighbours"] == 1
    assert "worse than live, certain and not negligible" in log_of(second)
    assert f"model {held} is ready, and not live" in log_of(second)


def test_a_version_with_settings_that_are_not_worse_goes_live(monkeypatch: pytest.MonkeyPatch) -> None:
    go_round()
    served_alone("buy_again")
    changed = tuple(
        replace(one, config=replace(one.config, half_life=80.0)) if one.name == "buy_again" else one
        for one in INSTANCES
    )
    monkeypatch.setattr(domain, "INSTANCES", changed)
    second = go_round()
    assert ModelVersion.objects.live().get().run == second
    assert second.model_version.gate["home"]["outcome"] == GateOutcome.PASSED
    assert second.model_version.instances["buy_again"]["half_life"] == 80
    third = go_round()  # now the settings are the live ones
    assert third.model_version.gate == {}


def test_automatic_weights_go_live_only_through_the_gate() -> None:
    go_round()
    Blend.objects.update(automatic=True)
    poor = served_alone("popularity_home")
    second = go_round()
    better = default()
    assert better.number > poor.number
    assert (better.gate["outcome"], better.gate["against"]["live"]["low"] > 0) == (GateOutcome.PASSED, True)
    assert "home: new weights are published, as the blend is automatic; not worse" in log_of(second)


def test_automatic_weights_that_lose_on_the_test_window_are_only_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tuner is made to like what the tuning window cannot justify."""
    go_round()
    Blend.objects.update(automatic=True)
    before = default()
    search = adjust.tuned

    def misled(*args: object, **kwargs: object) -> object:
        result = search(*args, **kwargs)  # type: ignore[arg-type]
        return replace(result, weights={**dict.fromkeys(result.weights, 0.0), "popularity_home": 1.0})

    monkeypatch.setattr(adjust, "tuned", misled)
    monkeypatch.setattr(adjust, "NOTABLE", -1.0)
    second = go_round()
    assert default() == before
    proposal = BlendWeights.objects.filter(blend__name="home").first()
    assert (proposal.status, proposal.gate["outcome"]) == (WeightsStatus.PROPOSED, GateOutcome.WORSE)
    assert "home: new weights are proposed to staff; worse than" in log_of(second)


def test_first_weights_that_lose_to_a_baseline_give_way_to_the_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    search = adjust.tuned

    def misled(*args: object, **kwargs: object) -> object:
        result = search(*args, **kwargs)  # type: ignore[arg-type]
        poor = "popularity_home" if "popularity_home" in result.weights else "popularity_discover"
        return replace(result, weights={**dict.fromkeys(result.weights, 0.0), poor: 1.0})

    monkeypatch.setattr(adjust, "tuned", misled)
    first = go_round()
    assert default().reason == "Shipped preset"
    assert default().gate["outcome"] == GateOutcome.PASSED
    assert "home: Tuned by run" in log_of(first)
    assert "worse than personal_frequency, certain and not negligible" in log_of(first)


def test_a_run_whose_history_holds_baskets_of_the_window_fails_with_the_reason() -> None:
    """Every fourth basket of the last two weeks was imported a second time, two months too early."""
    copies = [
        event
        for event in Event.objects.filter(occurred_at__gte=NOW - timedelta(days=14))
        if int(event.transaction_id.split("-")[0][1:]) % 4 == 0
    ]
    Event.objects.update(trust=Trust.IMPORT)  # of the server's words the first would count, and the rest be left out
    for event in copies:
        event.occurred_at -= timedelta(days=60)
        event.trust = Trust.IMPORT
    Event.objects.bulk_create(copies)
    run = go_round()
    assert run.status == RunStatus.FAILED
    assert run.message.startswith("The evaluation leaks, so its figures mean nothing. ")
    assert "of the window's baskets are in the history, too" in run.message
    assert not ModelVersion.objects.live().exists()
