"""What publishing an arm changes of what is live now, and what has changed there since somebody looked."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from analytics.queries.experiments.arm_words import ArmNames, LeverRow
from analytics.templatetags.rules import Names
from recommendations.models import Arm, Rule, RuleBook
from recommendations.services.rules.books import BookChange, book_changes
from recommendations.services.weights.values import Values, WeightDifference, differences


@dataclass(frozen=True, kw_only=True)
class LeverChange:
    """A lever as it is live and as it would be; ``began`` is what the arms were compared with, if that was replaced."""

    words: str
    live: str
    becomes: str
    began: str
    weights: Sequence[WeightDifference] = ()
    book: RuleBook | None = None
    rules: Sequence[BookChange] = ()
    names: Names | None = None
    returning: str = ""  # names of rules that come back from the archive

    @property
    def differs(self) -> bool:
        return self.live != self.becomes and (self.book is None or bool(self.rules))


def lever_changes(
    arms: Sequence[Arm], arm: Arm, live: Mapping[str, Any], names: ArmNames, *, segments: Mapping[int, str]
) -> list[LeverChange]:
    """What publishing one of the ``arms`` would change of what is ``live``; ``names`` have the rules of books."""
    control: Mapping[str, Any] = next((each.changes for each in arms if each.is_control), {})
    rows = names.compared([control, live, arm.changes])
    return [_lever(row, live, arm.changes, names, segments=segments) for row in rows]


def changed_since(seen: Mapping[str, Any], live: Mapping[str, Any]) -> str:
    """What is otherwise than was seen, by ``replaced_changes``: live, or of the rules that come from the archive."""
    archives = [set(each.get("archived", ())) for each in (seen, live)]
    parts = [
        (_("Live since you looked: %(what)s."), live_words(seen, live)),
        (_("Archived since you looked: %(what)s."), _rule_names(archives[1] - archives[0])),
        (_("Brought back from the archive since you looked: %(what)s."), _rule_names(archives[0] - archives[1])),
    ]
    return " ".join(text % {"what": what} for text, what in parts if what)


def live_words(seen: Mapping[str, Any], live: Mapping[str, Any]) -> str:
    """What is live instead of what was seen: "Rules: r3 instead of r2"."""
    moved = [row for row in ArmNames.of([seen, live]).compared([seen, live]) if row.values[0] != row.values[1]]
    text = _("%(lever)s: %(live)s instead of %(seen)s")
    return _("; ").join(
        text % {"lever": row.words, "live": row.values[1].words, "seen": row.values[0].words} for row in moved
    )


def _rule_names(keys: Collection[int]) -> str:
    rows = Rule.objects.filter(pk__in=keys).order_by("position", "pk") if keys else ()
    return quoted(row.name for row in rows)


def quoted(names: Iterable[str]) -> str:
    """Names in a row, each in quotation marks."""
    return _(", ").join(_("“%(name)s”") % {"name": name} for name in names)


def _lever(
    row: LeverRow, live: Mapping[str, Any], own: Mapping[str, Any], names: ArmNames, *, segments: Mapping[int, str]
) -> LeverChange:
    began, served, becomes = (value.words for value in row.values)
    kind, _separator, name = row.lever.partition(":")
    more: dict[str, Any] = {}
    if kind == "weights":
        was, version = (names.weights.get(each.get("weights", {}).get(name)) for each in (live, own))
        more["weights"] = differences(Values.of(version), Values.of(was)) if was and version else ()
    elif kind == "rules":
        before, book = (names.books.get(each.get("rules", 0)) for each in (live, own))
        both = [each.rules if each else [] for each in (before, book)]
        archived = [rule["name"] for rule in both[1] if rule["id"] in live.get("archived", ())]
        more |= {
            "returning": quoted(archived),
            "book": book,
            "rules": book_changes(*both),
            "names": Names.of([*both[0], *both[1]], segments=segments),
        }
    return LeverChange(words=row.words, live=served, becomes=becomes, began=began if began != served else "", **more)
