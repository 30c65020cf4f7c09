"""Entries of the audit trail in words: what was done to what kind of object, and the fields that changed."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django import template
from django.apps import apps
from django.db.models import DecimalField
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from analytics.templatetags.display import MISSING, number
from recommendations.models import AuditEntry
from recommendations.services.access.audit import (
    ASKED_BY_OWNER,
    BY_OWNERS,
    DOWNLOADED_BY_OWNER,
    ERASED_BY_OWNER,
    changed_fields,
)
from recommendations.services.campaigns.draft_trail import ASKED, TAKEN_BACK
from recommendations.services.catalogue.history import may_revert
from recommendations.wording.audiences import audience_text

register = template.Library()

LONGEST = 120  # characters of a value on the page
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")

VERBS: Mapping[str, Promise] = {
    "change": pgettext_lazy("activity", "changed"),
    "create": pgettext_lazy("activity", "created"),
    "archive": pgettext_lazy("activity", "archived"),
    "restore": pgettext_lazy("activity", "restored"),
    "reorder": pgettext_lazy("activity", "reordered"),
    "publish": pgettext_lazy("activity", "published"),
    "withdraw": pgettext_lazy("activity", "withdrew"),
    "roll back": pgettext_lazy("activity", "rolled back"),
    "discard": pgettext_lazy("activity", "discarded"),
    "draft": pgettext_lazy("activity", "drafted"),
    "tune": pgettext_lazy("activity", "tuned"),
    "suggest": pgettext_lazy("activity", "asked for a suggestion of"),
    "make live": pgettext_lazy("activity", "made live"),
    "accept event weights": pgettext_lazy("activity", "accepted the event weights of"),
    "decline event weights": pgettext_lazy("activity", "declined the event weights of"),
    "start": pgettext_lazy("activity", "started"),
    "pause": pgettext_lazy("activity", "paused"),
    "stop": pgettext_lazy("activity", "stopped"),
    "widen": pgettext_lazy("activity", "widened"),
    "begin": pgettext_lazy("activity", "began"),
    "cancel start": pgettext_lazy("activity", "cancelled the start of"),
    "refuse start": pgettext_lazy("activity", "could not start"),
    "pin": pgettext_lazy("activity", "pinned a version of"),
    "unpin": pgettext_lazy("activity", "unpinned a version of"),
    "set floor": pgettext_lazy("activity", "set a least share in"),
    "take out": pgettext_lazy("activity", "took a version out of"),
    "practise": pgettext_lazy("activity", "practised"),
    "cancel practice": pgettext_lazy("activity", "cancelled the practice of"),
    "delete practice": pgettext_lazy("activity", "deleted the practice of"),
    "publish for a test": pgettext_lazy("activity", "published for a test"),
    "cancel": pgettext_lazy("activity", "cancelled"),
    "resume": pgettext_lazy("activity", "resumed"),
    "rename": pgettext_lazy("activity", "renamed"),
    "retire": pgettext_lazy("activity", "retired"),
    "bring back": pgettext_lazy("activity", "brought back"),
    "import": pgettext_lazy("activity", "imported"),
    "look at": pgettext_lazy("activity", "asked for a look at"),
    "revert": pgettext_lazy("activity", "reverted"),
    "undo": pgettext_lazy("activity", "undid"),
    "confirm price": pgettext_lazy("activity", "confirmed the price of"),
    "plan": pgettext_lazy("activity", "planned"),
    "revoke": pgettext_lazy("activity", "revoked"),
    "rotate": pgettext_lazy("activity", "replaced"),
    "invite": pgettext_lazy("activity", "invited"),
    "judge": pgettext_lazy("activity", "judged"),
    "mark as seen": pgettext_lazy("activity", "marked as seen"),
    "set password": pgettext_lazy("activity", "set the password of"),
    "sign in": pgettext_lazy("activity", "signed in as"),
    "sign out": pgettext_lazy("activity", "signed out as"),
    "wrong password": pgettext_lazy("activity", "typed a wrong password for"),
    "wrong code": pgettext_lazy("activity", "typed a wrong code for"),
    "lock out": pgettext_lazy("activity", "was locked out of"),
    "end session": pgettext_lazy("activity", "ended sessions of"),
    "set second factor": pgettext_lazy("activity", "set up the second factor of"),
    "renew recovery codes": pgettext_lazy("activity", "made new recovery codes for"),
    "use recovery code": pgettext_lazy("activity", "used a recovery code of"),
    "remove second factor": pgettext_lazy("activity", "took away the second factor of"),
    "set aside": pgettext_lazy("activity", "set aside"),
    "silence": pgettext_lazy("activity", "blocked an address of"),
    "send again": pgettext_lazy("activity", "sent messages again of"),
    "let speak": pgettext_lazy("activity", "unblocked an address of"),
    "erase": pgettext_lazy("activity", "erased"),
    ERASED_BY_OWNER: pgettext_lazy("activity", "erased on the page of their own data"),
    "ask": pgettext_lazy("activity", "asked for"),
    ASKED_BY_OWNER: pgettext_lazy("activity", "asked, on the page of their own data, for"),
    "hold": pgettext_lazy("activity", "set"),
    "lift": pgettext_lazy("activity", "lifted"),
    "unblock": pgettext_lazy("activity", "lifted the block of"),
    "download": pgettext_lazy("activity", "downloaded the file of"),
    DOWNLOADED_BY_OWNER: pgettext_lazy("activity", "downloaded, on the page of their own data, the file of"),
    "end": pgettext_lazy("activity", "ended"),
    "delete": pgettext_lazy("activity", "deleted"),
    ASKED: pgettext_lazy("activity", "asked for approval of"),
    "release": pgettext_lazy("activity", "let go a sending of"),
    "call off": pgettext_lazy("activity", "called off a sending of"),
    "send test": pgettext_lazy("activity", "sent themselves a test of"),
    TAKEN_BACK: pgettext_lazy("activity", "took back the request for review of"),
    "send back": pgettext_lazy("activity", "sent back"),
    "no longer ask for approval": pgettext_lazy("activity", "no longer asks for approval of"),
}
PARTS: Mapping[str, str] = {"quarantine": "aside", "contact": "suppression"}
"""Kinds of objects whose entries tell of a part, which is a model of its own."""
BY_STRANGERS = frozenset({"wrong password", "wrong code", "lock out"})
"""What somebody did who was not signed in."""
KINDS: Mapping[str, Promise] = {
    "rule": gettext_lazy("Rule"),
    "rulebook": gettext_lazy("Rule version"),
    "blendweights": gettext_lazy("Weights"),
    "blend": gettext_lazy("Blend"),
    "placement": gettext_lazy("Placement"),
    "shoppage": gettext_lazy("Page of the shop"),
    "segment": gettext_lazy("Segment"),
    "audience": gettext_lazy("Audience"),
    "item": gettext_lazy("Item"),
    "category": gettext_lazy("Category"),
    "promotion": gettext_lazy("Promotion"),
    "import": gettext_lazy("Import"),
    "shopsetting": gettext_lazy("Feed of items"),
    "run": gettext_lazy("Run"),
    "modelversion": gettext_lazy("Model"),
    "apikey": gettext_lazy("API key"),
    "staff": gettext_lazy("Staff member"),
    "judgement": gettext_lazy("Verdict"),
    "quarantine": gettext_lazy("Quarantine"),
    "experiment": gettext_lazy("Experiment"),
    "alarm": gettext_lazy("Alarm"),
    "contact": gettext_lazy("Contact"),
    "statedtaste": gettext_lazy("Stated taste"),
    "campaign": gettext_lazy("Campaign"),
    "newitempromise": gettext_lazy("Promise to new items"),
    "newitem": gettext_lazy("New item"),
    "pressurerules": gettext_lazy("Rules of pressure"),
    "agent": pgettext_lazy("push", "Agent"),
    "agentrules": gettext_lazy("Rules of the agent"),
    "agentpractice": gettext_lazy("Practice of the agent"),
    "privacyrequest": gettext_lazy("Privacy request"),
    "legalhold": gettext_lazy("Legal hold"),
    "tombstone": gettext_lazy("Erased id"),
    "retentionrule": gettext_lazy("Retention rule"),
    "release": pgettext_lazy("privacy", "Release"),
}
FACTS: Mapping[str, Promise] = {
    "address": gettext_lazy("address"),
    "addresses": gettext_lazy("addresses"),
    "book": pgettext_lazy("activity", "book"),
    "days": gettext_lazy("planned days"),
    "codes_left": gettext_lazy("recovery codes left"),
    "events": pgettext_lazy("activity", "events"),
    "gate": gettext_lazy("gate"),
    "items": pgettext_lazy("model", "items"),
    "live": gettext_lazy("live"),
    "replaced_by": gettext_lazy("replaced by"),
    "rules": gettext_lazy("rules"),
    "seed": gettext_lazy("seed"),
    "sessions": gettext_lazy("sessions"),
    "sending": pgettext_lazy("activity", "sending"),
    "slots": gettext_lazy("lists"),
    "statements": gettext_lazy("statements of consent"),
    "traffic": gettext_lazy("share of the visitors"),
    "verdict": gettext_lazy("reason"),
}
"""What entries tell of an object beside the fields of its model, or of one that is called otherwise here."""
PAGES: Mapping[str, str] = {
    **{name: name for name in ("run", "rule", "item", "quarantine", "audience", "experiment", "campaign")},
    "import": "imported_file",
    "staff": "staff_member",
    "privacyrequest": "privacy_request",
    "release": "release",
    "contact": "customer",
    "statedtaste": "customer",
}
"""Kinds of objects that have a page of their own: the name of its address, which takes the primary key."""


@register.filter("verb")
def verb_label(verb: str) -> str:
    return str(VERBS.get(verb, verb))


@register.filter
def did(entry: AuditEntry) -> str:
    """What was done, by the word that pages of its kind of object have for it."""
    if (entry.object_type, entry.verb) == ("campaign", ASKED):
        return pgettext("activity", "asked for review of")
    return verb_label(entry.verb)


@register.filter("kind")
def kind_label(kind: str) -> str:
    return str(KINDS.get(kind, kind))


@register.filter
def author(entry: AuditEntry) -> str:
    """Whoever did it; "" for a command or the schedule."""
    if entry.verb in BY_OWNERS:
        return _("The customer")
    return str(entry.author or (_("someone not signed in") if entry.verb in BY_STRANGERS else ""))


@register.filter
def called(entry: AuditEntry) -> str:
    """Name of the object, which who was erased lacks, and an attempt to sign in to an account that does not exist."""
    nobody = _("an unknown account") if entry.object_type == "staff" else _("a customer who was erased")
    return entry.label or entry.object_id or nobody


@register.filter
def address(entry: AuditEntry) -> str:
    """Address of the page of the object; empty where it has none."""
    try:
        return reverse(PAGES[entry.object_type], args=[entry.object_id]) if entry.object_type in PAGES else ""
    except NoReverseMatch:
        return ""


@register.filter
def revertible(entry: AuditEntry) -> bool:
    """Whether the fields of an item can get their old values again; where they changed since, that is said then."""
    return may_revert(entry)


@register.filter
def differences(entry: AuditEntry, longest: int | None = LONGEST) -> list[tuple[str, str | None, str | None]]:
    """Fields that changed, before and after; None where the object was not there before, or is no more."""
    fields = _fields(entry.object_type)
    return [
        (
            _field_words(fields, name),
            _as_text(_labels(fields.get(name), before), longest),
            _as_text(_labels(fields.get(name), after), longest),
        )
        for name, before, after in changed_fields(entry)
    ]


def field_of(kind: str, name: str) -> Any:
    """The field of the model; None for what is none."""
    return _fields(kind).get(name)


def field_words(kind: str, name: str) -> str:
    """What a field of this kind of object is called."""
    return _field_words(_fields(kind), name)


def value_words(field: Any, value: Any) -> str:
    """A value as a reader would write it: labels for codes, yes and no, lists with commas, times in words."""
    text = _labels(field, value)
    if isinstance(text, bool):
        return _("yes") if text else _("no")
    if isinstance(text, Mapping):
        return _(", ").join(f"{name} {value_words(None, each)}" for name, each in text.items())
    if isinstance(text, list):
        return _(", ").join(value_words(None, each) for each in text)
    if isinstance(text, int | float):
        return number(text, 0 if float(text).is_integer() else 2)
    text = str(_moment(text))
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return short if text != value or getattr(field, "flatchoices", None) else _("“%(text)s”") % {"text": short}


def field_text(kind: str, name: str, value: Any) -> str:
    """The value of a field of this kind of object as a reader would write it; what is empty is a dash."""
    if value in (None, "", [], {}):
        return MISSING
    field = field_of(kind, name)
    return str(value) if isinstance(field, DecimalField) else value_words(field, value)


@lru_cache(maxsize=1_000)
def _fields(kind: str) -> Mapping[str, Any]:
    """Fields of a model, and of its part, by their names; none where there is no such model."""
    try:
        models = [apps.get_model("recommendations", name) for name in (PARTS.get(kind, kind), kind)]
    except LookupError:
        return {}
    meta = [model._meta for model in models]
    return {field.name: field for one in meta for field in [*one.fields, *one.many_to_many]}


def _field_words(fields: Mapping[str, Any], name: str) -> str:
    if name in FACTS:
        return str(FACTS[name])
    return str(fields[name].verbose_name) if name in fields else name.replace("_", " ")


def _labels(field: Any, value: Any) -> Any:
    """A code of a field of choices, or a list of codes, as its label; anything else as it is."""
    choices = dict(getattr(field, "base_field", field).flatchoices) if field is not None else {}
    if not choices:
        return value
    if isinstance(value, list):
        return pgettext("between names", ", ").join(str(choices.get(code, code)) for code in value)
    return str(choices.get(value, value)) if isinstance(value, str) else value


def _as_text(given: Any, longest: int | None) -> str | None:
    if given is None:
        return None
    value = _moment(given)
    if isinstance(value, dict) and value.keys() == {"all", "none"}:
        value = audience_text(value, segments={}, titles={})
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if longest is None or len(text) <= longest else f"{text[:longest]}…"


def _moment(value: Any) -> Any:
    """A time in words, in the shop's time zone; anything else as it is."""
    if not isinstance(value, str) or not MOMENT.match(value):
        return value
    at = parse_datetime(value)
    return value if at is None or timezone.is_naive(at) else date_format(timezone.localtime(at), "DATETIME_FORMAT")
