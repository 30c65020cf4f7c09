"""What the page of a past answer shows: items of then and now side by side, and causes in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.templatetags.display import day, moment
from recommendations.models import Item, ModelVersion, Slate
from recommendations.services.review.past_answers import CannotMakeError, Missing, Part, PastAnswer
from recommendations.serving.again import Sameness

CAUSES = {
    Part.MODEL: gettext_lazy("A new model"),
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
    """A part of the shop and how much of the change it brought; below 0: it worked against the others."""

    words: str
    share: float
    percent: int  # of the longest bar


def find_slate(recommendation: str) -> Slate | None:
    return Slate.objects.filter(recommendation_id=recommendation).select_related("customer").first()


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
    longest = max((abs(share) for share in past.causes.values()), default=0)
    return [
        PastCause(words=str(CAUSES[part]), share=share, percent=round(100 * abs(share) / longest))
        for part, share in past.causes.items()
    ]


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
    if code is Missing.CATALOGUE_UNKNOWN:
        text = _(
            "The catalogue was changed in a way that the trail does not tell: prices and stock of %(when)s are not "
            "certain."
        )
        return text % {"when": moment(slate.served_at)}
    return _("What the customer had done was not known then: neither Valkey nor PostgreSQL answered.")


def reason(error: CannotMakeError, slate: Slate) -> str:
    """Why an answer cannot be made again."""
    days = settings.ANSWERS_DAYS
    match error.missing:
        case Missing.MODEL_GONE:
            made = ModelVersion.objects.filter(pk=error.model or 0).values_list("created_at", flat=True).first()
            text = _(
                "Model m%(model)s of %(when)s is no longer stored: they are for %(days)s days, while there is room."
            )
            return text % {"model": error.model, "when": day(made) if made else "–", "days": days}
        case Missing.NAMELESS:
            return _("It was answered without a name. Nothing about the customer was stored, as it must be.")
        case Missing.ERASED:
            return _("The customer was erased. Nothing about them is stored, as it must be.")
        case Missing.PAGE_INCOMPLETE:
            return _("It is a list of a page, and another list of that page was not stored.")
        case _:
            if slate.basis is None:
                return _("It was answered before Recsite stored what answers are made of.")
            return _("What it was made of was stored for %(days)s days.") % {"days": days}
