"""Rotation that a request asks for: what its customer saw and did not click goes down, at every door alike."""

import pytest
from django.utils import timezone

from recommendations.models import BlendWeights, Placement
from recommendations.serving.past.again import Reconstruction, Sameness, again
from recommendations.serving.serve import serve, serve_all, serve_page, serve_written
from recommendations.serving.types import Answer, PageRequest, Request
from recommendations.store.live import fetch, writes
from recommendations.store.serving.snapshot_holder import current_snapshot
from tests.live_state import rebuild_live_state
from tests.serving.test_again import one
from tests.serving.test_ignored_showings import seen, shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture(autouse=True)
def _live_state_is_whole(_empty_valkey: None) -> None:
    BlendWeights.objects.filter(is_default=True).update(exploration=0, cards=0, diversity=0)
    fetch.announce(*fetch.Changed)
    rebuild_live_state()
    current_snapshot()


def ask(rotation: float | None = None, *, user: str = "u0") -> Answer:
    return serve(Request(placement="home", user_id=user, n=8, rotation=rotation), now=timezone.now())


def first(answer: Answer) -> str:
    return answer.shown[0].product.shop_id


def test_showings_are_remembered_from_the_first_request_on_and_those_of_before() -> None:
    top = first(ask())
    seen(top, times=40)
    assert shown() == ()  # nobody asks for it
    assert not current_snapshot().remembers_showings
    ask(0)
    assert not current_snapshot().remembers_showings
    ask(0.5)
    assert current_snapshot().remembers_showings
    writes._write_what_waits()
    writes.rebuild_if_lost()
    assert len(shown()) == 40
    seen(top, times=2, days=0.01)
    assert len(shown()) == 42
    assert first(ask(1)) != top
    assert first(ask()) == top
    writes.rebuild(afresh=True)
    assert not current_snapshot().remembers_showings
    assert shown() == ()


@pytest.fixture
def top() -> str:
    """The first item of u0, which they saw forty times."""
    writes.remember_showings()
    current_snapshot()
    name = first(ask())
    seen(name, times=40)
    return name


def test_what_was_ignored_goes_down_as_by_the_placements_own_fatigue(top: str) -> None:
    asked = ask(0.5)
    Placement.objects.filter(name="home").update(fatigue=0.5)
    fetch.announce(fetch.Changed.PLACEMENTS)
    own = ask()
    assert [(each.item, each.final, each.fatigue) for each in asked.shown] == [
        (each.item, each.final, each.fatigue) for each in own.shown
    ]
    assert any(each.fatigue < 0 for each in ask(0.01).shown)
    assert first(ask(0)) == top  # the request has the last word
    assert first(ask(0.5, user="u5")) == first(ask(user="u5"))  # another customer


def test_every_door_rotates(top: str) -> None:
    now = timezone.now()
    request = Request(placement="home", user_id="u0", n=8, rotation=1)
    answers: list[Answer] = []

    def write(answer: Answer) -> bytes:
        answers.append(answer)
        return b"{}"

    serve_written(request, write=write, now=now)
    serve_written(request, write=write, now=now)
    assert len(answers) == 1  # it is kept
    serve_written(Request(placement="home", user_id="u0", n=8), write=write, now=now)
    serve_all([request], write=write, now=now)
    serve_page(
        PageRequest(name="home", shared=Request(placement="", user_id="u0", rotation=1), counts=(("home", 8),)),
        write=write, now=now,
    )  # fmt: skip
    kept, plain, batch, page, *_rest = answers
    assert first(plain) == top
    assert {first(kept), first(batch), first(page)} == {first(ask(1))} != {top}
    seen(first(kept), times=40, name="s")
    serve_written(request, write=write, now=now)
    assert first(answers[-1]) != first(kept)  # a kept answer knows of what was seen since


def test_it_is_made_again_exactly(top: str) -> None:
    slate = one(rotation=0.8)
    seen(top, times=5, days=0.02, name="later")
    result = again(Reconstruction.of(slate, live=current_snapshot(), now=timezone.now()))
    assert (result.sameness, list(result.missing)) == (Sameness.EXACT, [])
