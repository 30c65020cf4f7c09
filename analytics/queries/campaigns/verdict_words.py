"""Verdicts in words: why most get nothing, what a verdict means for one person, and what would have to change."""

from collections.abc import Mapping, Sequence

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from analytics.templatetags.display import moment, number, one_stop
from recommendations.engine.push.competition import HOUR, PressureCap
from recommendations.models import Considered
from recommendations.push_terms import WAITING, OccurrenceState, Purpose, Verdict
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.push.person import PersonNow
from recommendations.wording import push_labels

NOT_SENT = frozenset({OccurrenceState.PLANNED, OccurrenceState.WAITING, OccurrenceState.CANCELLED})
"""States of a sending in which nothing of it leaves, so that people would get it, and do not."""

BECAUSE: Mapping[Verdict, Promise] = {
    Verdict.NO_ADDRESS: gettext_lazy("no address of theirs is in use"),
    Verdict.NO_CONSENT: gettext_lazy("they did not say yes to it"),
    Verdict.SUPPRESSED: gettext_lazy("their address must not be written to"),
    Verdict.HELD_OUT: gettext_lazy("they are held out, to measure what messages bring"),
    Verdict.CAPPED: gettext_lazy("they have had, or are about to get, as many messages as they bear"),
    Verdict.DONE_ALREADY: gettext_lazy("they have bought or seen it already"),
    Verdict.TOO_LITTLE: gettext_lazy("there is too little to show them"),
    Verdict.NOT_WORTH: gettext_lazy("a message would cost more than it brings"),
    Verdict.OUTRANKED: gettext_lazy("another campaign has the better message for them"),
    Verdict.WAITS: gettext_lazy("the agent sends them none of this class today"),
    Verdict.OVER_BUDGET: gettext_lazy("the messages of the day are used up"),
}
"""Why people get nothing, after “because”."""

OF_ONE: Mapping[Verdict, Promise] = {
    Verdict.NO_ADDRESS: gettext_lazy("No message: no address in use is known on the campaign's channel."),
    Verdict.NO_CONSENT: gettext_lazy("No message: they have not said yes to “%(purpose)s”, or take a pause."),
    Verdict.SUPPRESSED: gettext_lazy("No message: their address must not be written to."),
    Verdict.HELD_OUT: gettext_lazy("No message: they are held out, to measure what messages bring."),
    Verdict.CAPPED: gettext_lazy("No message for now: they have had, or are about to get, as many as they bear."),
    Verdict.DONE_ALREADY: gettext_lazy("No message: what it is for has happened already."),
    Verdict.TOO_LITTLE: gettext_lazy("No message: there is too little to show them."),
    Verdict.NOT_WORTH: gettext_lazy("No message: it would cost more than it brings."),
    Verdict.OUTRANKED: gettext_lazy("No message for now: “%(other)s” goes first."),
    Verdict.WAITS: gettext_lazy("No message of this class today: the agent finds that waiting is worth more."),
    Verdict.OVER_BUDGET: gettext_lazy("No message for now: the messages of the day are used up."),
    Verdict.LATER: gettext_lazy("They get it later: %(when)s."),
    Verdict.NOW: gettext_lazy("They get it at once."),
}
WHY_WITHDRAWN: Mapping[str, Promise] = {
    Verdict.DONE_ALREADY: gettext_lazy("bought it meanwhile"),
    Verdict.NO_CONSENT: gettext_lazy("took their consent back"),
    Verdict.SUPPRESSED: gettext_lazy("may no longer be written to"),
    Verdict.NO_ADDRESS: gettext_lazy("have no address any more"),
    Verdict.TOO_LITTLE: gettext_lazy("had too little left to see"),
    Verdict.NOT_WORTH: gettext_lazy("would cost more by now than it brings"),
    Verdict.HELD_OUT: gettext_lazy("are held out by now"),
    "ended": gettext_lazy("were left when the campaign ended"),
}
"""Why a message was withdrawn, after a number of people."""
OTHERWISE_WITHDRAWN = gettext_lazy("could not be written to any more")


WOULD: Mapping[Verdict, Promise] = {
    Verdict.LATER: gettext_lazy("They would get it later: %(when)s."),
    Verdict.NOW: gettext_lazy("They would get it at once."),
    Verdict.WAITS: gettext_lazy("No message of this class that day: the agent would send none."),
}
"""The same of a plan, and of a sending that is held back."""


def verdict_sentence(case: Considered) -> str:
    """The verdict on a person as a sentence."""
    verdict = Verdict(case.verdict)
    words = WOULD.get(verdict, OF_ONE[verdict]) if case.occurrence.state in NOT_SENT else OF_ONE[verdict]
    facts = {
        "purpose": dict(push_labels.PURPOSES)[Purpose(case.occurrence.campaign.purpose)],
        "other": case.lost_to or _("another campaign"),
        "when": moment(case.due_at),
    }
    return one_stop(str(words) % facts)


CHANGES: Mapping[Verdict, Promise] = {
    Verdict.NO_ADDRESS: gettext_lazy("The shop has to know an address that they have confirmed."),
    Verdict.SUPPRESSED: gettext_lazy(
        "An admin may let the address speak again, if the reason allows it; see the customer's page."
    ),
    Verdict.DONE_ALREADY: gettext_lazy("A new occasion has to come up."),
    Verdict.NOT_WORTH: gettext_lazy("An answer would have to be likelier or worth more, or a message cost less."),
    Verdict.OUTRANKED: gettext_lazy("This message would have to be worth more, or be of a class that goes first."),
    Verdict.WAITS: gettext_lazy(
        "An answer would have to be likelier or worth more, or a message cost less; it is decided anew tomorrow."
    ),
    Verdict.OVER_BUDGET: gettext_lazy(
        "More messages a day have to be allowed, or its value has to be higher than that of others."
    ),
}
"""What would have to change where it is the same for everybody with the verdict."""


def what_would_change_it(case: Considered, now: PersonNow, form: CampaignForm) -> str:
    """What would have to change for the person to get a message."""
    verdict = Verdict(case.verdict)
    if verdict in CHANGES:
        return str(CHANGES[verdict])
    match verdict:
        case Verdict.NO_CONSENT:
            return _no_consent(now)
        case Verdict.HELD_OUT:
            return _held_out(now)
        case Verdict.CAPPED:
            return _capped(now)
        case Verdict.TOO_LITTLE:
            return _too_little(len(case.items), form.what.least_items)
        case _:
            return _("Nothing: it is looked at once more just before it leaves.")


def _held_out(now: PersonNow) -> str:
    if now.held_from_all:
        return _("Nothing: they are held out of all campaigns until the half-year ends.")
    return _("Nothing: this campaign holds them out. Its share is set in step Safety.")


def _capped(now: PersonNow) -> str:
    if not now.full:
        return _("Nothing any more: by now there is room, and they are looked at again within an hour.")
    text = _("Time has to pass: they may get %(caps)s.") % {"caps": caps_text(now.full)}
    waiting = min((each for each in now.lately if each.state in WAITING), key=lambda each: each.due_at, default=None)
    if waiting is None:
        return text
    facts = {"campaign": waiting.campaign.name, "when": moment(waiting.due_at)}
    waits = one_stop(_("“%(campaign)s” waits for them: %(when)s.") % facts)
    return pgettext("two sentences", "%(first)s %(second)s") % {"first": text, "second": waits}


def caps_text(caps: Sequence[PressureCap]) -> str:
    """Caps in a row; "" for none."""
    return pgettext("between names", ", ").join(cap_text(cap) for cap in caps)


def cap_text(cap: PressureCap) -> str:
    """A cap as a reader says it: at most 1 in 24 hours."""
    hours = round(cap.seconds / HOUR)
    if hours % 24 or hours == 24:
        return _("at most %(most)s in %(hours)s hours") % {"most": number(cap.most), "hours": number(hours)}
    return _("at most %(most)s in %(days)s days") % {"most": number(cap.most), "days": number(hours // 24)}


def later_text(form: CampaignForm, *, by_hour: bool) -> str:
    """Why something is sent later."""
    if form.when.best_within is not None:
        return pgettext("why later", "best hour of each")
    return pgettext("why later", "hour of the campaign") if by_hour else pgettext("why later", "quiet hours")


def withdrawn_text(reason: str, people: int) -> str:
    """How many messages were withdrawn, and why: 9 bought it meanwhile."""
    return _("%(n)s %(why)s") % {"n": number(people), "why": WHY_WITHDRAWN.get(reason, OTHERWISE_WITHDRAWN)}


def _no_consent(now: PersonNow) -> str:
    person = now.person
    if person.paused_until > timezone.now():
        text = _("Their pause has to end: it lasts until %(when)s.")
        return one_stop(text % {"when": moment(person.paused_until)})
    if not person.personalise and now.terms.purpose is not Purpose.NEWS:
        return _("They object to recommendations of their own: only they can change that, on their preference page.")
    return _("They have to say yes to it themselves, on their preference page or in the shop.")


def _too_little(there: int, least: int) -> str:
    text = ngettext(
        "%(there)s item would be shown; the campaign asks for at least %(least)s.",
        "%(there)s items would be shown; the campaign asks for at least %(least)s.",
        there,
    )
    return text % {"there": number(there), "least": number(least)}
