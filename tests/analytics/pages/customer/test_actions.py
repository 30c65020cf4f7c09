"""A card of a customer is judged and made a draft rule of, and both are taken back; a viewer does neither."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import Customer, Item, Judgement, Rule
from recommendations.services.rules.books import publish_rules
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import JudgementKind, Role, RuleAction
from tests.analytics.pages.customer.conftest import outsider, text, thing, titles

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

HTMX = {"HX-Request": "true"}


@pytest.fixture
def viewer(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.VIEWER)


def judged(client: Client, who: Customer, item: Item, **sent: str) -> str:
    address = f"/customers/{who.code}/judge/{item.pk}/"
    answer = client.post(address, {"placement": "home", "rank": "1", **sent}, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def pressed(part: str) -> list[str]:
    return re.findall(r'name="judgement" value="(\w+)" aria-pressed="true"', part)


def test_a_judgement_is_given_noted_changed_and_taken_back(merchandiser: Client, tea_drinker: Customer) -> None:
    item = thing("tea-0")
    assert pressed(judged(merchandiser, tea_drinker, item, judgement="odd")) == ["odd"]
    part = judged(merchandiser, tea_drinker, item, save_note="yes", note="Twice a week?")
    assert pressed(part) == ["odd"]
    assert 'value="Twice a week?"' in part
    assert pressed(judged(merchandiser, tea_drinker, item, save_note="yes", note="Twice a week?")) == ["odd"]
    assert pressed(judged(merchandiser, tea_drinker, item, judgement="wrong", note="Twice a week?")) == ["wrong"]
    verdict = Judgement.objects.get()
    assert (verdict.kind, verdict.note, verdict.rank) == (JudgementKind.WRONG, "Twice a week?", 1)
    page = merchandiser.get(f"/customers/{tea_drinker.code}/").content.decode()
    assert pressed(page) == ["wrong"]
    assert pressed(judged(merchandiser, tea_drinker, item, judgement="wrong", note="Twice a week?")) == []
    assert not Judgement.objects.exists()


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("pin", {"action": RuleAction.PIN, "slot": 4}),
        ("boost", {"action": RuleAction.BOOST}),
        ("bury", {"action": RuleAction.BOOST}),
        ("never", {"action": RuleAction.EXCLUDE, "placement": None}),
    ],
)
def test_a_card_makes_a_draft_rule_and_takes_it_back(
    merchandiser: Client, tea_drinker: Customer, action: str, expected: dict[str, object]
) -> None:
    address = f"/customers/{tea_drinker.code}/rule/{thing('tea-0').pk}/"
    sent = {"placement": "home", "rank": "4", "action": action, "back": "/customers/"}
    toast = merchandiser.post(address, sent, headers=HTMX).content.decode()
    rule = Rule.objects.unarchived().get()
    assert {name: getattr(rule, name) for name in expected} == expected
    assert (rule.customer == tea_drinker) == (action == "never")
    assert "Draft rule made" in toast
    assert f"/rules/{rule.pk}/" in toast
    [token] = re.findall(r'name="token" value="([^"]+)"', toast)
    toast = merchandiser.post("/undo/", {"token": token}, headers=HTMX).content.decode()
    assert "Undone" in toast
    assert not Rule.objects.unarchived().exists()


def test_without_script_the_page_comes_back_with_a_message(merchandiser: Client, tea_drinker: Customer) -> None:
    address, back = (
        f"/customers/{tea_drinker.code}/rule/{thing('tea-0').pk}/",
        f"/customers/{tea_drinker.code}/?cut=live",
    )
    sent = {"placement": "home", "rank": "1", "action": "bury", "back": back}
    answer = merchandiser.post(address, sent)
    assert answer["Location"] == back
    assert "Draft rule made" in text(merchandiser, back)
    elsewhere = merchandiser.post(address, sent | {"back": "https://elsewhere.example/"})
    assert elsewhere["Location"] == "/"


def test_an_unknown_action_makes_no_judgement_or_rule(merchandiser: Client, tea_drinker: Customer) -> None:
    address = f"/customers/{tea_drinker.code}/rule/{thing('tea-0').pk}/"
    toast = merchandiser.post(address, {"placement": "home", "action": "explode"}, headers=HTMX).content.decode()
    assert "Choose what to do" in toast
    assert not Rule.objects.exists()


def test_a_viewer_sees_no_button_that_would_be_refused(viewer: Client, tea_drinker: Customer) -> None:
    page = text(viewer, f"/customers/{tea_drinker.code}/")
    assert "Why here" in page
    for hidden in ("judgement", "Make a draft rule", "Never for this customer"):
        assert hidden not in page
    panel = text(viewer, f"/customers/{tea_drinker.code}/why-not/{outsider(tea_drinker)[0].pk}/")
    assert "What would bring it in" in panel
    assert "Apply as draft" not in panel


def test_a_served_rule_is_named_on_the_card_that_it_touched(merchandiser: Client, tea_drinker: Customer) -> None:
    """A draft rule is not named: nothing is served differently by it."""
    rule = Rule.objects.create(
        name="Soap first", action=RuleAction.PIN, slot=1,
        items=[{"attribute": "item", "operator": "is", "values": ["soap-1"]}],
    )  # fmt: skip
    assert "Rules that affected it" not in text(merchandiser, f"/customers/{tea_drinker.code}/")
    publish_rules(rules=[rule.pk], based_on=None, note="Try it", by=None, now=timezone.now())
    snapshot_holder.drop()  # as another process, which has not read the book yet
    page = text(merchandiser, f"/customers/{tea_drinker.code}/")
    assert titles(page)[0] == "Soap 1"
    assert page.count("Rules that affected it") == 1
    assert f'href="/rules/{rule.pk}/"' in page
    panel = text(merchandiser, f"/customers/{tea_drinker.code}/why/{thing('soap-1').pk}/")
    assert "Rule “Soap first”" in panel
    assert "moves it" in panel


def test_the_score_of_a_card_is_the_one_that_places_it(merchandiser: Client, tea_drinker: Customer) -> None:
    """What a rule adds is in the card's score and in its row of the table, as in the panel “Why here”."""
    rule = Rule.objects.create(
        name="More tea", action=RuleAction.BOOST, strength=100,
        items=[{"attribute": "item", "operator": "is", "values": ["tea-1"]}],
    )  # fmt: skip
    publish_rules(rules=[rule.pk], based_on=None, note="Try it", by=None, now=timezone.now())
    snapshot_holder.drop()
    page = text(merchandiser, f"/customers/{tea_drinker.code}/")
    card = page[page.index("<h3>Tea 1<") :].partition("<h3>")[2]
    panel = text(merchandiser, f"/customers/{tea_drinker.code}/why/{thing('tea-1').pk}/")
    final = float(re.search(r"Final score</th>.*?(-?\d+\.\d+)", panel)[1])
    assert float(re.search(r"Score <strong>(-?[\d.]+)", card)[1]) == pytest.approx(final, abs=0.005)
    row = re.search(r"<th scope=\"row\">Tea 1</th>(.*?)</tr>", page)[1]
    *parts, whole = [float(value.replace("−", "-")) for value in re.findall(r">([+−]?\d+\.\d{3})<", row)]
    assert sum(parts) == pytest.approx(whole, abs=0.0005 * (len(parts) + 1))
    assert whole == pytest.approx(final, abs=0.0005)
