"""Every address of the dashboard × every role: who may look, who may change; a page that is not in the table fails."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from analytics.urls import urlpatterns
from demo.urls import urlpatterns as demo_patterns
from recommendations.models import Staff
from recommendations.services.access.policy import POLICY, Action, may
from recommendations.terms import Role

pytestmark = pytest.mark.django_db

OPEN = {
    "login", "login_code", "logout", "preferences",
    "password_reset", "password_reset_done", "password_reset_confirm",
}  # fmt: skip
"""What strangers may reach: it leads into the dashboard, and tells nothing of the shop."""

LOOKS = {
    "overview", "event_list", "answer_list", "slate", "past_answer", "attributed_list", "customers", "random_customer",
    "most_changed", "item_suggestions", "customer", "customer_by_id", "reach", "why", "why_not", "change_price",
    "statement",
    "weights", "weights_effect", "weights_rest", "rules", "rule", "rule_customers", "rule_findings", "rule_values",
    "rule_books", "rule_calendar", "proposal_effect", "saved_rule_effect", "rule_history", "quality", "wrong_items",
    "catalogue", "catalogue_items", "item", "sources", "suspicious", "quarantine", "arrivals", "arrival_lines",
    "new_items", "promise_price", "item_alike", "item_suits",
    "segments", "segment", "together",
    "runs", "run", "run_progress", "replay_progress",
    "mailbox", "activity", "search", "palette", "approvals", "account",
    "change_password", "second_factor", "shop_pages", "shop_page", "placement_list", "placement_settings",
    "your_data", "webhooks",
    "audiences", "audience", "audience_categories", "imports", "imported_file", "rule_what_came", "book_what_came",
    "experiments", "experiment", "experiment_plan", "experiment_preview", "stability", "weights_earned",
    "earned_progress", "exploration_price", "send_plan", "sending", "sending_people", "sending_person",
    "campaigns", "campaign", "campaign_preview",
    "message_models", "pressure", "pressure_effect", "pressure_proof", "agent", "agent_effect", "agent_person",
    "agent_statements", "agent_practice",
    "campaign_calendar", "campaign_report", "push_results", "push_effect", "customer_messages", "customer_held",
    "privacy", "privacy_request", "privacy_progress", "privacy_receipts", "privacy_receipt", "privacy_holders",
    "legal_hold", "legal_holds", "release", "release_file", "releases", "retention",
}  # fmt: skip
"""What everybody on the staff may look at."""

DIALOGS = {
    "new_rule": Action.DRAFT,
    "new_audience": Action.DRAFT,
    "new_campaign": Action.DRAFT,
    "edit_campaign": Action.DRAFT,
    "new_experiment": Action.DRAFT,
    "edit_experiment": Action.DRAFT,
    "review_campaign": Action.DRAFT,
    "approve_campaign": Action.PUBLISH,
    "experiment_gate": Action.EXPERIMENT,
    "experiment_aa": Action.DRAFT,
    "try_weights": Action.EXPERIMENT,
    "try_rules": Action.EXPERIMENT,
    "weights_suggestion": Action.DRAFT,
    "suggestion_progress": Action.DRAFT,
    "weights_publication": Action.PUBLISH,
    "weights_roll_back": Action.PUBLISH,
    "set_aside_sent": Action.SET_ASIDE,
    "pin_price": Action.DRAFT,
    "arrange_shop_page": Action.SET_PLACEMENTS,
    "edit_item": Action.EDIT_CATALOGUE,
    "mend_item": Action.EDIT_CATALOGUE,
    "new_import": Action.EDIT_CATALOGUE,
    "import_template": Action.EDIT_CATALOGUE,
    "import_refused": Action.EDIT_CATALOGUE,
    "import_file": Action.EDIT_CATALOGUE,
    "import_file_refused": Action.EDIT_CATALOGUE,
    "new_receipt_import": Action.MANAGE_CONTACTS,
    "receipt_template": Action.MANAGE_CONTACTS,
    "receipt_file": Action.MANAGE_CONTACTS,
    "receipts_refused": Action.MANAGE_CONTACTS,
    "new_contact_import": Action.MANAGE_CONTACTS,
    "contact_template": Action.MANAGE_CONTACTS,
    "contact_file": Action.MANAGE_CONTACTS,
    "contacts_refused": Action.MANAGE_CONTACTS,
    "new_privacy_request": Action.HANDLE_PRIVACY,
    "retention_rule": Action.HANDLE_PRIVACY,
    "privacy_export": Action.HANDLE_PRIVACY,
    "mail": Action.PUBLISH,
    "notice": Action.PUBLISH,
    "mail_html": Action.PUBLISH,
    "staff_list": Action.MANAGE_STAFF,
    "staff_member": Action.MANAGE_STAFF,
    "api_keys": Action.MANAGE_KEYS,
    "new_api_key": Action.MANAGE_KEYS,
    "new_webhook": Action.MANAGE_KEYS,
}
"""What is looked at by those only who may do what it leads to."""

CHANGES = {
    "apply_change": Action.DRAFT,
    "judge": Action.DRAFT,
    "pin_item": Action.DRAFT,
    "arrange_shop_page": Action.SET_PLACEMENTS,
    "rule_from_card": Action.DRAFT,
    "save_weights": Action.DRAFT,
    "discard_weights": Action.DRAFT,
    "suggest_weights": Action.DRAFT,
    "cancel_suggestion": Action.DRAFT,
    "estimate_weights": Action.DRAFT,
    "cancel_estimate": Action.DRAFT,
    "publish_weights": Action.PUBLISH,
    "roll_back_weights": Action.PUBLISH,
    "withdraw_weights": Action.PUBLISH,
    "new_rule": Action.DRAFT,
    "rule": Action.DRAFT,
    "order_rules": Action.DRAFT,
    "rule_conditions": Action.DRAFT,
    "rule_effect": Action.DRAFT,
    "duplicate_rule": Action.DRAFT,
    "discard_changes": Action.DRAFT,
    "archive_rule": Action.DRAFT,
    "restore_rule": Action.DRAFT,
    "publish_rules": Action.PUBLISH,
    "withdraw_rules": Action.PUBLISH,
    "roll_back_rules": Action.PUBLISH,
    "ask_for_rules": Action.DRAFT,
    "ask_for_weights": Action.DRAFT,
    "pressure": Action.PUBLISH,
    "publish_promise": Action.PUBLISH,
    "step_new_item": Action.PUBLISH,
    "publish_rules_of_agent": Action.PUBLISH,
    "step_agent": Action.EXPERIMENT,
    "pause_the_agent": Action.PUBLISH,
    "resume_the_agent": Action.PUBLISH,
    "go_back_to_night": Action.PUBLISH,
    "practise_agent": Action.PUBLISH,
    "cancel_agent_practice": Action.PUBLISH,
    "send_again": Action.PUBLISH,
    "send_back": Action.PUBLISH,
    "withdraw_approval": Action.DRAFT,
    "rename_segment": Action.DRAFT,
    "new_audience": Action.DRAFT,
    "audience": Action.DRAFT,
    "audience_count": Action.DRAFT,
    "order_audiences": Action.DRAFT,
    "archive_audience": Action.DRAFT,
    "restore_audience": Action.DRAFT,
    "send_plan": Action.DRAFT,
    "review_campaign": Action.DRAFT,
    "approve_campaign": Action.PUBLISH,
    "send_campaign_back": Action.PUBLISH,
    "release_sending": Action.PUBLISH,
    "cancel_sending": Action.PUBLISH,
    "new_campaign": Action.DRAFT,
    "edit_campaign": Action.DRAFT,
    "campaign_preview": Action.DRAFT,
    "test_campaign": Action.DRAFT,
    "copy_campaign": Action.DRAFT,
    "archive_campaign": Action.DRAFT,
    "pause_campaign": Action.PUBLISH,
    "resume_campaign": Action.PUBLISH,
    "end_campaign": Action.PUBLISH,
    "new_experiment": Action.DRAFT,
    "edit_experiment": Action.DRAFT,
    "delete_experiment": Action.DRAFT,
    "practise_experiment": Action.DRAFT,
    "repeat_practice": Action.DRAFT,
    "cancel_practice": Action.DRAFT,
    "delete_practice": Action.DRAFT,
    "start_experiment": Action.EXPERIMENT,
    "pause_experiment": Action.EXPERIMENT,
    "cancel_experiment_start": Action.EXPERIMENT,
    "resume_experiment": Action.EXPERIMENT,
    "widen_experiment": Action.EXPERIMENT,
    "stop_experiment": Action.EXPERIMENT,
    "publish_arm": Action.EXPERIMENT,
    "pin_arm": Action.EXPERIMENT,
    "unpin_arm": Action.EXPERIMENT,
    "floor_arm": Action.EXPERIMENT,
    "take_arm_out": Action.EXPERIMENT,
    "alarm_seen": Action.DRAFT,
    "plan_of_form": Action.DRAFT,
    "preview_of_form": Action.DRAFT,
    "try_weights": Action.EXPERIMENT,
    "try_rules": Action.EXPERIMENT,
    "new_import": Action.EDIT_CATALOGUE,
    "edit_item": Action.EDIT_CATALOGUE,
    "set_item_on_sale": Action.EDIT_CATALOGUE,
    "revert_change": Action.EDIT_CATALOGUE,
    "take_import": Action.EDIT_CATALOGUE,
    "new_contact_import": Action.MANAGE_CONTACTS,
    "take_contacts": Action.MANAGE_CONTACTS,
    "new_receipt_import": Action.MANAGE_CONTACTS,
    "take_receipts": Action.MANAGE_CONTACTS,
    "remove_imported_campaign": Action.MANAGE_CONTACTS,
    "undo_import": Action.EDIT_CATALOGUE,
    "look_at_feed": Action.EDIT_CATALOGUE,
    "set_first_steps": Action.SET_PLACEMENTS,
    "leave_tour": Action.SEE,
    "start_run": Action.RUN_LOOP,
    "cancel_run": Action.RUN_LOOP,
    "resume_run": Action.RUN_LOOP,
    "cancel_replay": Action.RUN_LOOP,
    "resume_replay": Action.RUN_LOOP,
    "make_live": Action.PUBLISH,
    "decide_points": Action.PUBLISH,
    "undo": Action.SEE,  # whether they may, the token's own kind says
    "end_sessions": Action.SEE,
    "renew_codes": Action.SEE,
    "remove_second_factor": Action.SEE,
    "set_aside_sent": Action.SET_ASIDE,
    "set_aside_customer": Action.SET_ASIDE,
    "forget_taste": Action.MANAGE_CONTACTS,
    "find_by_address": Action.MANAGE_CONTACTS,
    "silence_address": Action.MANAGE_CONTACTS,
    "let_address_speak": Action.MANAGE_CONTACTS,
    "erase_contact": Action.MANAGE_CONTACTS,
    "new_privacy_request": Action.HANDLE_PRIVACY,
    "retention_rule": Action.HANDLE_PRIVACY,
    "repeat_privacy_request": Action.HANDLE_PRIVACY,
    "learn_without": Action.RUN_LOOP,
    "hold_somebody": Action.HANDLE_PRIVACY,
    "lift_legal_hold": Action.HANDLE_PRIVACY,
    "new_release": Action.RELEASE,
    "publish_release": Action.RELEASE,
    "withdraw_release": Action.RELEASE,
    "repeat_release": Action.RELEASE,
    "restore_quarantine": Action.SET_ASIDE,
    "end_quarantine": Action.SET_ASIDE,
    "delete_quarantine": Action.SET_ASIDE,
    "placement_settings": Action.SET_PLACEMENTS,
    "invite_staff": Action.MANAGE_STAFF,
    "staff_member": Action.MANAGE_STAFF,
    "set_staff_active": Action.MANAGE_STAFF,
    "invite_again": Action.MANAGE_STAFF,
    "reset_staff_password": Action.MANAGE_STAFF,
    "end_staff_sessions": Action.MANAGE_STAFF,
    "remove_staff_factor": Action.MANAGE_STAFF,
    "new_api_key": Action.MANAGE_KEYS,
    "rotate_api_key": Action.MANAGE_KEYS,
    "revoke_api_key": Action.MANAGE_KEYS,
    "new_webhook": Action.MANAGE_KEYS,
    "change_webhook_secret": Action.MANAGE_KEYS,
    "switch_webhook": Action.MANAGE_KEYS,
    "try_webhook": Action.MANAGE_KEYS,
}
"""What a POST needs: it changes something, or measures what somebody is writing."""

SAMPLES = {"int": 1, "customer": 1, "uuid": uuid4(), "str": "x", "string": "x", "slug": "x", "path": "x"}


def patterns() -> dict[str, URLPattern]:
    by_name = {}
    for pattern in (*urlpatterns, *demo_patterns):
        assert isinstance(pattern, URLPattern)
        by_name[str(pattern.name)] = pattern
    return by_name


def address(name: str) -> str:
    converters = patterns()[name].pattern.converters
    kinds = {key: type(converter).__name__.removesuffix("Converter").lower() for key, converter in converters.items()}
    return reverse(name, kwargs={key: SAMPLES[kind] for key, kind in kinds.items()})


def test_every_address_is_in_the_table() -> None:
    names = list(patterns())
    assert len(names) == len(set(names))
    assert set(names) == OPEN | LOOKS | set(DIALOGS) | set(CHANGES)
    assert not OPEN & (LOOKS | set(DIALOGS) | set(CHANGES))
    assert not LOOKS & set(DIALOGS)


def test_strangers_are_sent_to_the_login_and_back() -> None:
    for name in LOOKS | set(DIALOGS) | set(CHANGES):
        for answer in (Client().get(address(name)), Client().post(address(name))):
            assert answer.status_code == 302, name
            assert answer["Location"] == f"/login/?next={address(name)}"


def test_a_part_of_a_page_sends_the_whole_page_to_the_login() -> None:
    """The session ended while a page was open: htmx would put the login into a part of it."""
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/customers/?state=warm"}
    answer = Client().post(address("start_run"), headers=headers)
    assert (answer.status_code, answer["HX-Redirect"]) == (200, "/login/?next=%2Fcustomers%2F%3Fstate%3Dwarm")


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_look_and_change_as_the_table_says(client_of: Callable[[Role], Client], role: Role) -> None:
    """Whatever else an address answers to an empty form or an unknown object: 403 is for those who may not."""
    client = client_of(role)
    staff = Staff.objects.get(email=f"{role}@example.com")
    for name in LOOKS:
        answer = client.get(address(name))
        assert answer.status_code in {200, 302, 404}, name
        assert not answer.get("Location", "").startswith("/login/"), name
    for name, action in DIALOGS.items():
        assert (client.get(address(name)).status_code == 403) is not may(staff, action), (name, role)
    for name, action in CHANGES.items():
        assert (client.post(address(name)).status_code == 403) is not may(staff, action), (name, role)


def test_only_the_policy_decides() -> None:
    """Who has left may do nothing; nobody may do what the table does not say."""
    for role in Role:
        here, gone = Staff(role=role), Staff(role=role, is_active=False)
        assert {action for action in Action if may(here, action)} == {a for a, roles in POLICY.items() if role in roles}
        assert not any(may(gone, action) for action in Action)
    assert set(POLICY) == set(Action)
