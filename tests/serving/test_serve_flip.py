"""A new model takes the place of the old one under requests."""

import threading
import time
from collections import Counter
from pathlib import Path
from typing import cast

import pytest
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils import timezone

from recommendations.loop.run import run_loop
from recommendations.models import Arm, BlendWeights, Customer, Experiment, ModelVersion, Placement
from recommendations.services.operations.runs import start_run
from recommendations.serving.pipeline import recommend
from recommendations.serving.serve import serve
from recommendations.serving.types import Answer, Request, ResolvedRequest
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.store.live.fetch import Changed
from recommendations.store.live.state import NOTHING
from recommendations.store.models import live_version
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import RunStatus
from tests.grocery import open_shop
from tests.trained import NOW, artefact_folder

FLIPS = 12
ARM_FLIPS = 60
ANSWERS = 10  # of each version that goes live, before the next one does


def go_round(seed: int) -> ModelVersion:
    run = start_run(by=None, now=NOW, seed=seed, in_worker=False)
    assert run_loop(run.pk, clock=timezone.now) is RunStatus.SUCCEEDED
    return ModelVersion.objects.live().get()


def print_of(answer: Answer) -> tuple[object, ...]:
    """All that the model decides; another seed gives other factors and so other scores."""
    return tuple((shown.item, shown.score, tuple(shown.contributions.items())) for shown in answer.shown)


def expected(users: list[str]) -> dict[tuple[int | None, str], tuple[object, ...]]:
    """Answers of the model that is held now, by version and user."""
    snapshot = snapshot_holder().current(None)
    asks = {
        user: ResolvedRequest(placement="home", customer=Customer.objects.get(pseudonym=pseudonym(user)).pk)
        for user in users
    }
    answers = {user: recommend(ask, snapshot=snapshot, state=NOTHING, now=NOW) for user, ask in asks.items()}
    return {(answer.model_version, user): print_of(answer) for user, answer in answers.items()}


@pytest.mark.django_db(transaction=True)
def test_every_answer_is_wholly_of_one_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = [f"u{number}" for number in range(6)]
    connection.close()
    cast("DatabaseWrapper", connection).close_pool()  # what threads of earlier tests took with them is missing in it
    with artefact_folder(tmp_path):
        open_shop(now=NOW)
        first = go_round(seed=1)
        # The seed speaks through the factors, so that the two versions differ for everybody.
        BlendWeights.objects.defaults().filter(blend__name="home").update(weights={"als": 0.6, "ease_home": 0.4})
        right = expected(users)
        second = go_round(seed=2)
        fetch.announce(Changed.MODEL)
        snapshot_holder().current({"model": "moved"})
        snapshot_holder().settle()
        right |= expected(users)
        assert len({version for version, _ in right}) == 2
        assert all(right[first.pk, user] != right[second.pk, user] for user in users)

        stop, wrong, counts = threading.Event(), [], {first.pk: 0, second.pk: 0}

        def ask(user: str) -> None:
            while not stop.is_set():
                answer = serve(Request(placement="home", user_id=user, dry_run=True), now=NOW)
                assert answer.model_version is not None
                counts[answer.model_version] += 1
                if print_of(answer) != right[answer.model_version, user]:
                    wrong.append((user, answer.model_version))
            connection.close()

        threads = [threading.Thread(target=ask, args=(user,)) for user in users[:3]]
        for thread in threads:
            thread.start()
        try:
            for flip in range(FLIPS):
                live = (first, second)[flip % 2]
                enough, deadline = counts[live.pk] + ANSWERS, time.monotonic() + 30
                live_version.go_live(live, now=timezone.now())
                fetch.announce(Changed.MODEL)
                while counts[live.pk] < enough and time.monotonic() < deadline:
                    time.sleep(0.01)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        snapshot_holder().settle()
        assert wrong == []
        assert min(counts.values()) > 50
        assert_arms_never_mix(users[:3])


def running_test() -> dict[int, BlendWeights]:
    """Begin an experiment of three versions of weights; the version by key of its arm, that of the control first."""
    default = BlendWeights.objects.defaults().get(blend__name="home")
    others = [
        BlendWeights.objects.create(
            blend=default.blend, number=80 + number, weights={name: 1.0}, status="published", reason="test"
        )
        for number, name in enumerate(("als", "ease_home"))
    ]
    test = Experiment.objects.create(name="Flip", kind="ab", status="running", primary="ctr", started_at=NOW, salt=b"s")
    test.placements.set(Placement.objects.filter(name="home"))
    arms = [
        Arm.objects.create(experiment=test, position=position, changes={"weights": {"home": row.pk}}, share=1 / 3)
        for position, row in enumerate((default, *others))
    ]
    return dict(zip((arm.pk for arm in arms), (default, *others), strict=True))


def assert_arms_never_mix(users: list[str]) -> None:
    """Sixty times an experiment begins or ends and the default moves, under requests of three threads."""
    weights_of = running_test()
    versions = list(weights_of.values())
    stop, wrong, counts = threading.Event(), [], Counter[bool]()

    def ask(number: int) -> None:
        while not stop.is_set():
            for user in (*users, f"stranger {number} {sum(counts.values())}"):
                answer = serve(Request(placement="home", user_id=user, dry_run=True), now=NOW)
                counts[bool(answer.arms)] += 1
                if answer.arms and answer.weights:
                    row = weights_of[answer.arms[0].key]
                    if answer.weights.key != row.pk or answer.weights.weights != row.weights:
                        wrong.append((user, answer.arms, answer.weights))
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for flip in range(ARM_FLIPS):
            seen, deadline = sum(counts.values()), time.monotonic() + 10
            Experiment.objects.update(status="paused" if flip % 2 else "running")
            BlendWeights.objects.filter(blend__name="home").update(is_default=False)
            BlendWeights.objects.filter(pk=versions[flip % 3].pk).update(is_default=True)
            fetch.announce(Changed.EXPERIMENTS, Changed.WEIGHTS)
            while sum(counts.values()) < seen + ANSWERS and time.monotonic() < deadline:
                time.sleep(0.005)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert min(counts[True], counts[False]) > 50
