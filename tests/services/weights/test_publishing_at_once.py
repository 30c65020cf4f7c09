"""Two publishers press the button at the same moment: real transactions, no model."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from recommendations.models import AuditEntry, BlendWeights, Staff
from recommendations.services.weights.blending import AlreadyPublishedError, StaleDefaultError, publish
from recommendations.services.weights.drafts import StaleDraftError, save_draft
from recommendations.store.models import weight_versions
from recommendations.store.models.weight_versions import Made
from recommendations.terms import BlendName, Role

pytestmark = pytest.mark.django_db(transaction=True)

type Outcome = BlendWeights | Exception


def at_once(*acts: Callable[[], BlendWeights]) -> list[Outcome]:
    """Run each act in a thread of its own; returns the outcomes, errors last."""
    outcomes: list[Outcome] = []
    start = threading.Barrier(len(acts))

    def do(act: Callable[[], BlendWeights]) -> None:
        start.wait()
        try:
            outcomes.append(act())
        except (AlreadyPublishedError, StaleDefaultError, StaleDraftError) as error:
            outcomes.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes, key=lambda outcome: isinstance(outcome, Exception))


def publishing(weights: BlendWeights, *, by: Staff) -> Callable[[], BlendWeights]:
    return lambda: publish(weights=weights, by=by, now=timezone.now(), note="mine", override=True)


def drafting(instance: str, *, by: Staff) -> Callable[[], BlendWeights]:
    values = {"weights": {instance: 1}}
    return lambda: save_draft(blend=BlendName.HOME, values=values, revision=None, by=by, now=timezone.now())


def appended(weights: dict[str, float], *, publish: bool) -> BlendWeights:
    new = Made(weights=weights, reason="test")
    return weight_versions.append_weights(
        blend=BlendName.HOME, made=new, author=None, now=timezone.now(), publish=publish
    )


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user("boss@example.com", role=Role.PUBLISHER)


def test_the_second_of_two_publishers_is_refused_with_the_difference(boss: Staff) -> None:
    appended({"als": 1.0}, publish=True)
    proposed, mine = appended({"content": 1.0}, publish=False), drafting("buy_again", by=boss)()
    won, refused = at_once(publishing(mine, by=boss), publishing(proposed, by=boss))
    assert isinstance(won, BlendWeights)
    assert isinstance(refused, StaleDefaultError)
    assert refused.current == won == weight_versions.default_weights(BlendName.HOME)
    assert refused.weights == (proposed if won == mine else mine)
    assert {each.name for each in refused.differences} == {"buy_again", "content"}
    assert AuditEntry.objects.filter(verb="publish").count() == 1


def test_one_draft_that_two_publish_is_published_once(boss: Staff) -> None:
    appended({"als": 1.0}, publish=True)
    mine = drafting("buy_again", by=boss)()
    won, refused = at_once(publishing(mine, by=boss), publishing(mine, by=boss))
    assert won == mine
    assert isinstance(refused, AlreadyPublishedError)


def test_two_drafts_begun_at_once_become_one(boss: Staff) -> None:
    draft, refused = at_once(drafting("als", by=boss), drafting("content", by=boss))
    assert isinstance(refused, StaleDraftError)
    assert refused.current == draft == BlendWeights.objects.get()
