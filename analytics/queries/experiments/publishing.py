"""What publishing an arm changes of what is live now, and what has changed there since somebody looked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from analytics.queries.experiments.arm_words import ArmNames, LeverRow
from analytics.templatetags.rules import Names
from recommendations.models import Arm, RuleBook
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


def live_words(seen: Mapping[str, Any], live: Mapping[str, Any]) -> str:
    """What is live instead of what was seen: "Rules: r3 instead of r2"."""
    moved = [row for row in ArmNames.of([seen, live]).compared([seen, live]) if row.values[0] != row.values[1]]
    text = _("%(lever)s: %(live)s instead of %(seen)s")
    return _("; ").join(
        text % {"lever": row.words, "live": row.values[1].words, "seen": row.values[0].words} for row in moved
    )


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
        more |= {"book": book, "rules": book_changes(*both), "names": Names.of([*both[0], *both[1]], segments=segments)}
    return LeverChange(words=row.words, live=served, becomes=becomes, began=began if began != served else "", **more)
