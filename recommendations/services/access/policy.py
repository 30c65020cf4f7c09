"""Who may do what: the whole policy in one table. What is not in it is forbidden."""

from collections.abc import Mapping
from enum import StrEnum

from recommendations.models import Staff
from recommendations.terms import Role


class Action(StrEnum):
    SEE = "see"
    RUN_LOOP = "run_loop"
    EDIT_CATALOGUE = "edit_catalogue"
    MANAGE_KEYS = "manage_keys"
    MANAGE_STAFF = "manage_staff"
    SET_PLACEMENTS = "set_placements"
    DRAFT = "draft"  # rules, weights, names of segments, verdicts
    PUBLISH = "publish"
    EXPERIMENT = "experiment"  # start, stop and widen experiments, and publish what won
    SET_ASIDE = "set_aside"  # customers, or what a key sent; restore and delete, too
    MANAGE_CONTACTS = "manage_contacts"  # take files of them in, silence addresses, let them speak again, erase
    HANDLE_PRIVACY = "handle_privacy"  # export and erase people, hold what must be kept
    RELEASE = "release"  # let numbers about many customers leave the house


EVERYONE = frozenset(Role)
POLICY: Mapping[Action, frozenset[Role]] = {
    Action.SEE: EVERYONE,
    Action.RUN_LOOP: frozenset({Role.PUBLISHER, Role.ADMIN}),
    Action.EDIT_CATALOGUE: frozenset({Role.CATALOGUE_ADMIN, Role.ADMIN}),
    Action.MANAGE_KEYS: frozenset({Role.ADMIN}),
    Action.MANAGE_STAFF: frozenset({Role.ADMIN}),
    Action.SET_PLACEMENTS: frozenset({Role.ADMIN}),
    Action.DRAFT: frozenset({Role.MERCHANDISER, Role.PUBLISHER, Role.ADMIN}),
    Action.PUBLISH: frozenset({Role.PUBLISHER, Role.ADMIN}),
    Action.EXPERIMENT: frozenset({Role.PUBLISHER, Role.ADMIN}),
    Action.SET_ASIDE: frozenset({Role.PUBLISHER, Role.ADMIN}),
    Action.MANAGE_CONTACTS: frozenset({Role.ADMIN}),
    Action.HANDLE_PRIVACY: frozenset({Role.ADMIN}),
    Action.RELEASE: frozenset({Role.ADMIN}),
}

TRAIL: Mapping[str, Action] = {
    "staff": Action.MANAGE_STAFF, "apikey": Action.MANAGE_KEYS, "legalhold": Action.HANDLE_PRIVACY,
}  # fmt: skip
"""What one must be able to do to see entries of the audit trail about such objects; the others are for everybody."""


def may(staff: Staff, action: Action) -> bool:
    return staff.is_active and staff.role in POLICY[action]
