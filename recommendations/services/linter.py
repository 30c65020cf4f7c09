"""What is wrong with a book of rules, before it is served: every finding names the rules and the remedy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _

from recommendations.store.merchandising import FrozenRule, matching


class Severity(StrEnum):
    ERROR = "error"  # blocks publishing
    WARNING = "warning"


class FindingCode(StrEnum):
    CONTRADICTION = "contradiction"
    SHADOWED = "shadowed"
    NEVER_FIRES = "never_fires"
    EMPTIES = "empties"  # a slot, or the whole placement
    EXPIRED = "expired"
    TWO_PINS = "two_pins"  # on one slot
    CAP = "cap"  # cannot be met
    SHARES = "shares"  # cannot all be met


@dataclass(frozen=True, kw_only=True)
class Finding:
    """``text`` has the remedy, in the language that was active; ``rules`` are keys, in the order of the book."""

    code: FindingCode
    severity: Severity
    rules: tuple[int, ...]
    text: str


def lint(rules: Sequence[FrozenRule], *, now: datetime) -> list[Finding]:
    """Findings on the rules as one book, in its order; errors first."""
    found = []
    for rule in rules:
        name = {"rule": rule["name"]}
        if rule["ends_at"] and datetime.fromisoformat(rule["ends_at"]) <= now:
            text = _("“%(rule)s” has expired: give it a later end, or withdraw it.") % name
            found.append(Finding(code=FindingCode.EXPIRED, severity=Severity.WARNING, rules=(rule["id"],), text=text))
        elif not matching(rule["items"], now=now).exists():
            text = _("“%(rule)s” matches no item: change its conditions.") % name
            found.append(
                Finding(code=FindingCode.NEVER_FIRES, severity=Severity.WARNING, rules=(rule["id"],), text=text)
            )
    return found
