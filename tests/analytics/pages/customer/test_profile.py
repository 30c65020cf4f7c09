"""The review of one customer on a shop that the loop has really learned (``grocery.py``): u3 buys teas every week."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from analytics.queries.customer.evidence_words import facts_in_words
from recommendations.models import BlendWeights, Customer, Event, Item, Judgement, Rule, Segment
from recommendations.services.review.why_not import Question, WhyNot, why_not
from recommendations.services.rules.books import publish_rules
from recommendations.simulation.counterfactuals import CounterfactualKind
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import JudgementKind, Role, RuleAction, WeightsStatus
from tests.review import review

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

HTMX = {"HX-Request": "true"}


@pytest.fixture
def tea_drinker() -> Customer:
    return Customer.objects.get(pseudonym=pseudonym("u3"))


@pytest.fixture
def merchandiser(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.MERCHANDISER)


@pytest.fixture
def viewer(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.VIEWER)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def thing(shop_id: str) -> Item:
    return Item.objects.get(shop_id=shop_id)


def titles(page: str) -> list[str]:
    """Titles of the cards, in order."""
    return re.findall(r"<h3>([^<]+ \d+)</h3>", page)


def outsider(who: Customer, *, kind: CounterfactualKind | None = None) -> tuple[Item, WhyNot]:
    """An item that is not shown to the customer, and that a change (of weights, of a rule …) would bring in."""
    slate = {card.item.pk for card in review(customer=who.pk, placement="home").cards}
    for item in Item.objects.exclude(pk__in=slate).order_by("pk"):
        diagnosis = why_not(Question(customer=who.pk, placement="home", item=item.pk))
        if any(kind in {None, change.kind} for change in diagnosis.suggestions):
            return item, diagnosis
    raise AssertionError(f"no {kind} brings anything in")


def draft_weights(blend: str, weights: dict[str, float], *, segment: Segment | None = None) -> BlendWeights:
    served = BlendWeights.objects.defaults().get(blend__name=blend, segment=None)
    return BlendWeights.objects.create(
        blend=served.blend, segment=segment, number=99 if segment else 98, weights=weights, parent=served,
        status=WeightsStatus.DRAFT, reason="a test",
    )  # fmt: skip


def exclusion(item: Item, *, customer: Customer | None = None) -> Rule:
    return Rule.objects.create(
        name=f"No {item}", action=RuleAction.EXCLUDE, customer=customer,
        items=[{"attribute": "item", "operator": "is", "values": [item.shop_id]}],
    )  # fmt: skip


# --- What the address says, and what it gets wrong


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("as_of=yesterday", "This is no date."),
        ("as_of=2026-02-30", "This is no date."),
        ("as_of=2999-01-01", "This day lies in the future."),
        ("as_of=0001-01-01", "Nothing is on record of that time."),
        ("did=purchase:999999999", "do not exist (999999999)"),
        ("placement=cart&around=999999999", "do not exist (999999999)"),
        ("why=999999999", "choose one by its title"),
        ("why_not=999999999", "There is no item 999999999."),
    ],
)
def test_an_odd_parameter_says_what_to_do(admin: Client, tea_drinker: Customer, query: str, told: str) -> None:
    page = text(admin, f"/customers/{tea_drinker.pk}/?{query}")
    assert told in page
    assert len(titles(page)) == 20  # and the list is there all the same


def test_a_date_that_is_none_stands_in_its_field_with_the_error(admin: Client, tea_drinker: Customer) -> None:
    page = text(admin, f"/customers/{tea_drinker.pk}/?as_of=tomorrow+or+so")
    assert 'value="tomorrow or so"' in page
    assert 'aria-invalid="true" aria-describedby="as_of-problem"' in page


@pytest.mark.parametrize(
    "query", ["did=purchase", "did=erase:5", "did=%00", "compare=all", "of=draft", "sort=x&text=%00"]
)
def test_unknown_parameters_are_as_if_absent(admin: Client, tea_drinker: Customer, query: str) -> None:
    assert titles(text(admin, f"/customers/{tea_drinker.pk}/?{query}")) == titles(
        text(admin, f"/customers/{tea_drinker.pk}/")
    )


def test_an_unknown_customer_is_not_found_and_says_so(admin: Client) -> None:
    answer = admin.get("/customers/999999/")
    assert answer.status_code == 404
    assert "There is no customer 999999" in answer.content.decode()


# --- Another time, and acts that never happened


def test_as_of_a_day_is_the_history_to_its_end_and_marks_what_came_after(admin: Client, tea_drinker: Customer) -> None:
    day = (timezone.localdate() - timedelta(days=40)).isoformat()
    page = text(admin, f"/customers/{tea_drinker.pk}/?as_of={day}")
    expected = review(
        customer=tea_drinker.pk, placement="home",
        as_of=timezone.make_aware(timezone.datetime.fromisoformat(day) + timedelta(days=1)),
    )  # fmt: skip
    assert titles(page) == [card.item.title for card in expected.cards]
    assert "As of the end of" in page
    assert "bought later" in page
    assert "judgement" not in page  # only what the shop gets now is judged


def test_a_simulated_act_stands_in_the_address_and_nowhere_else(admin: Client, tea_drinker: Customer) -> None:
    events, wine = Event.objects.count(), thing("wine-11")
    sent = f"/customers/{tea_drinker.pk}/?placement=discover&act=purchase&add={wine.pk}&find=wine"
    answer = admin.get(sent)
    assert answer["Location"] == (
        f"/customers/{tea_drinker.pk}/?placement=discover&did=purchase%3A{wine.pk}#recommendations"
    )
    page = text(admin, answer["Location"])
    assert "Buys: Wine 11" in page
    assert "What the acts change:" in page
    assert "nothing is stored" in page
    assert 'href="?placement=discover#recommendations">Buys' in page  # it can be taken back
    assert Event.objects.count() == events
    assert titles(text(admin, f"/customers/{tea_drinker.pk}/?placement=discover")) != []


def test_a_simulated_act_is_compared_with_the_list_without_it(admin: Client, tea_drinker: Customer) -> None:
    """A view of what the customer dislikes nothing of: each card says where it stood before."""
    wine = thing("wine-0")
    page = text(admin, f"/customers/{tea_drinker.pk}/?did=purchase:{wine.pk}&did=view_item:{wine.pk}")
    marks = re.findall(r'class="moved (is-\w+)"', page)
    assert len(marks) == 20
    before = [card.item.title for card in review(customer=tea_drinker.pk, placement="home", as_of=timezone.now()).cards]
    for title, mark in zip(titles(page), marks, strict=True):
        assert (mark == "is-new") == (title not in before)


# --- Live beside drafts


def test_live_beside_the_draft_weights(admin: Client, tea_drinker: Customer) -> None:
    draft = draft_weights("home", {"popularity_home": 1.0})
    page = text(admin, f"/customers/{tea_drinker.pk}/?compare=weights")
    live, drafted = page.split('id="compare-draft"')
    assert "Draft weights of For you for everybody" in live
    assert "/weights/?blend=home" in live
    places = re.findall(r'<li class="(is-[\w]+)"><span class="ranked-place num">(\d+)</span>', drafted)
    assert [int(number) for _, number in places] == list(range(1, 21))
    assert {css for css, _ in places} > {"is-new"}
    assert re.search(r"\d+ are new, \d+ are out", live)
    draft.delete()
    page = text(admin, f"/customers/{tea_drinker.pk}/?compare=weights")
    assert "There are no draft weights for this placement." in page


def test_the_draft_of_the_customers_own_segment_goes_before_the_one_for_everybody(
    admin: Client, tea_drinker: Customer
) -> None:
    segment = Segment.objects.get(memberships__customer=tea_drinker, memberships__version__is_live=True)
    draft_weights("home", {"popularity_home": 1.0})
    draft_weights("home", {"buy_again": 1.0}, segment=segment)
    page = text(admin, f"/customers/{tea_drinker.pk}/?compare=weights")
    assert f"for segment “{segment}”" in page
    assert f"/weights/?blend=home&segment={segment.number}" in page


def test_live_beside_the_draft_rules(admin: Client, tea_drinker: Customer) -> None:
    top = thing("tea-0")
    assert "No rule waits to be published." in text(admin, f"/customers/{tea_drinker.pk}/?compare=rules")
    exclusion(top)
    page = text(admin, f"/customers/{tea_drinker.pk}/?compare=both")
    live, drafted = page.split('id="compare-draft"')
    assert "There are no draft weights" in live  # the rules are compared all the same
    assert "Rule “No Tea 0”" in live
    assert re.search(r'<li class="is-out">.*?<strong>Tea 0</strong>', live, flags=re.DOTALL)
    assert "<strong>Tea 0</strong>" not in drafted.split("</section>")[0]


# --- Why here


def test_why_here_has_every_term_and_they_add_up(admin: Client, tea_drinker: Customer) -> None:
    card = review(customer=tea_drinker.pk, placement="home").cards[0]
    panel = text(admin, f"/customers/{tea_drinker.pk}/why/{card.item.pk}/")
    assert "<html" not in panel
    assert f'id="drawer-title">{card.item.title}<' in panel
    body, foot = panel.split("<tfoot>")
    terms = [float(value.replace("−", "-")) for value in re.findall(r'<td class="num">([+−]\d+\.\d{4})</td>', body)]
    exact = [term.value for term in card.waterfall if term.value is not None]
    assert terms == pytest.approx(exact, abs=5e-5)
    assert sum(exact) == pytest.approx(card.final, abs=1e-6)
    assert f"<strong>{card.final:.4f}</strong>" in foot
    assert card.reasons[0] in panel
    for value, words in facts_in_words(card.evidence[0].evidence):  # the numbers behind the words
        assert f'<span class="num">{value}</span> {words}' in panel
    assert "Candidates" in panel


def test_the_panel_is_part_of_the_page_where_the_address_opens_it(admin: Client, tea_drinker: Customer) -> None:
    card = review(customer=tea_drinker.pk, placement="home").cards[0]
    page = text(admin, f"/customers/{tea_drinker.pk}/?why={card.item.pk}")
    assert "How the score adds up" in page
    absent = thing("soap-1")
    page = text(admin, f"/customers/{tea_drinker.pk}/?why={absent.pk}")
    assert "It is not in this list" in page
    assert f"why_not={absent.pk}" in page


def test_why_here_of_the_draft_is_the_drafts_score(admin: Client, tea_drinker: Customer) -> None:
    draft_weights("home", {"buy_again": 1.0})
    item = review(customer=tea_drinker.pk, placement="home").cards[0].item
    panel = text(admin, f"/customers/{tea_drinker.pk}/why/{item.pk}/?compare=weights&of=draft")
    assert "With the draft: place" in panel
    assert len(re.findall(r'<tr><th scope="row"><svg', panel)) == 1  # one recommender has all of the weight


# --- Why not


def test_why_not_names_the_stage_and_a_change_that_brings_it_in(merchandiser: Client, tea_drinker: Customer) -> None:
    item, diagnosis = outsider(tea_drinker)
    panel = text(merchandiser, f"/customers/{tea_drinker.pk}/why-not/{item.pk}/")
    assert diagnosis.words in panel
    assert panel.count("lost here") == 1
    assert diagnosis.suggestions[0].words in panel
    assert "Apply as draft" in panel


def test_why_not_of_a_shown_item_leads_to_why(admin: Client, tea_drinker: Customer) -> None:
    item = review(customer=tea_drinker.pk, placement="home").cards[2].item
    panel = text(admin, f"/customers/{tea_drinker.pk}/why-not/{item.pk}/")
    assert "It is shown, at place 3." in panel
    assert f"why={item.pk}" in panel


def test_a_change_says_its_price_before_it_is_a_draft(merchandiser: Client, tea_drinker: Customer) -> None:
    item, diagnosis = outsider(tea_drinker)
    rules, weights = Rule.objects.count(), BlendWeights.objects.count()
    for change in diagnosis.suggestions:
        part = text(merchandiser, f"/customers/{tea_drinker.pk}/why-not/{item.pk}/price/?key={change.key}")
        assert "This changes everyone" in part
        assert "Make it a draft" in part
    assert (Rule.objects.count(), BlendWeights.objects.count()) == (rules, weights)
    gone = text(merchandiser, f"/customers/{tea_drinker.pk}/why-not/{item.pk}/price/?key=nonsense")
    assert "no longer brings it in" in gone


def test_a_change_becomes_a_draft_that_opens_where_it_is_worked_on(merchandiser: Client, tea_drinker: Customer) -> None:
    item, diagnosis = outsider(tea_drinker)
    before = [card.item.pk for card in review(customer=tea_drinker.pk, placement="home").cards]
    for change in diagnosis.suggestions:
        address = f"/customers/{tea_drinker.pk}/why-not/{item.pk}/apply/"
        answer = merchandiser.post(address, {"key": change.key, "replace": "yes"})
        assert answer.status_code == 302
        assert re.fullmatch(r"/weights/\?blend=home(&segment=\d+)?|/rules/\d+/", answer["Location"])
    assert [card.item.pk for card in review(customer=tea_drinker.pk, placement="home").cards] == before


def test_an_existing_draft_is_not_overwritten_without_asking(merchandiser: Client, tea_drinker: Customer) -> None:
    item, diagnosis = outsider(tea_drinker, kind=CounterfactualKind.WEIGHT)
    change = next(each for each in diagnosis.suggestions if each.kind is CounterfactualKind.WEIGHT)
    draft = draft_weights("home", {"buy_again": 1.0})
    answer = merchandiser.post(f"/customers/{tea_drinker.pk}/why-not/{item.pk}/apply/", {"key": change.key})
    assert answer.status_code == 409
    assert "There is a draft already" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.weights == {"buy_again": 1.0}


def test_a_change_that_is_gone_says_so(merchandiser: Client, tea_drinker: Customer) -> None:
    answer = merchandiser.post(f"/customers/{tea_drinker.pk}/why-not/{thing('soap-1').pk}/apply/", {"key": "weight:x"})
    assert answer.status_code == 409
    assert "No draft was made" in answer.content.decode()


# --- What is done to a card


def judged(client: Client, who: Customer, item: Item, **sent: str) -> str:
    address = f"/customers/{who.pk}/judge/{item.pk}/"
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
    page = merchandiser.get(f"/customers/{tea_drinker.pk}/").content.decode()
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
    address = f"/customers/{tea_drinker.pk}/rule/{thing('tea-0').pk}/"
    sent = {"placement": "home", "rank": "4", "action": action, "back": "/customers/"}
    toast = merchandiser.post(address, sent, headers=HTMX).content.decode()
    rule = Rule.objects.unarchived().get()
    assert {name: getattr(rule, name) for name in expected} == expected
    assert (rule.customer == tea_drinker) == (action == "never")
    assert "Draft rule made" in toast
    assert f"/rules/{rule.pk}/" in toast
    undo = f"/customers/rules/{rule.pk}/undo/"
    toast = merchandiser.post(undo, headers=HTMX).content.decode()
    assert "Taken back" in toast
    assert not Rule.objects.unarchived().exists()
    assert "Draft rule made" in merchandiser.post(undo, {"redo": "yes"}, headers=HTMX).content.decode()
    assert Rule.objects.unarchived().get() == rule


def test_without_script_the_page_comes_back_with_a_message(merchandiser: Client, tea_drinker: Customer) -> None:
    address, back = f"/customers/{tea_drinker.pk}/rule/{thing('tea-0').pk}/", f"/customers/{tea_drinker.pk}/?cut=live"
    sent = {"placement": "home", "rank": "1", "action": "bury", "back": back}
    answer = merchandiser.post(address, sent)
    assert answer["Location"] == back
    assert "Draft rule made" in text(merchandiser, back)
    elsewhere = merchandiser.post(address, sent | {"back": "https://elsewhere.example/"})
    assert elsewhere["Location"] == "/customers/"


def test_an_unknown_action_makes_no_judgement_or_rule(merchandiser: Client, tea_drinker: Customer) -> None:
    address = f"/customers/{tea_drinker.pk}/rule/{thing('tea-0').pk}/"
    toast = merchandiser.post(address, {"placement": "home", "action": "explode"}, headers=HTMX).content.decode()
    assert "Choose what to do" in toast
    assert not Rule.objects.exists()


def test_a_viewer_sees_no_button_that_would_be_refused(viewer: Client, tea_drinker: Customer) -> None:
    page = text(viewer, f"/customers/{tea_drinker.pk}/")
    assert "Why here" in page
    for hidden in ("judgement", "Make a draft rule", "Never for this customer"):
        assert hidden not in page
    panel = text(viewer, f"/customers/{tea_drinker.pk}/why-not/{outsider(tea_drinker)[0].pk}/")
    assert "What would bring it in" in panel
    assert "Apply as draft" not in panel


def test_a_served_rule_is_named_on_the_card_that_it_touched(merchandiser: Client, tea_drinker: Customer) -> None:
    """A draft rule is not named: nothing is served differently by it."""
    rule = Rule.objects.create(
        name="Soap first", action=RuleAction.PIN, slot=1,
        items=[{"attribute": "item", "operator": "is", "values": ["soap-1"]}],
    )  # fmt: skip
    assert "Rules that touched it" not in text(merchandiser, f"/customers/{tea_drinker.pk}/")
    publish_rules(rules=[rule.pk], based_on=None, note="Try it", by=None, now=timezone.now())
    snapshot_holder.drop()  # as another process, which has not read the book yet
    page = text(merchandiser, f"/customers/{tea_drinker.pk}/")
    assert titles(page)[0] == "Soap 1"
    assert page.count("Rules that touched it") == 1
    assert f'href="/rules/{rule.pk}/"' in page
    panel = text(merchandiser, f"/customers/{tea_drinker.pk}/why/{thing('soap-1').pk}/")
    assert "Rule “Soap first”" in panel
    assert "moves it" in panel
