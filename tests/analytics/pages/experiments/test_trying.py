"""From a draft of weights, or changed rules, to an experiment: a version is frozen, and what is live stays live."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import AuditEntry, Blend, BlendWeights, Experiment, RuleBook
from recommendations.services.weights.blending import publish_for_test
from recommendations.services.weights.drafts import draft_of
from recommendations.terms import BlendName, Role
from tests.analytics import rule_records
from tests.analytics.pages.experiments.drafting import typed, version
from tests.analytics.pages.experiments.pages import text

SOAP = [rule_records.condition("item", "soap-1")]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def live() -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name="home", segment=None, audience=None)


def test_a_draft_of_weights_becomes_a_version_to_test(publisher: Client) -> None:
    before = live()
    fields = {f"w.{name}": str(value) for name, value in before.weights.items()}
    assert 'value="try"' in text(publisher, "/weights/")
    answer = publisher.post("/weights/save/", {"blend": "home", "then": "try", "diversity": "0.1", **fields})
    draft = draft_of(BlendName.HOME, None)
    assert draft is not None
    assert answer["Location"] == f"/experiments/weights/{draft.pk}/"
    page = text(publisher, answer["Location"])
    assert "Final check on unseen purchases" in page
    assert publisher.post(answer["Location"], {"revision": draft.revision, "note": ""}).status_code == 422
    sent = {"revision": draft.revision, "note": "Is it better?", "override": "on"}
    answer = publisher.post(answer["Location"], sent)
    assert answer["Location"] == f"/experiments/new/?weights=home%3A{draft.pk}"
    draft.refresh_from_db()
    assert (draft.status, draft.is_default, live()) == ("published", False, before)
    assert f'value="home:{draft.pk}" selected' in text(publisher, answer["Location"])


def test_weights_that_the_gate_refuses_need_a_tick_here_too(publisher: Client) -> None:
    draft = version(92, weights={"popularity": 1.0}, status="draft", published_at=None)
    answer = publisher.post(f"/experiments/weights/{draft.pk}/", {"revision": draft.revision, "note": "A try"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Tick the box to test it anyway." in page
    assert ">A try</textarea>" in page
    stale = publisher.post(f"/experiments/weights/{draft.pk}/", {"revision": 99, "note": "A try"})
    assert stale.status_code == 409
    publish_for_test(weights=draft, by=None, now=timezone.now(), note="Faster", override=True)
    answer = publisher.post(f"/experiments/weights/{draft.pk}/", {"revision": draft.revision, "note": "A try"})
    assert answer["Location"] == f"/experiments/new/?weights=home%3A{draft.pk}"
    assert publisher.get(f"/experiments/weights/{live().pk}/").status_code == 404


def test_versions_of_weights_lead_to_a_test(publisher: Client) -> None:
    tried = version(91)
    rest = publisher.get("/weights/rest/?blend=home").json()["html"]["versions"]
    assert f"/experiments/new/?weights=home:{tried.pk}" in rest
    assert f"/experiments/new/?weights=home:{live().pk}" not in rest


def test_changed_rules_become_a_version_to_test(publisher: Client) -> None:
    rule = rule_records.rule("Less soap", items=SOAP)
    assert "/experiments/rules/" in text(publisher, "/rules/")
    page = text(publisher, f"/experiments/rules/?rule={rule.pk}")
    assert "Less soap" in page
    assert publisher.post("/experiments/rules/", {"rule": rule.pk, "note": " "}).status_code == 422
    answer = publisher.post("/experiments/rules/", {"rule": rule.pk, "note": "Do they miss it?"})
    book = RuleBook.objects.latest("pk")
    assert answer["Location"] == f"/experiments/new/?rules={book.pk}"
    assert ([each["id"] for each in book.rules], book.is_default) == ([rule.pk], False)
    form = typed() | {"arm-1-lever": "rules", "arm-1-rules": str(book.pk)}
    publisher.post("/experiments/new/", form)
    assert Experiment.objects.get().arms.get(position=1).changes == {"rules": book.pk}


def test_versions_of_rules_say_which_only_an_experiment_served(publisher: Client) -> None:
    rule = rule_records.rule("Less soap", items=SOAP)
    publisher.post("/experiments/rules/", {"rule": rule.pk, "note": "Do they miss it?"})
    page = text(publisher, "/rules/versions/")
    assert re.search(r'id="r1".*?For an experiment.*?not published, made \S', page, flags=re.DOTALL)
    assert "?roll_back=1" not in page
    entry = AuditEntry.objects.get(object_type="rulebook")
    assert (entry.verb, entry.note, entry.after["rules"]) == ("publish for a test", "Do they miss it?", ["Less soap"])
    rule_records.published(rule)
    rule_records.published(rule_records.rule("More soap", items=SOAP))
    page = text(publisher, "/rules/versions/")
    rows = dict(re.findall(r'id="(r\d)"(.*?)</tr>', page, flags=re.DOTALL))
    assert {number for number, row in rows.items() if "For an experiment" in row} == {"r1"}
    assert {number for number, row in rows.items() if "?roll_back=" in row} == {"r0", "r2"}


@pytest.mark.parametrize("sent", ["", "?rule=987654", "?rule=x"])
def test_without_changed_rules_there_is_nothing_to_test(publisher: Client, sent: str) -> None:
    answer = publisher.get(f"/experiments/rules/{sent}", follow=True)
    assert "Nothing to test" in answer.content.decode()
    assert publisher.post(f"/experiments/rules/{sent}").status_code == 302


def test_who_may_not_start_experiments_is_not_led_there(client_of: Callable[[Role], Client]) -> None:
    client = client_of(Role.MERCHANDISER)
    assert Blend.objects.exists()
    assert 'value="try"' not in text(client, "/weights/")
    rule_records.rule("Less soap", items=SOAP)
    assert "/experiments/rules/" not in text(client, "/rules/")
