"""What a draft would have earned, on its page: asked, watched, cancelled, told, and refused in both languages."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone, translation

from analytics.queries.weights.earned import view_of
from analytics.queries.weights.earned_words import refusal_text
from recommendations.engine.experiments.refusal import RefusalCode
from recommendations.models import BlendWeights, DraftEstimate, PlacementDay
from recommendations.services.weights import draft_estimates as service
from recommendations.store.experiments import logged_answers
from recommendations.store.live import writes
from recommendations.terms import Role, RunStatus
from tests import answer_logs as logs
from tests.analytics.pages.weights.forms import flat, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
PAGE = "/weights/earned/?blend=home"
CLICKS: dict[str, Any] = {
    "value": 0.02, "low": 0.01, "high": 0.03, "live": 0.5, "answers": 6_000, "worth": 9_000.0, "never_shown": 0.01,
    "largest": 3.0, "heaviest": 0.02, "together": 1.0, "changed": 0.1,
}  # fmt: skip
ESTIMATORS = ("iips", "snips", "dr", "pbm", "dm")
RESULT: dict[str, Any] = {
    "refusal": None, "answers": 6_000, "unmakeable": 3, "lacking": {"expired": 3}, "shuffled": 600, "nameless": 0,
    "days": 12.0, "a_day": 500.0, "replay": False, "listed": True, "clicks": CLICKS, "money": None,
    "attention": {"eta": 0.58, "se": 0.04, "assumed": False, "free": False},
    "details": {name: {"value": 0.02, "se": 0.004, "never_shown": 0.01} for name in ESTIMATORS},
    "known": None, "tools": {"log_days": 4.0, "test_days": 30.0},
    "looks": {"attention": [1.0, 0.5], "relevance": [0.4, 0.2, 0.1]},
}  # fmt: skip


def stored(draft: BlendWeights, **result: Any) -> DraftEstimate:
    """An estimate with figures by hand."""
    return DraftEstimate.objects.create(
        draft=draft, revision=draft.revision, live=draft.parent, placement="home", watermark="by hand",
        status=RunStatus.SUCCEEDED, progress=1, result=RESULT | result,
    )  # fmt: skip


def test_a_draft_is_estimated_from_answers_that_were_given(publisher: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged_answers, "MOST", 60)
    writes.rebuild()
    logs.explore()
    logs.click(logs.answer(60))
    assert "Save a draft first" in text(publisher, PAGE)
    logs.draft(weights=logs.mixed(0.3))
    assert "Ask past answers" in text(publisher, PAGE)
    begun = flat(publisher.post("/weights/estimate/", {"blend": "home"}, headers={"HX-Request": "true"}))
    assert "Waiting for a worker." in begun
    key = re.search(r"/weights/earned/([\w-]+)/cancel/", begun)[1]  # type: ignore[index]
    service.estimate(DraftEstimate.objects.get().pk)
    done = text(publisher, f"/weights/earned/{key}/")
    assert "This cannot be known from past answers." in done  # sixty are too few
    assert "60" in done
    assert "Test it live…" in done
    assert text(publisher, "/weights/?blend=home").count('hx-get="/weights/earned/') == 1


def test_without_a_script_the_form_leads_back_to_the_page(publisher: Client) -> None:
    assert "No list is made with these weights" in _asked_of_nobody(publisher)
    draft = logs.draft()
    DraftEstimate.objects.all().delete()
    estimate = stored(draft)
    DraftEstimate.objects.update(status=RunStatus.QUEUED, result={})
    answer = publisher.post(f"/weights/earned/{estimate.pk}/cancel/")
    assert (answer.status_code, answer["Location"]) == (302, "/weights/earned/?blend=home&group=")
    assert "The estimate was cancelled." in text(publisher, PAGE)
    assert publisher.post(f"/weights/earned/{estimate.pk}/cancel/").status_code == 302  # a second click
    assert publisher.get(f"/weights/earned/{uuid4()}/").status_code == 404


def _asked_of_nobody(client: Client) -> str:
    draft = logs.draft(number=90)
    page = flat(client.post("/weights/estimate/", {"blend": "home"}))
    draft.delete()
    return page


def test_the_figure_stands_with_how_sure_it_is(publisher: Client) -> None:
    stored(logs.draft())
    page = text(publisher, PAGE)
    assert "would have brought more clicks at “For you”: +4% (+2% to +6%)." in page
    assert 'aria-label="Clicks: +4% (+2% to +6%)"' in page
    assert "3 answers could not be made again: what they were made of is stored for 30 days" in page
    assert "For ± 5% of the clicks 4 days of answers are enough; a live test would need about 30 days." in page
    for name in (
        "Worth in answers of a live test",
        "Largest weight of a click",
        "Simpler estimators beside it",
        "(IPS)",
        "(SNIPS)",
        "(DR)",
        "(PBM)",
        "(DM)",
    ):
        assert name in page
    assert "No version was estimated before it was published" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"clicks": CLICKS | {"value": -0.02, "low": -0.03, "high": -0.01}},
            "would have cost clicks at “For you”: −4%",
        ),
        (
            {"clicks": CLICKS | {"low": -0.01}},
            "No clear difference in clicks at “For you”: +4%, anywhere from −2% to +6%.",
        ),
        ({"clicks": CLICKS | {"value": 0, "low": 0, "high": 0, "worth": None}}, "shows the same lists at “For you”"),
        ({"clicks": CLICKS | {"live": 0.0}}, "Nothing at all was clicked at “For you”"),
        ({"money": CLICKS | {"value": -0.4}}, "In revenue of a thousand answers: −$400."),
        ({"replay": True, "known": 0.025}, "Here the truth is known: +5%. The interval holds it."),
        ({"replay": True, "known": 0.05}, "The interval does not hold it."),
        ({"visits": True}, "Only answers are asked on which a visit has a say"),
        (
            {"replay": True, "attention": {"eta": 0.0, "se": 0.15, "assumed": True, "free": False}},
            "taken as 0.00: a replay looks at no position more than at another",
        ),
        ({"listed": False}, "does not report which lists were seen at “For you”"),
        ({"tools": {"log_days": 105.0, "test_days": 30.0}}, "a live test of all visitors is quicker: about 30 days"),
    ],
)
def test_what_a_figure_says(publisher: Client, fields: dict[str, Any], words: str) -> None:
    stored(logs.draft(), **fields)
    assert words in text(publisher, PAGE)


def test_a_draft_that_has_changed_since_says_so(publisher: Client) -> None:
    draft = logs.draft()
    stored(draft)
    BlendWeights.objects.filter(pk=draft.pk).update(revision=2)
    assert "The draft has changed since" in text(publisher, PAGE)


FACTS: dict[RefusalCode, dict[str, float]] = {
    RefusalCode.NO_EXPLORATION: {"answers": 900.0, "days": 6.2},
    RefusalCode.UNMAKEABLE: {"share": 0.4},
    RefusalCode.MOVED: {"share": 0.3, "days": 3.0},
    RefusalCode.TOO_FEW: {"worth": 310.0, "needed": 1_000.0, "days": 9.0},
    RefusalCode.NEVER_SHOWN: {"share": 0.23},
    RefusalCode.ORDER_MATTERS: {"together": 0.48, "changed": 0.4},
    RefusalCode.ONE_CARRIES_ALL: {"share": 0.6},
}
NUMBERS = {
    RefusalCode.NO_EXPLORATION: ["6"], RefusalCode.UNMAKEABLE: ["40%"], RefusalCode.MOVED: ["30%", "3"],
    RefusalCode.TOO_FEW: ["310", "1,000", "9"], RefusalCode.NEVER_SHOWN: ["23%"],
    RefusalCode.ORDER_MATTERS: ["0.48", "40%"], RefusalCode.ONE_CARRIES_ALL: ["60%"],
}  # fmt: skip


def test_a_refusal_speaks_of_no_interval_as_it_shows_none() -> None:
    refusal = {"code": RefusalCode.TOO_FEW, "facts": FACTS[RefusalCode.TOO_FEW]}
    view = view_of(stored(logs.draft(), replay=True, known=0.025, refusal=refusal))
    assert "Here the truth is known: +5%." in view.notes


@pytest.mark.parametrize("code", list(RefusalCode))
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_refusal_has_its_figures_in_both_languages(code: RefusalCode, language: str) -> None:
    draft = logs.draft()
    estimate = stored(draft, refusal={"code": code, "facts": FACTS[code]}, lacking={"model_gone": 9})
    with translation.override(language):
        view = view_of(estimate)
    assert view.refused
    assert view.spans == ()
    assert all(figure in view.sentence for figure in NUMBERS[code])
    assert bool(re.search(r"[\u4e00-\u9fff]", view.sentence)) is (language != "en")


def test_nobody_answered_is_no_lack_of_exploration() -> None:
    words = refusal_text(RefusalCode.NO_EXPLORATION, {"answers": 0, "days": None}, reason="")
    assert "Nobody these weights are for" in words
    later = refusal_text(RefusalCode.MOVED, {"share": 0.1, "days": None}, reason="")
    assert "some weeks, once there is traffic" in later


@pytest.mark.parametrize("code", [RefusalCode.NO_EXPLORATION, RefusalCode.TOO_FEW])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_nobody_is_told_to_wait_for_what_never_comes_together(code: RefusalCode, language: str) -> None:
    """Four weeks of answers are asked, however long somebody waits."""
    with translation.override(language):
        words = refusal_text(code, FACTS[code] | {"days": 1_167.0}, reason="")
    assert "167" not in words
    assert ("test it live" if language == "en" else "直接上线测试") in words


def test_a_viewer_looks_and_does_not_ask(client_of: Callable[[Role], Client]) -> None:
    stored(logs.draft())
    page = text(client_of(Role.VIEWER), PAGE)
    assert "would have brought more clicks" in page
    assert "Ask again" not in page
    assert "Test it live…" not in page


def price(client: Client, **fields: Any) -> str:
    sent = "&".join(f"{name}={value}" for name, value in fields.items())
    return text(client, f"/weights/exploration/?blend=home&{sent}")


def test_the_price_of_exploring_is_told_before_it_is_saved(publisher: Client) -> None:
    assert "Nothing is explored" in price(publisher, exploration=0, cards=0)
    panel = price(publisher, exploration=0.1, cards=0.05)
    assert re.search(r"18\.8% of the answers explore: about [\d.]+% less accurate on the tuning panel\.", panel)
    assert "past answers stay silent" in price(publisher, exploration=0, cards=0.2)
    stored(logs.draft())
    day = timezone.localdate()
    PlacementDay.objects.create(
        day=day, placement="home", replay=False, position=0, listed=9, seen=9, clicked=9, carted=0, bought=9,
        purchases=9, revenue=4_000, squares=0,
    )  # fmt: skip
    told = price(publisher, exploration=1, cards=0)
    figure = re.search(r"about ([\d.]+)% fewer clicks\. That is about \$(\d+) a week of \$1,000 attributed\.", told)
    assert figure is not None
    assert float(figure[1]) == pytest.approx(int(figure[2]) / 10, abs=0.06)
    assert "can be judged after 4 days; a live test takes 30 days" in told


def test_the_price_of_a_blend_that_nothing_measures(publisher: Client) -> None:
    words = text(publisher, "/weights/exploration/?blend=cart&exploration=0.1&cards=0")
    assert "What that costs is not measured here" in words
    assert "Nothing is explored" in text(publisher, "/weights/exploration/?blend=cart&exploration=x")
