"""Four eyes: a draft is handed over, and published, sent back or taken back, once."""

from datetime import UTC, datetime

import pytest

from recommendations.models import ApprovalRequest, AuditEntry, BlendWeights, Rule, Staff
from recommendations.services import approvals
from recommendations.services.approvals import AlreadyAnsweredError, NoteNeededError
from recommendations.services.rules.books import publish_rules
from recommendations.services.rules.editing import archive_rule, save_rule
from recommendations.terms import ApprovalState, Role
from tests.analytics import rule_records

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 15, 6, tzinfo=UTC)


@pytest.fixture
def ann() -> Staff:
    return Staff.objects.create_user("ann@example.com", "correct horse", role=Role.MERCHANDISER, name="Ann")


@pytest.fixture
def bob() -> Staff:
    return Staff.objects.create_user("bob@example.com", "correct horse", role=Role.PUBLISHER, name="Bob")


@pytest.fixture
def rule(ann: Staff) -> Rule:
    rule_records.shop()
    return rule_records.rule(by=ann)


def asked(rule: Rule, by: Staff, note: str = "For the tea week") -> ApprovalRequest:
    [request] = approvals.ask(drafts=[rule], note=note, by=by, now=NOW)
    return request


def test_publishing_a_draft_answers_the_request(rule: Rule, ann: Staff, bob: Staff) -> None:
    request = asked(rule, ann)
    assert list(ApprovalRequest.objects.waiting()) == [request]
    publish_rules(rules=[rule.pk], based_on=None, note="fine", by=bob, now=NOW)
    request.refresh_from_db()
    assert (request.state, request.decided_by, request.decided_at) == (ApprovalState.PUBLISHED, bob, NOW)
    assert not ApprovalRequest.objects.waiting().exists()


def test_publishing_another_draft_answers_nothing(rule: Rule, ann: Staff, bob: Staff) -> None:
    request, other = asked(rule, ann), rule_records.rule("Coffee", by=ann)
    publish_rules(rules=[other.pk], based_on=None, note="fine", by=bob, now=NOW)
    assert list(ApprovalRequest.objects.waiting()) == [request]


def test_who_asks_again_changes_the_note(rule: Rule, ann: Staff) -> None:
    first, again = asked(rule, ann), asked(rule, ann, "For the whole week")
    assert (again.pk, again.note) == (first.pk, "For the whole week")
    with pytest.raises(NoteNeededError):
        asked(rule, ann, "  ")


def test_a_draft_is_sent_back_with_a_note_once(rule: Rule, ann: Staff, bob: Staff) -> None:
    request = asked(rule, ann)
    with pytest.raises(NoteNeededError):
        approvals.send_back(request=request, note=" ", by=bob, now=NOW)
    approvals.send_back(request=request, note="Only green tea, please", by=bob, now=NOW)
    request.refresh_from_db()
    assert (request.state, request.answer, request.decided_by) == ("returned", "Only green tea, please", bob)
    with pytest.raises(AlreadyAnsweredError):
        approvals.withdraw(request=request, by=ann, now=NOW)
    assert asked(rule, ann).pk != request.pk
    verbs = AuditEntry.objects.filter(object_type="rule").order_by("pk").values_list("verb", "note")
    assert list(verbs)[1:] == [
        ("ask for approval", "For the tea week"), ("send back", "Only green tea, please"),
        ("ask for approval", "For the tea week"),
    ]  # fmt: skip


def test_what_is_taken_back_or_archived_does_not_wait(rule: Rule, ann: Staff) -> None:
    approvals.withdraw(request=asked(rule, ann), by=ann, now=NOW)
    assert not ApprovalRequest.objects.waiting().exists()
    asked(rule, ann)
    archive_rule(rule=rule, by=ann, now=NOW)
    assert not ApprovalRequest.objects.waiting().exists()


def test_an_edited_draft_goes_on_waiting(rule: Rule, ann: Staff) -> None:
    request = asked(rule, ann)
    save_rule(rule=rule, values={"strength": 50}, revision=1, by=ann, now=NOW)
    assert list(ApprovalRequest.objects.waiting()) == [request]
    assert not BlendWeights.objects.filter(approvals__isnull=False).exists()
