"""What a person does to a running bandit: pins, floors, taking out, pausing, publishing."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.services.experiments.bandit_steps import take_out
from recommendations.services.experiments.lifecycle import ship
from recommendations.services.experiments.states import ArmIsOutError
from recommendations.terms import ExperimentStatus, Role
from tests.analytics.pages.experiments.bandits import arm, post, running, with_shares
from tests.analytics.pages.experiments.pages import seen, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


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
