"""What the page of a past answer shows: items of then and now side by side, and causes in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.templatetags.display import day, moment
from recommendations.models import Item, Slate
from recommendations.services.review.past_answers import CannotMakeError, Missing, Part, PastAnswer, why_not
from recommendations.serving.past.again import Sameness
from recommendations.wording import past_answers

CAUSES = {
    Part.MODEL: gettext_lazy("The model"),
    Part.WEIGHTS: gettext_lazy("Weights and settings of the placement"),
    Part.RULES: gettext_lazy("Rules"),
    Part.CATALOGUE: gettext_lazy("The catalogue: prices, stock, categories"),
    Part.CUSTOMER: gettext_lazy("What the customer did since, and time"),
}


@dataclass(frozen=True, kw_only=True)
class PastPlace:
    """A place of the list; an item is None where that list is shorter."""

    position: int
    then: Item | None
    again: Item | None
    now: Item | None
    moved: int | None  # places up (> 0) or down of what stands here now, None: it was not in the list


@dataclass(frozen=True, kw_only=True)
class PastCause:
    """A part of the shop and how much of the change it brought; below 0: it worked against the others.

    ``same``: it is as it was.
    """

    words: str
    share: float = 0.0
    percent: int = 0  # of the longest bar
    same: bool = False


def places(past: PastAnswer) -> list[PastPlace]:
    then = past.made.slate.items
    again, now = ([shown.item for shown in answer.shown] for answer in (past.made.answer, past.now))
    items = Item.objects.in_bulk({*then, *again, *now})
    was = {item: place for place, item in enumerate(then)}

    def at(keys: Sequence[int], place: int) -> Item | None:
        return items.get(keys[place]) if place < len(keys) else None

    return [
        PastPlace(
            position=place + 1,
            then=at(then, place),
            again=at(again, place),
            now=at(now, place),
            moved=was[now[place]] - place if place < len(now) and now[place] in was else None,
        )
        for place in range(max(len(then), len(again), len(now)))
    ]


def stored(slate: Slate) -> list[Item | None]:
    items = Item.objects.in_bulk(slate.items)
    return [items.get(key) for key in slate.items]


def causes(past: PastAnswer) -> list[PastCause]:
    """Every part of the shop, what changed most first; none where nothing made a difference."""
    if not past.causes:
        return []
    longest = max(abs(share) for share in past.causes.values())
    telling = [
        PastCause(words=str(CAUSES[part]), share=share, percent=round(100 * abs(share) / longest))
        for part, share in past.causes.items()
    ]
    others = [part for part in Part if part not in past.causes]
    return [*telling, *(PastCause(words=str(CAUSES[part]), same=part not in past.idle) for part in others)]


def sameness(past: PastAnswer) -> tuple[str, str]:
    """Tone and sentence: whether what was made is what was served."""
    match past.made.sameness:
        case Sameness.EXACT:
            return "good", _("Made again exactly: every item, score and chance is what was served.")
        case Sameness.ROUNDING:
            return "good", _("Made again: the same items in the same order. Scores differ by rounding only.")
        case Sameness.DIFFERENT:
            places = ", ".join(str(place + 1) for place in past.made.differences) or "–"
            return "bad", _("Not the same as what was served: places %(places)s differ.") % {"places": places}


def doubt(code: Missing, slate: Slate) -> str:
    if code is Missing.MODEL_EDITED:
        return past_answers.model_edited()
    if code is Missing.CATALOGUE_UNKNOWN:
        return past_answers.catalogue_unknown(when=moment(slate.served_at))
    return past_answers.state_unknown()


def reason(error: CannotMakeError, slate: Slate) -> str:
    """Why an answer cannot be made again."""
    return why_not(error, slate, written=day)
