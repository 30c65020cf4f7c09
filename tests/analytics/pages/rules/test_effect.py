"""What a rule would do, on its own page, in the dialog that publishes it and in the list afterwards: one figure."""

import html
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from recommendations.models import PageSlot, Rule, RuleBook
from recommendations.services.rules.attributes import frozen
from recommendations.services.rules.editing import save_rule
from tests.analytics.pages.experiments.drafting import begun
from tests.analytics.rule_records import condition, published
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


class FormFields(HTMLParser):
    """What a browser would send of the rule's form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._select = ""
        self.feed(page[page.index('id="rule-form"') : page.index('id="more-rule"')])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        if tag == "select":
            self._select = of.get("name") or ""
        elif tag == "option" and "selected" in of:
            self._send(self._select, of)
        elif tag == "input" and (of.get("type") not in {"radio", "checkbox"} or "checked" in of):
            self._send(of.get("name") or "", of)

    def _send(self, name: str, of: dict[str, str | None]) -> None:
        if name:
            self.sent.setdefault(name, []).append(of.get("value") or "")


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def effect(client: Client, rule: Rule, **changes: Any) -> str:
    """What stands beside the form of the rule, with these fields changed."""
    sent = FormFields(client.get(f"/rules/{rule.pk}/").content.decode()).sent
    assert changes.keys() <= sent.keys()
    return html.unescape(client.post("/rules/effect/", sent | changes).content.decode())


def figures(page: str) -> list[str]:
    return re.findall(r'<dd class="tile-value[^"]*">([^<]+)</dd>', page)


def bury(**values: Any) -> Rule:
    usual = {"name": "Less of it", "placement": "home", "action": "boost", "strength": -100}
    items = [condition("brand", "Brand 0")]
    return save_rule(rule=None, values={**usual, "items": items, **values}, revision=None, by=None, now=NOW)


def test_a_live_rule_is_measured_in_its_own_place(admin: Client) -> None:
    """Its page measured the form beside the served rule, as if there were two of it."""
    rule = bury()
    published(rule)
    untouched = effect(admin, rule)
    assert figures(untouched) == []
    assert "No change: the shop serves the rule like this." in untouched
    page = effect(admin, rule, strength="-40")
    save_rule(rule=rule, values={"strength": -40}, revision=rule.revision, by=None, now=NOW)
    assert figures(page) == figures(text(admin, f"/rules/proposal/?open=publish&rule={rule.pk}")) != []
    assert "show another item" in page


def test_whoever_publishes_rules_reads_which_visitors_an_experiment_keeps(admin: Client) -> None:
    rule = bury()
    soap = {**frozen(rule), "action": "pin", "strength": None, "slot": 1, "items": [condition("item", "soap-3")]}
    begun({"rules": RuleBook.objects.create(number=70, rules=[soap]).pk}, name="Soap first", traffic=0.3)
    page = text(admin, f"/rules/proposal/?open=publish&rule={rule.pk}")
    assert "Soap first</a> is running: 30% of the visitors stay with its versions" in page


def test_the_list_and_the_versions_say_at_what_length_a_rule_was_measured(admin: Client) -> None:
    rule = bury()
    dialog = text(admin, f"/rules/proposal/?open=publish&rule={rule.pk}")
    assert "first 12 items" in dialog
    expected = re.search(r'name="expected" value="([^"]+)"', dialog)
    assert expected
    admin.post("/rules/publish/", {"rule": rule.pk, "based_on": 0, "note": "x", "expected": expected.group(1)})
    assert RuleBook.objects.get(is_default=True).expected["tags"][0]["length"] == 12
    PageSlot.objects.update(n=5)
    for address in ("/rules/", "/rules/versions/"):
        assert "of the first 12 slots" in text(admin, address)


def test_a_pin_that_nobody_sees_says_so_and_has_no_price(admin: Client) -> None:
    """The page warned of nothing and counted customers, whose lists then did not change."""
    rule = bury(action="pin", slot=20, strength=None, items=[condition("item", "bread-0")])
    page = effect(admin, rule)
    assert "beyond the 12 items that the shop shows at “For you”" in page
    assert "it changes nothing for the measured customers" in page
    assert "No rule contradicts" not in page
