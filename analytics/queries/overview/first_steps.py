"""First steps of a shop, each computed from what is there, and where it is done."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.queries.layout import Frame
from recommendations.models import Staff
from recommendations.services.access.policy import Action, may


@dataclass(frozen=True, kw_only=True)
class FirstStep:
    """A step; ``address`` is where it is done, "" for who may not do it. Without those that are optional all works."""

    words: str
    meaning: str
    is_done: bool
    address: str
    link: str
    is_optional: bool = False


@dataclass(frozen=True, kw_only=True)
class FirstSteps:
    steps: Sequence[FirstStep]

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def is_running(self) -> bool:
        """Whether the shop works: what is left is optional."""
        return all(step.is_done or step.is_optional for step in self.steps)


def first_steps(frame: Frame, staff: Staff) -> FirstSteps | None:
    """The steps; None where all are done, or the shop put them away."""
    if frame.steps_hidden:
        return None
    steps = FirstSteps(steps=[*_to_work(frame, staff), *_to_make_it_yours(frame, staff)])
    return steps if steps.done < len(steps.steps) else None


def _to_work(frame: Frame, staff: Staff) -> list[FirstStep]:
    return [
        FirstStep(
            words=_("Data in"),
            meaning=_("Items and what customers did: from files, or sent by the shop."),
            is_done=frame.newest_event is not None,
            address=_for(staff, Action.EDIT_CATALOGUE, "new_import"),
            link=_("Import items"),
        ),
        FirstStep(
            words=_("First run finished"),
            meaning=_("A run learns from the data and sets the first model live."),
            is_done=frame.model is not None,
            address=_for(staff, Action.RUN_LOOP, "runs"),
            link=_("Start a run"),
        ),
        FirstStep(
            words=_("API key made"),
            meaning=_("Your shop uses it to request recommendations and send events."),
            is_done=frame.has_key,
            address=_for(staff, Action.MANAGE_KEYS, "new_api_key"),
            link=_("Make a key"),
        ),
        FirstStep(
            words=_("First event from the shop"),
            meaning=_("The shop's pages or server sent something with a key."),
            is_done=frame.shop_sends,
            address=reverse("sources"),
            link=_("See what came in"),
        ),
    ]


def _to_make_it_yours(frame: Frame, staff: Staff) -> list[FirstStep]:
    return [
        FirstStep(
            words=_("Weights or rules of your own"),
            meaning=_("Move a weight, or draft a rule: nothing is live before you publish it."),
            is_done=frame.is_adjusted,
            address=reverse("weights"),
            link=_("See the weights"),
            is_optional=True,
        ),
        FirstStep(
            words=_("A colleague invited"),
            meaning=_("Each with a role that says what they may do."),
            is_done=frame.has_colleagues,
            address=_for(staff, Action.MANAGE_STAFF, "staff_list"),
            link=_("Invite someone"),
            is_optional=True,
        ),
    ]


def _for(staff: Staff, action: Action, name: str) -> str:
    return reverse(name) if may(staff, action) else ""
