"""A page that a form's address answers leads on by its own address, as that of the form only takes what is sent."""

import html
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from recommendations.models import Experiment, Segment
from recommendations.services.experiments.bandit_steps import take_out
from recommendations.services.experiments.lifecycle import stop
from recommendations.terms import ExperimentKind
from tests.analytics import rule_records
from tests.analytics.pages.experiments.drafting import begun, drafted, version
from tests.analytics.pages.weights.forms import saved, sliders, staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def leads_home(client: Client, answer: Any, page: str) -> set[str]:
    """Check that the page leads nowhere relative to the form's address; the links of ``page`` with a query."""
    assert isinstance(answer, HttpResponse)
    source = html.unescape(answer.content.decode())
    assert re.findall(r'name="next" value="([^"]*)"', source) == [page]
    assert not re.findall(r'(?:href|action|formaction|hx-get)="(?:\?[^"]*)?"', source)
    assert not re.findall(r'<form (?![^>]*(?:action|method="dialog"|hx-post))[^>]*>', source)
    links = set(re.findall(rf'href="({re.escape(page.partition("?")[0])}\?[^"]*)"', source))
    assert [client.get(link).status_code for link in links] == [200] * len(links)
    return links


def test_who_was_late_at_a_draft_goes_on_from_its_page(admin: Client) -> None:
    draft = drafted()
    home = f"/experiments/{draft.pk}/"
    links = leads_home(admin, admin.post(f"{home}start/", {"revision": 99}), home)
    assert {f"{home}?open=start", f"{home}?open=delete"} <= links


def test_who_was_late_at_what_runs_goes_on_from_its_page(admin: Client) -> None:
    test = begun(traffic=0.4)
    home = f"/experiments/{test.pk}/"
    links = leads_home(admin, admin.post(f"{home}stop/", {}), home)
    assert links == {f"{home}?open={name}" for name in ("stop", "widen", "publish&arm=B")}
    stop(experiment=test, by=None, now=timezone.now())
    assert leads_home(admin, admin.post(f"{home}pause/"), home) == {f"{home}?open=publish&arm=B"}


def bandit() -> Experiment:
    changes = [{"weights": {"home": version(number).pk}} for number in (90, 91)]
    return begun(*changes, kind=ExperimentKind.BANDIT, primary="ctr", placement="home")


def test_who_was_late_at_an_arm_goes_on_from_the_page_of_the_bandit(admin: Client) -> None:
    own = bandit()
    home = f"/experiments/{own.pk}/"
    refused = admin.post(f"{home}arms/B/pin/", {"pinned": "x"})
    assert f"{home}?open=out&arm=B" in leads_home(admin, refused, home)
    take_out(experiment=own, arm=own.arms.get(position=1), by=None, now=timezone.now())
    links = leads_home(admin, admin.post(f"{home}arms/B/pin/", {"pinned": "20"}), home)
    assert f"{home}?open=arm&arm=C" in links
    assert f"{home}?open=arm&arm=B" not in links


def test_a_proposal_of_rules_that_was_refused_leads_back_to_the_list(admin: Client) -> None:
    tea = [rule_records.condition("category", "FOOD > TEA")]
    rule, other = (rule_records.rule(name, items=tea) for name in ("Tea first", "More tea"))
    rule_records.published(other)
    answer = admin.post("/rules/publish/", {"rule": rule.pk, "based_on": 1, "note": "", "unmeasured": "on"})
    assert f"/rules/?open=publish&rule={rule.pk}" in leads_home(admin, answer, "/rules/")
    answer = admin.post("/rules/roll-back/", {"book": 0, "note": ""})
    assert "/rules/versions/?roll_back=0" in leads_home(admin, answer, "/rules/versions/")


def test_weights_that_were_not_saved_lead_back_to_the_desk(admin: Client) -> None:
    saved(by=staff(), content=90)
    answer = admin.post("/weights/save/", sliders(content=55))
    links = leads_home(admin, answer, "/weights/?blend=home")
    assert "/weights/?blend=home&group=&load=live" in links


def test_other_forms_that_were_refused_lead_back_too(admin: Client) -> None:
    leads_home(admin, admin.post("/setup/staff/invite/", {"name": ""}), "/setup/staff/")
    segment = Segment.objects.first()
    assert segment
    answer = admin.post(f"/segments/{segment.number}/rename/", {"name": "x" * 500})
    leads_home(admin, answer, "/segments/")
