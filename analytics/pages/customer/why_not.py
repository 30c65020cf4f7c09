"""Why not this item? The stage that lost it, what speaks for and against it, and the changes that would bring it in."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.customer import Piece
from analytics.charts.hues import of_recommender
from analytics.pages.customer.view import Looked, asked, looked_at
from analytics.queries.customer.answer_stages import passed
from recommendations.models import Item
from recommendations.services.review.why_not import Question, WhyNot, why_not
from recommendations.serving.serve import NotLoadedError, UnknownPlacementError
from recommendations.terms import Cut

MOST_SPEAKING = 6


@require_safe
def why_not_panel(request: HttpRequest, *, pk: int, item: int) -> HttpResponse:
    """The panel "why not" alone, for the page that is open already."""
    looked = looked_at(request, pk)
    if looked is None:
        return render(request, "dashboard/customer/panel.html", {"drawer": "gone"})
    context = {
        "drawer": "why_not",
        "asked": asked(request.GET),
        **looked._asdict(),
        **why_not_context(looked, item=item),
    }
    return render(request, "dashboard/customer/panel.html", context)


def why_not_context(looked: Looked, *, item: int) -> dict[str, Any]:
    """Context of the panel, always of the live answer: what is served now is what can be changed."""
    answer, lens = asked_why_not(looked, item=item), looked.lens
    if not isinstance(answer, WhyNot):
        return {"trouble": answer}
    return {
        "why_not": answer,
        "item": answer.item,
        "passed": passed(answer.stands.stage),
        "voices": _voices(answer),
        "not_as_shown": bool(lens.acts or lens.as_of or lens.compare or lens.cut is not Cut.LIVE),
    }


def question_of(looked: Looked, *, item: int) -> Question:
    return Question(
        customer=looked.person.customer.pk,
        placement=looked.lens.place.name,
        item=item,
        context_items=tuple(each.pk for each in looked.lens.context),
    )


def asked_why_not(looked: Looked, *, item: int) -> WhyNot | str:
    """Why the item is not in the answer or, in words, why that cannot be said."""
    try:
        return why_not(question_of(looked, item=item))
    except Item.DoesNotExist:
        return _("There is no item %(number)s. Type part of its title and choose it from the list.") % {"number": item}
    except UnknownPlacementError:
        return _("This placement was switched off a moment ago.")
    except NotLoadedError:
        return _("The model is still loading. Reload the page in a few seconds.")


def _voices(found: WhyNot) -> list[Piece]:
    """What recommenders give the item more (or less) than the last item that is shown; the middle of a bar is 0."""
    loudest = sorted(found.stands.speaking, key=lambda each: -abs(each[1]))[:MOST_SPEAKING]
    longest = max((abs(value) for _name, value in loudest), default=0) or 1
    return [
        Piece(
            instance=name,
            value=value,
            x=round(50 + min(value, 0) / longest * 50, 2),
            width=round(abs(value) / longest * 50, 2),
            hue=of_recommender(name)[0],
            pattern=of_recommender(name)[1],
        )
        for name, value in sorted(loudest, key=lambda each: -each[1])
    ]
