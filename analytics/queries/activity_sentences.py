"""Entries of the audit trail in sentences: what exactly was done, as a person would tell it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.queries.campaigns.words import differing, place_words
from analytics.templatetags import rules as rule_words
from analytics.templatetags.activity import field_of, field_words, value_words
from analytics.templatetags.display import moment
from analytics.templatetags.rules import Names
from analytics.templatetags.weights import setting_label, setting_value
from analytics.templatetags.words import label
from recommendations.models import AuditEntry
from recommendations.services.access import audit
from recommendations.services.access.audit import changed_fields
from recommendations.terms import GateOutcome
from recommendations.wording import labels
from recommendations.wording.audiences import audience_text
from recommendations.wording.experiments import note_text
from recommendations.wording.linter import listed

MOST_NAMED = 3
MOST_OF_NEW = 4  # facts that are told of an object that was not there before
CHECKS: Mapping[str, Promise] = {
    GateOutcome.PASSED: gettext_lazy("the final check found them no less accurate"),
    GateOutcome.WORSE: gettext_lazy("the final check found them less accurate"),
    GateOutcome.UNMEASURED: gettext_lazy("the final check had nobody to measure"),
}

type Sentences = Callable[[AuditEntry, Names], list[str]]


def sentences(entry: AuditEntry, names: Names) -> list[str]:
    """What was done, in sentences that go on after who did it to what; none where that says all."""
    kind, verb = entry.object_type, entry.verb
    tell = SENTENCES.get((kind, verb)) or SENTENCES.get((kind, "")) or SENTENCES.get(("", verb)) or _fields
    return [text for text in tell(entry, names) if text]


def names_of(entries: Iterable[AuditEntry]) -> Names:
    """Names of all that the entries of rules speak of."""
    rules = [entry for entry in entries if entry.object_type == "rule"]
    return Names.of(part for entry in rules for part in (entry.before, entry.after) if part)


def change(words: str, *, before: str | None, after: str | None, rise: float = 0) -> str:
    """A field that has another value; ``rise`` is by how much, where it is a number."""
    parts = {"field": words, "before": before, "after": after}
    if after is None:
        return _("emptied “%(field)s”, which was %(before)s") % parts
    if before is None:
        return _("set “%(field)s” to %(after)s") % parts
    if rise > 0:
        return _("raised “%(field)s” from %(before)s to %(after)s") % parts
    if rise < 0:
        return _("lowered “%(field)s” from %(before)s to %(after)s") % parts
    return _("changed “%(field)s” from %(before)s to %(after)s") % parts


def _rise(before: Any, after: Any) -> float:
    """The difference of two numbers; 0 for what is none."""
    numbers = [value for value in (before, after) if isinstance(value, int | float) and not isinstance(value, bool)]
    return float(numbers[1] - numbers[0]) if len(numbers) == 2 else 0


def _fields(entry: AuditEntry, _names: Names) -> list[str]:
    """Whatever changed, field by field."""
    changes = [each for each in changed_fields(entry) if not (_is_nothing(each[1]) and _is_nothing(each[2]))]
    texts = []
    for name, before, after in changes if entry.before else changes[:MOST_OF_NEW]:
        words, field = field_words(entry.object_type, name), field_of(entry.object_type, name)
        if isinstance(after, bool):
            on, off = _("switched “%(field)s” on"), _("switched “%(field)s” off")
            texts.append((on if after else off) % {"field": words})
            continue
        was, is_now = (None if _is_nothing(value) else value_words(field, value) for value in (before, after))
        texts.append(change(words, before=was, after=is_now, rise=_rise(before, after)))
    more = len(changes) - len(texts)
    return texts + [ngettext("and %(n)d more", "and %(n)d more", more) % {"n": more}] * (more > 0)


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})


# --- Weights


def _weights(entry: AuditEntry, _names: Names) -> list[str]:
    """Each recommender whose share changed, and what is set beside them; of a new draft, what counts most."""
    before, after = _settings(entry.before), _settings(entry.after)
    if not before or not after:
        largest = sorted((after or before).items(), key=lambda each: -each[1])[:MOST_NAMED]
        parts = [f"{setting_label(name)} {setting_value(value, name)}" for name, value in largest if value]
        return [_("with %(parts)s most of all") % {"parts": _(", ").join(parts)}] if parts else []
    return [
        change(
            setting_label(name),
            before=setting_value(before.get(name, 0), name),
            after=setting_value(after.get(name, 0), name),
            rise=after.get(name, 0) - before.get(name, 0),
        )
        for name in dict.fromkeys([*before, *after])
        if before.get(name, 0) != after.get(name, 0)
    ]


def _settings(fields: Mapping[str, Any] | None) -> dict[str, float]:
    """Weights and what is set beside them, in one."""
    given = dict(fields or {})
    weights = given.pop("weights", None) or {}
    return {**weights, **{name: value for name, value in given.items() if isinstance(value, int | float)}}


def _published(entry: AuditEntry, _names: Names) -> list[str]:
    before, after = entry.before or {}, entry.after or {}
    former, copied = before.get("default"), after.get("to")
    return [
        _("in place of v%(number)s") % {"number": former} if former else "",
        _("with the weights of v%(number)s") % {"number": copied} if copied else "",
        str(CHECKS.get(after.get("gate", ""), "")),
    ]


# --- Rules


def _rule(entry: AuditEntry, names: Names) -> list[str]:
    """What a rule that came or went says, or each of its fields that changed."""
    before, after = entry.before, entry.after
    if entry.verb in {"create", "publish", "withdraw"} and not (before and after):
        return [names.sentence(after or before or {})] if after or before else []
    was, becomes = before or {}, after or {}
    return [
        change(
            str(words),
            before=None if _is_nothing(was.get(name)) else names.field(name, was[name]),
            after=None if _is_nothing(becomes.get(name)) else names.field(name, becomes[name]),
            rise=_rise(was.get(name), becomes.get(name)),
        )
        for name, words in rule_words.FIELDS.items()
        if was.get(name) != becomes.get(name)
    ]


def _place(entry: AuditEntry, _names: Names) -> list[str]:
    before, after = (entry.before or {}).get("order"), (entry.after or {}).get("order")
    return [_("from position %(before)s to position %(after)s") % {"before": before, "after": after}]


def _book(entry: AuditEntry, _names: Names) -> list[str]:
    former, after = (entry.before or {}).get("book"), entry.after or {}
    rules: Sequence[str] = after.get("rules") or ()
    copied = after.get("copied")
    return [
        _("in place of r%(number)s") % {"number": former} if former else "",
        _("with the rules of r%(number)s") % {"number": copied} if copied is not None else "",
        _listed(rules),
    ]


def _listed(names: Sequence[str]) -> str:
    """Names in quotes, the first few of them."""
    if not names:
        return ""
    quoted = _(", ").join(_("“%(text)s”") % {"text": name} for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return quoted if more <= 0 else _("%(names)s and %(n)d more") % {"names": quoted, "n": more}


# --- Keys, staff, files, demand


def _key(entry: AuditEntry, _names: Names) -> list[str]:
    """What a new key may do, and where it is used."""
    after = entry.after or {}
    may = [label(labels.SCOPES, scope) for scope in after.get("scopes") or ()]
    side, origins = after.get("side"), after.get("origins") or ()
    return [
        _("it may: %(scopes)s") % {"scopes": _(", ").join(may)} if may else "",
        _("used: %(side)s") % {"side": label(labels.SIDES, side)} if side else "",
        _("from %(places)s") % {"places": _(", ").join(origins)} if origins else "",
    ]


def _campaign(entry: AuditEntry, _names: Names) -> list[str]:
    """The parts of a draft that changed, or the version that was approved."""
    before, after = entry.before or {}, entry.after or {}
    if version := after.get("version"):
        return [_("as v%(number)s") % {"number": version}]
    places = dict.fromkeys(
        place_words(pointer) for pointer, *_values in differing(before.get("draft") or {}, after.get("draft") or {})
    )
    names = [_("changed: %(parts)s") % {"parts": listed(list(places)[:MOST_NAMED])}] if before and places else []
    renamed = before.get("name") and after.get("name")
    return [*names, change(_("Name"), before=before["name"], after=after["name"]) if renamed else ""]


def _begun(entry: AuditEntry, _names: Names) -> list[str]:
    until = (entry.after or {}).get("now")
    return [_("with data until %(moment)s") % {"moment": moment(datetime.fromisoformat(until))} if until else ""]


def _replaced_key(entry: AuditEntry, _names: Names) -> list[str]:
    until = (entry.after or {}).get("expires_at")
    return [
        _("the old one works until %(moment)s") % {"moment": moment(datetime.fromisoformat(until))} if until else ""
    ]


def _member(entry: AuditEntry, _names: Names) -> list[str]:
    role = (entry.after or {}).get("role")
    return [_("as %(role)s") % {"role": label(labels.ROLES, role)}] if role else []


def _address(entry: AuditEntry, _names: Names) -> list[str]:
    address = (entry.after or {}).get("address")
    return [_("from the address %(address)s") % {"address": address}] if address else []


def _imported(entry: AuditEntry, _names: Names) -> list[str]:
    names = ("new", "changed", "refused", "retired", "brought_back", "receipts")
    parts = {name: (entry.after or {}).get(name, 0) for name in names}
    if "retired" in (entry.after or {}):  # a whole catalogue; what else it changed is in no trail
        return [_("retired, as the file lacks them: %(retired)s; on sale again: %(brought_back)s") % parts]
    if "receipts" in (entry.after or {}):
        return [_("%(receipts)s messages of another system stored, %(refused)s rows refused") % parts]
    if "new" not in (entry.after or {}):  # contacts
        return [_("%(changed)s contacts stored, %(refused)s rows refused") % parts]
    return [_("%(new)s new items, %(changed)s changed, %(refused)s rows refused") % parts]


def _undone(entry: AuditEntry, _names: Names) -> list[str]:
    parts = {name: (entry.after or {}).get(name, 0) for name in ("reverted", "retired", "left")}
    return [
        _("%(reverted)s items have their old values, %(retired)s new ones retired, %(left)s left as they are") % parts
    ]


def _audience(entry: AuditEntry, names: Names) -> list[str]:
    conditions = (entry.after or {}).get("conditions")
    return [audience_text(conditions, segments={}, titles={})] if conditions else _fields(entry, names)


def _experiment(entry: AuditEntry, names: Names) -> list[str]:
    """Fields of a draft, and why the system did something; what a step of staff did its verb says."""
    if verdict := (entry.after or {}).get("verdict"):
        return [note_text(verdict["code"], verdict["facts"], primary=verdict["primary"])]
    if entry.verb not in {"create", "change"}:
        return []
    before, after = (
        {name: value for name, value in (fields or {}).items() if name not in {"arms", "status"}}
        for fields in (entry.before, entry.after)
    )
    fields = _fields(AuditEntry(object_type=entry.object_type, verb=entry.verb, before=before, after=after), names)
    return [*fields, *_changed_arms(entry)]


def _changed_arms(entry: AuditEntry) -> list[str]:
    before, after = ((fields or {}).get("arms", {}) for fields in (entry.before, entry.after))
    letters = [letter for letter in sorted({*before, *after}) if before.get(letter) != after.get(letter)]
    return [_("changed versions or their shares: %(arms)s") % {"arms": listed(letters)}] if before and letters else []


def _erasure(entry: AuditEntry, _names: Names) -> list[str]:
    """What an erasure took away."""
    after = entry.after or {}
    addresses, statements = after.get("addresses", 0), after.get("statements", 0)
    return [
        _("erased: %(addresses)s and %(statements)s") % {
            "addresses": ngettext("%(count)s address", "%(count)s addresses", addresses) % {"count": addresses},
            "statements": ngettext("%(count)s statement", "%(count)s statements", statements) % {"count": statements},
        }
    ]  # fmt: skip


def _nothing(_entry: AuditEntry, _names: Names) -> list[str]:
    return []


SENTENCES: Mapping[tuple[str, str], Sentences] = {
    ("blendweights", "draft"): _weights,
    ("blendweights", "discard"): _weights,
    ("blendweights", ""): _published,
    ("rule", "reorder"): _place,
    ("rule", "archive"): _nothing,
    ("rule", "restore"): _nothing,
    ("rule", ""): _rule,
    ("rulebook", ""): _book,
    ("apikey", "create"): _key,
    ("apikey", "rotate"): _replaced_key,
    ("audience", ""): _audience,
    ("contact", audit.ERASED): _erasure,
    ("contact", audit.ERASED_BY_OWNER): _erasure,
    ("campaign", ""): _campaign,
    ("run", "start"): _begun,
    ("experiment", ""): _experiment,
    ("staff", "create"): _member,
    ("import", "import"): _imported,
    ("import", "undo"): _undone,
    ("", "sign in"): _address,
    ("", "wrong password"): _address,
    ("", "wrong code"): _address,
    ("", "lock out"): _address,
    ("alarm", ""): _nothing,
    ("", "resume"): _nothing,
    ("", "retire"): _nothing,
    ("", "bring back"): _nothing,
}
"""By kind of object and verb; "" stands for any. What is not here is told field by field."""
