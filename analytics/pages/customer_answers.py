"""The answers that a page about a customer shows, made through the same function as the shop's."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.pages.customer_compare import Drafted, drafted
from analytics.pages.customer_lens import Lens
from analytics.queries.customer import Person
from recommendations.services.review import Draft, NotLoadedError, Review, UnknownPlacementError, review


@dataclass(frozen=True, kw_only=True)
class Answers:
    """``before`` is the list without the simulated acts, ``draft`` the one that the drafts would give."""

    shown: Review
    before: Review | None = None
    draft: Review | None = None
    drafted: Drafted | None = None


def answers_for(lens: Lens, person: Person) -> Answers | str:
    """Where there is no answer, what to do, in words."""
    compared = drafted(lens, person) if lens.compare else None
    try:
        shown = _review(lens, person)
        before = _review(lens, person, simulated=False) if lens.acts and not compared else None
        draft = _review(lens, person, draft=compared.draft) if compared and compared.draft else None
    except UnknownPlacementError:
        return _("This placement was switched off a moment ago.")
    except NotLoadedError:
        return _("The model is still being read. Load the page again in a few seconds.")
    return Answers(shown=shown, before=before, draft=draft, drafted=compared)


def _review(lens: Lens, person: Person, *, simulated: bool = True, draft: Draft | None = None) -> Review:
    """Without its simulated acts an answer is scored anew all the same, so that only the acts make the difference."""
    return review(
        customer=person.customer.pk,
        placement=lens.place.name,
        cut=lens.cut,
        context_items=[item.pk for item in lens.context],
        as_of=lens.as_of if simulated or lens.as_of else timezone.now(),
        simulated=lens.simulated if simulated else (),
        draft=draft,
    )
