"""An arm is published by the page of its experiment: what that changes of what is live, and who was faster."""

import html
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.models import AuditEntry, BlendWeights, Experiment, Placement, Rule, RuleBook
from recommendations.services.experiments.lifecycle import pause, ship, stop
from recommendations.services.rules.books import book_for_test, roll_back_rules
from recommendations.services.rules.editing import archive_rule, restore_rule
from recommendations.services.weights.blending import serve_tested
from recommendations.terms import ExperimentStatus
from tests.analytics import rule_records
from tests.analytics.pages.experiments.drafting import begun, version
from tests.analytics.pages.experiments.pages import seen, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def dialog_of(test: Experiment) -> str:
    return f"/experiments/{test.pk}/?open=publish&arm=B"


def publish(client: Client, test: Experiment, *, status: int = 302, **fields: Any) -> str:
    answer = client.post(f"/experiments/{test.pk}/publish/", {"arm": "B", "note": "It won", **fields})
    assert answer.status_code == status, answer.content
    test.refresh_from_db()
    return html.unescape(answer.content.decode())


def rule(name: str) -> Rule:
    """A draft that keeps a whole category from everybody, so that lists differ."""
    return rule_records.rule(
        name, action="exclude", strength=None, items=[rule_records.condition("category", "FOOD > TEA")]
    )


def on_rules(tested: Rule) -> Experiment:
    book = book_for_test(rules=[tested.pk], note="Do they miss it?", by=None, now=timezone.now())
    return begun({"rules": book.pk})


def live_rules() -> list[str]:
    book = RuleBook.objects.filter(is_default=True).first()
    return [each["name"] for each in book.rules] if book else []


def test_the_dialog_names_the_rules_that_publishing_adds_and_withdraws(publisher: Client) -> None:
    test = on_rules(rule("Less soap"))
    page = text(publisher, dialog_of(test))
    assert "Rules:</strong> no rules → r1" in page
    assert "is live now and would be replaced" not in page
    rule_records.published(rule("More soap"))
    with CaptureQueriesContext(connection) as queries:
        page = text(publisher, dialog_of(test))
    assert len(queries) <= 12
    assert "Rules:</strong> r2 → r1" in page
    assert "It was compared with no rules; r2 is live now and would be replaced." in page
    added, withdrawn = page.index("added</span>"), page.index("withdrawn</span>")
    assert page[added:withdrawn].count("<strong>Less soap</strong>") == 1
    assert page[withdrawn:].count("<strong>More soap</strong>") == 1
    price = f"/rules/proposal/?open=roll_back&book=1&ending={test.pk}"
    assert price in page
    assert "stay with its versions" not in text(publisher, price)  # as it ends by this very act


def test_who_publishes_over_a_rule_that_went_live_meanwhile_is_shown_it_first(publisher: Client) -> None:
    test = on_rules(rule("Less soap"))
    shown = seen(publisher, dialog_of(test))
    rule_records.published(rule("More soap"))
    page = publish(publisher, test, status=409, **shown)
    assert "Live since you looked: Rules: r2 instead of no rules. Nothing was published" in page
    assert "<strong>More soap</strong>" in page
    assert ">It won</textarea>" in page
    assert (live_rules(), test.status) == (["More soap"], ExperimentStatus.RUNNING)
    publish(publisher, test, **seen(publisher, dialog_of(test)))
    assert (live_rules(), test.status) == (["Less soap"], ExperimentStatus.SHIPPED)


def test_a_rule_that_was_archived_meanwhile_is_said_before_it_comes_back(publisher: Client) -> None:
    tested = rule("Less soap")
    test = on_rules(tested)
    shown = seen(publisher, dialog_of(test))
    assert "from the archive" not in text(publisher, dialog_of(test))
    archive_rule(rule=tested, by=None, now=timezone.now())
    page = publish(publisher, test, status=409, **shown)
    assert "Archived since you looked: “Less soap”. Nothing was published: please check" in page
    assert "Publishing brings back from the archive: “Less soap”." in page
    tested.refresh_from_db()
    assert (tested.archived_at is None, live_rules(), test.status) == (False, [], ExperimentStatus.RUNNING)
    shown = seen(publisher, dialog_of(test))
    restore_rule(rule=tested, by=None, now=timezone.now())
    page = publish(publisher, test, status=409, **shown)
    assert "Brought back from the archive since you looked: “Less soap”." in page


def test_the_trail_of_a_winner_says_what_was_restored_and_what_was_published(publisher: Client) -> None:
    archived, edited = rule("Less soap"), rule("More soap")
    book = book_for_test(rules=[archived.pk, edited.pk], note="Do they?", by=None, now=timezone.now())
    test = begun({"rules": book.pk})
    archive_rule(rule=archived, by=None, now=timezone.now())
    Rule.objects.filter(pk=edited.pk).update(name="Much more soap")
    text(publisher, dialog_of(test))
    with CaptureQueriesContext(connection) as queries:
        shown = seen(publisher, dialog_of(test))
    assert len(queries) <= 12
    publish(publisher, test, **shown)
    assert live_rules() == ["Less soap", "More soap"]
    entries = AuditEntry.objects.filter(object_type="rule", staff__isnull=False)
    assert set(entries.values_list("object_id", "verb")) == {(str(archived.pk), "restore"), (str(edited.pk), "publish")}
    page = text(publisher, f"/activity/?type=rule&id={edited.pk}")
    assert "Much more soap" in page
    assert "rolled back" not in page.partition("<tbody>")[2]


def test_an_arm_whose_rules_are_live_already_only_ends_the_experiment(publisher: Client) -> None:
    test = on_rules(rule("Less soap"))
    tested = RuleBook.objects.get(pk=test.arms.get(position=1).changes["rules"])
    live = roll_back_rules(book=tested, note="Right away", by=None, now=timezone.now())
    assert "r2 is live already" in text(publisher, dialog_of(test))
    publish(publisher, test, **seen(publisher, dialog_of(test)))
    assert test.status == ExperimentStatus.SHIPPED
    assert RuleBook.objects.get(is_default=True) == live


def test_weights_that_went_live_meanwhile_are_told_with_what_differs(publisher: Client) -> None:
    tried, other = version(90, weights={"als": 1.0}), version(91, weights={"als": 1.0}, diversity=0.4)
    test = begun({"weights": {"home": tried.pk}})
    before = BlendWeights.objects.defaults().get(blend__name="home", segment=None, audience=None).number
    page = text(publisher, dialog_of(test))
    assert f"v{before} → v90" in page
    assert "is live now and would be replaced" not in page
    shown = seen(publisher, dialog_of(test))
    serve_tested(weights=other, note="A", by=None, now=timezone.now(), override=True)
    page = publish(publisher, test, status=409, override="on", **shown)
    assert f": v91 instead of v{before}. Nothing was published" in page
    assert f"It was compared with v{before}; v91 is live now and would be replaced." in page
    assert "Live v91</th>" in page
    assert "Variety<" in page
    publish(publisher, test, override="on", **seen(publisher, dialog_of(test)))
    assert BlendWeights.objects.get(pk=tried.pk).is_default


def test_a_placement_that_was_set_meanwhile_is_told_too(publisher: Client) -> None:
    test = begun({"placements": {"home": {"n": 9}}})
    shown = seen(publisher, dialog_of(test))
    Placement.objects.filter(name="home").update(n=4)
    assert "4 items instead of" in publish(publisher, test, status=409, **shown)
    assert "4 items → 9 items" in text(publisher, dialog_of(test))
    assert Placement.objects.get(name="home").n == 4


def test_a_stale_publish_is_refused_and_says_who_stopped_the_experiment(publisher: Client) -> None:
    test = begun()
    shown = seen(publisher, dialog_of(test))
    boss = publisher.get("/experiments/").wsgi_request.user
    stop(experiment=test, by=boss, now=timezone.now())
    page = publish(publisher, test, status=409, **shown)
    assert "Stopped since" in page
    assert "The publisher was faster. Nothing of yours was done." in page
    assert "Publish B for everybody?" in page
    assert "and the experiment ends" not in page
    assert ">It won</textarea>" in page
    assert test.status == ExperimentStatus.STOPPED
    shown = seen(publisher, dialog_of(test))
    ship(experiment=test, arm=test.arms.get(position=1), reason="A", by=None, now=timezone.now())
    page = publish(publisher, test, status=409, **shown)
    assert "Nothing of yours was done: this is how it stands now." in page
    assert "<dialog class" not in page


@pytest.mark.parametrize(("step", "title"), [("stop", "Stop “More like it”?"), ("widen", "to more visitors?")])
def test_other_dialogs_are_refused_too_once_the_state_is_another(publisher: Client, step: str, title: str) -> None:
    test = begun(traffic=0.4)
    shown = seen(publisher, f"/experiments/{test.pk}/?open={step}")
    pause(experiment=test, by=None, now=timezone.now())
    answer = publisher.post(f"/experiments/{test.pk}/{step}/", {"traffic": "80", **shown})
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "Paused since" in page
    assert title in page
    test.refresh_from_db()
    assert (test.status, test.traffic) == (ExperimentStatus.PAUSED, 0.4)
    assert publisher.post(f"/experiments/{test.pk}/{step}/", {"traffic": "80"}).status_code == 409  # saw nothing
