"""The answers that a page about a customer shows, made through the same function as the shop's."""

from dataclasses import dataclass, replace

from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.pages.customer.compare import Drafted, drafted
from analytics.pages.customer.view import Lens
from analytics.queries.customer.profile import CustomerHead
from recommendations.services.review.review import Look, Review, reviews
from recommendations.serving.serve import NotLoadedError, UnknownPlacementError


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Answers of a page; ``before``: without the simulated acts, ``draft``: what the drafts would give."""

    shown: Review
    before: Review | None = None
    draft: Review | None = None
    drafted: Drafted | None = None


def answers_for(lens: Lens, person: CustomerHead) -> Answers | str:
    """Answers for a customer; where there is none, what to do, in words."""
    compared = drafted(lens, person) if lens.compare else None
    looks = {"shown": Look(cut=lens.cut, as_of=lens.as_of, simulated=lens.simulated)}
    if compared and compared.draft:
        looks["draft"] = replace(looks["shown"], draft=compared.draft)
    elif lens.acts and not compared:
        # Without the acts it is scored anew all the same, so that only they make the difference.
        looks["before"] = Look(cut=lens.cut, as_of=lens.as_of or timezone.now())
    try:
        answers = reviews(
            list(looks.values()),
            customer=person.customer.pk,
            placement=lens.place.name,
            context_items=[item.pk for item in lens.context],
        )
    except UnknownPlacementError:
        return _("This placement was switched off a moment ago.")
    except NotLoadedError:
        return _("The model is still loading. Reload the page in a few seconds.")
    return Answers(**dict(zip(looks, answers, strict=True)), drafted=compared)
