"""The form of a draft: begun by an address, saved, refused by field, and never lost to somebody else's change."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from analytics.queries.experiments import drafts as query
from recommendations.models import AuditEntry, BlendWeights, Experiment, Placement, RuleBook, Segment, ShopPage, Staff
from recommendations.services.experiments.drafts import form_of
from recommendations.services.experiments.starting import start
from recommendations.terms import ExperimentStatus, Role
from tests.analytics.pages.experiments.drafting import begun, drafted, typed, version
from tests.analytics.pages.experiments.pages import text
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def merchandiser(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.MERCHANDISER)


def changes(experiment: Experiment) -> list[dict[str, Any]]:
    return [arm.changes for arm in form_of(experiment).arms]


def test_an_address_begins_a_draft(merchandiser: Client) -> None:
    tried, book = version(), RuleBook.objects.create(number=5, note="Tea first")
    page = text(merchandiser, f"/experiments/new/?weights=home:{tried.pk}")
    assert f'<option value="home:{tried.pk}" selected>For you v90 · A try</option>' in page
    assert 'value="For you v90"' in page
    page = text(merchandiser, f"/experiments/new/?rules={book.pk}")
    assert f'<option value="{book.pk}" selected>r5 · Tea first</option>' in page
    assert 'value="rules" checked' in page
    page = text(merchandiser, f"/experiments/new/?copy={drafted(smallest_lift=0.035).pk}")
    assert 'value="Copy of More like it"' in page
    assert 'value="3.5"' in page
    assert 'name="arm-1-n" value="7"' in page
    for odd in ("weights=home", "weights=%00:9", "rules=999999", "rules=0"):
        assert merchandiser.get(f"/experiments/new/?{odd}").status_code == 200
    for odd in ("copy=x", "copy=999999"):
        text(merchandiser, f"/experiments/new/?{odd}", status=404)


def test_a_copy_of_what_ran_says_only_what_its_arms_change(merchandiser: Client) -> None:
    tried = version()
    test = begun({"weights": {"home": tried.pk}}, {"placements": {"home": {"n": 7}}})
    page = text(merchandiser, f"/experiments/new/?copy={test.pk}")
    assert f'<option value="home:{tried.pk}" selected>' in page
    assert 'name="arm-2-lever" value="placement" checked' in page
    assert 'name="arm-2-n" value="7"' in page


def test_fatigue_is_tested_as_any_setting_of_a_placement(merchandiser: Client) -> None:
    merchandiser.post("/experiments/new/", typed(**{"arm-1-n": "", "arm-1-fatigue": "0.4"}))
    stored = Experiment.objects.get()
    assert changes(stored) == [{"placements": {"home": {"fatigue": 0.4}}}]
    assert 'name="arm-1-fatigue" value="0.4"' in text(merchandiser, f"/experiments/{stored.pk}/edit/")


def test_a_change_of_an_arm_stands_in_the_log_and_in_the_trail(merchandiser: Client) -> None:
    draft = drafted()
    values = typed(**{"arm-1-share": "20", "revision": str(draft.revision)})
    assert merchandiser.post(f"/experiments/{draft.pk}/edit/", values).status_code == 302
    assert [note.code for note in draft.notes.order_by("pk")] == ["created", "changed"]
    assert "changed versions or their shares: A and B" in text(merchandiser, "/activity/")


def test_every_lever_is_saved_as_it_was_typed(merchandiser: Client) -> None:
    tried, book = version(), RuleBook.objects.create(number=5)
    order = list(ShopPage.objects.get(name="home").slots.order_by("position").values_list("placement__name", flat=True))
    positions = {f"arm-4-order-home-{name}": str(at) for at, name in enumerate(reversed(order))}
    sent = typed() | {
        "arm-1-diversity": "0,4", "arm-1-repeat": "exclude", "arm-2-lever": "weights",
        "arm-2-weights": f"home:{tried.pk}", "arm-3-lever": "rules", "arm-3-rules": str(book.pk), "arm-4-lever": "page",
        "arm-4-page": "home", "segment": ["1"], "signed_in": "yes", "traffic": "40", "guard-refunds": "12,5",
    }  # fmt: skip
    answer = merchandiser.post("/experiments/new/", sent | positions)
    made = Experiment.objects.get()
    assert answer["Location"] == f"/experiments/{made.pk}/"
    assert changes(made) == [
        {"placements": {"home": {"n": 7, "diversity": 0.4, "repeat": "exclude"}}},
        {"weights": {"home": tried.pk}},
        {"rules": book.pk},
        {"pages": {"home": order[::-1]}},
    ]
    assert (made.segments, made.signed_in, made.traffic) == ([1], True, 0.4)
    assert made.guardrails == {"refunds": 0.125}
    page = text(merchandiser, f"/experiments/{made.pk}/edit/")
    for words in ('value="0.4"', 'value="12.5"', f'value="{book.pk}" selected', 'value="40"', 'value="yes" checked'):
        assert words in page
    assert merchandiser.post(f"/experiments/{made.pk}/edit/", sent | positions | {"revision": "1", "name": "Same"})
    made.refresh_from_db()
    assert (made.name, made.revision, len(changes(made))) == ("Same", 2, 4)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"name": ""}, "name"),
        ({"traffic": "0"}, "traffic"),
        ({"traffic": "half"}, "traffic"),
        ({"primary": "happiness"}, "primary"),
        ({"smallest_lift": "-1"}, "smallest_lift"),
        ({"planned_days": "3"}, "planned_days"),
        ({"planned_days": "a week"}, "planned_days"),
        ({"guard-refunds": "much"}, "guardrails"),
        ({"segment": "987654"}, "segments"),
        ({"arm-1-share": "x"}, "shares"),
        ({"arm-1-n": "2.5"}, "arm-1"),
        ({"arm-1-n": ""}, "arm-1"),
        ({"arm-1-lever": "weights"}, "arm-1"),
        ({"arm-1-lever": "rules", "arm-1-rules": "987654"}, "arm-1"),
        ({"arm-1-lever": "page", "arm-1-page": "nowhere"}, "arm-1"),
        ({"arm-1-lever": "wheel"}, "arms"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    merchandiser: Client, fields: dict[str, str], place: str
) -> None:
    answer = merchandiser.post("/experiments/new/", typed(hypothesis="More choice sells more") | fields)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="{place}-error"' in page
    assert page.count('class="field-error"') == 1
    assert "More choice sells more" in page
    for name in ("smallest_lift", "traffic", "arm-1-n"):
        assert f'name="{name}" value="{(typed() | fields)[name]}"' in page
    assert not Experiment.objects.exists()


def test_a_value_of_a_placement_that_is_not_possible_is_named_with_its_range(merchandiser: Client) -> None:
    answer = merchandiser.post("/experiments/new/", typed() | {"arm-1-n": "0", "arm-1-diversity": "5"})
    page = html.unescape(answer.content.decode())
    assert "“For you”, Items shown: from 1 to 100. “For you”, Diversity: from 0 to 1.</p>" in page
    answer = merchandiser.post("/experiments/new/", typed() | {"arm-1-repeat": "never"})
    assert "“For you”, Bought before: choose one of the list.</p>" in html.unescape(answer.content.decode())


def test_a_version_that_is_what_is_live_is_refused_at_once(merchandiser: Client) -> None:
    """Whatever lever it takes hold of: only the start would find it else."""
    home = Placement.objects.get(name="home")
    order = list(ShopPage.objects.get(name="home").slots.order_by("position").values_list("placement__name", flat=True))
    live = BlendWeights.objects.defaults().get(blend__name="home", segment=None, audience=None)
    placement = {"arm-1-n": str(home.n), "arm-1-repeat": home.repeat}
    page = {"arm-1-lever": "page", "arm-1-page": "home"} | {
        f"arm-1-order-home-{name}": str(at) for at, name in enumerate(order)
    }
    for fields in (placement, page, {"arm-1-lever": "weights", "arm-1-weights": f"home:{live.pk}"}):
        answer = merchandiser.post("/experiments/new/", typed() | fields)
        assert answer.status_code == 422
        words = 'id="arm-1-error">It is what is live, which A gets already: choose another.</p>'
        assert answer.content.decode().count(words) == 1
    assert not Experiment.objects.exists()
    merchandiser.post("/experiments/new/", typed() | placement | {"arm-1-n": str(home.n + 1)})  # something differs
    assert Experiment.objects.exists()


def test_days_that_are_no_whole_weeks_are_taken_and_the_error_says_no_else(merchandiser: Client) -> None:
    page = merchandiser.post("/experiments/new/", typed(planned_days="3")).content.decode()
    assert "Between 7 and 56 days, whole weeks at best: people shop differently on different days." in page
    assert merchandiser.post("/experiments/new/", typed(planned_days="10")).status_code == 302


def test_arms_come_and_go_and_what_is_typed_stays(merchandiser: Client) -> None:
    page = merchandiser.post("/experiments/new/", typed(edit="add", name="Mine")).content.decode()
    assert 'name="arm-2-lever" value="placement" checked' in page
    assert 'value="Mine"' in page
    sent = typed(edit="drop:1") | {"arm-4-lever": "placement", "arm-4-placement": "home", "arm-4-n": "9"}
    page = merchandiser.post("/experiments/new/", sent).content.decode()
    assert 'name="arm-4-n" value="9"' in page
    assert "arm-1-lever" not in page
    full = typed(edit="add") | {f"arm-{at}-lever": "rules" for at in range(2, 6)}
    page = merchandiser.post("/experiments/new/", full).content.decode()
    assert "arm-6-lever" not in page
    assert 'value="add"' not in page
    for odd in ("drop:²", f"drop:{'9' * 5000}", "add:1", "\x00"):
        assert merchandiser.post("/experiments/new/", typed(edit=odd)).status_code == 200


def test_of_two_writers_the_second_sees_both_and_chooses(merchandiser: Client, admin: Client) -> None:
    draft = drafted()
    admin.post(f"/experiments/{draft.pk}/edit/", typed(revision="1", planned_days="14"))
    answer = merchandiser.post(f"/experiments/{draft.pk}/edit/", typed(revision="1", traffic="30"))
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "The admin saved it" in page
    assert "<td>14</td><td>28</td>" in page
    assert "<td>100.0%</td><td>30.0%</td>" in page
    assert 'name="traffic" value="30"' in page
    merchandiser.post(f"/experiments/{draft.pk}/edit/", typed(revision="1", traffic="30", over="2"))
    draft.refresh_from_db()
    assert (draft.traffic, draft.planned_days) == (0.3, 28)


def test_who_edits_what_was_started_meanwhile_can_keep_it_as_another_draft(merchandiser: Client) -> None:
    draft = drafted()
    start(experiment=draft, revision=1, by=Staff.objects.create_user("ana@example.com", name="Ana"), now=NOW)
    answer = merchandiser.post(f"/experiments/{draft.pk}/edit/", typed(revision="1", name="Mine"))
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "Someone else started this experiment" in page
    assert "Ana," in page
    assert 'formaction="/experiments/new/"' in page
    assert merchandiser.get(f"/experiments/{draft.pk}/edit/")["Location"] == f"/experiments/{draft.pk}/"
    merchandiser.post("/experiments/new/", typed(name="Mine", revision="1"))
    assert Experiment.objects.get(name="Mine").status == ExperimentStatus.DRAFT


def test_who_edits_what_was_deleted_meanwhile_gets_the_form_of_another_draft(
    merchandiser: Client, admin: Client
) -> None:
    draft = drafted()
    address = f"/experiments/{draft.pk}/edit/"
    admin.post(f"/experiments/{draft.pk}/delete/")
    answer = merchandiser.post(address, typed(revision="1", name="Mine", traffic="30"))
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 409
    assert re.search(
        r"The admin deleted it .*\. What you typed is in the form below: saving it makes a new draft", page
    )
    assert 'id="experiment-form" class="rule-form" action="/experiments/new/"' in page
    assert 'name="traffic" value="30"' in page
    assert 'value="Mine"' in page
    page = html.unescape(merchandiser.post(address, typed(revision="1", edit="add")).content.decode())
    assert 'name="arm-2-lever"' in page
    assert "saving it makes a new draft" in page
    AuditEntry.objects.all().delete()
    page = html.unescape(merchandiser.post(address, typed(revision="1")).content.decode())
    assert "deleted it" not in page
    assert "saving it makes a new draft" in page
    assert not Experiment.objects.exists()
    text(merchandiser, address, status=404)


def test_a_draft_that_is_deleted_while_it_is_saved_is_not_a_failure(
    merchandiser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = drafted()
    find = query.find_experiment

    def found_and_then_deleted(pk: int) -> Experiment | None:
        stored = find(pk)
        Experiment.objects.filter(pk=pk).delete()
        return stored

    monkeypatch.setattr(query, "find_experiment", found_and_then_deleted)
    answer = merchandiser.post(f"/experiments/{draft.pk}/edit/", typed(revision="1", name="Mine"))
    assert answer.status_code == 409
    assert "saving it makes a new draft" in answer.content.decode()


def test_saving_leads_to_the_question_whether_to_start(admin: Client) -> None:
    answer = admin.post("/experiments/new/", typed(then="start", traffic="40"), follow=True)
    made = Experiment.objects.get()
    assert answer.redirect_chain == [(f"/experiments/{made.pk}/?open=start", 302)]
    page = html.unescape(answer.content.decode())
    assert "Start “More like it”?" in page
    assert page.count("20.0% of the visitors") == 2
    assert made.status == ExperimentStatus.DRAFT


def test_the_form_offers_no_drafts_and_no_weights_of_a_group(merchandiser: Client) -> None:
    hidden = [version(91, status="draft"), version(92, segment=Segment.objects.first())]
    page = text(merchandiser, "/experiments/new/")
    assert not [row for row in hidden if f"home:{row.pk}" in page]


def test_the_plan_stands_beside_the_form_and_on_the_draft(merchandiser: Client) -> None:
    assert 'hx-post="/experiments/plan/"' in text(merchandiser, "/experiments/new/")
    page = html.unescape(merchandiser.post("/experiments/plan/", typed()).content.decode())
    assert "nobody was answered at these placements in the last four weeks" in page
    for odd in ({"traffic": "x"}, {"smallest_lift": ""}, {"arm-1-placement": ""}, {"arm-1-lever": "page"}):
        page = merchandiser.post("/experiments/plan/", typed() | odd).content.decode()
        assert "The plan stands here once it is clear" in page
    draft = drafted(primary="orders")
    assert f'hx-get="/experiments/{draft.pk}/plan/"' in text(merchandiser, f"/experiments/{draft.pk}/")


def test_the_plan_of_a_draft_says_what_is_free_and_tries_it_on_past_visitors(merchandiser: Client) -> None:
    begun(traffic=0.3, name="First")
    draft = drafted(name="Second")
    plan = text(merchandiser, f"/experiments/{draft.pk}/plan/")
    assert "70% of the visitors are free" in plan
    assert '<rect class="taken" x="0" width="3000"' in plan
    address = f"/experiments/{draft.pk}/aa/"
    assert merchandiser.get(address)["Location"] == f"/experiments/{draft.pk}/"  # it is a part of that page
    checked = html.unescape(merchandiser.get(address, headers={"HX-Request": "true"}).content.decode())
    assert "Too few visitors bought or clicked" in checked or "past visitors differed in" in checked
    assert "nobody was answered" in text(merchandiser, f"/experiments/{draft.pk}/plan/")
    said = text(merchandiser, f"/experiments/{draft.pk}/plan/?sentence")
    assert "nobody was answered" in said
    assert "It can be started all the same" in said
    assert "<figure" not in said
    assert "It can be started all the same" not in plan
