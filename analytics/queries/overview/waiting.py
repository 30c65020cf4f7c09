"""Work that waits for staff: approvals, drafts and proposals, rules that end soon, new items that nobody is shown.

Every visit of the page asks for it, so it is remembered for a quarter of a minute.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.queries.campaigns.reviews import returned_drafts
from analytics.queries.overview.alerts import Alert
from analytics.queries.overview.served import served
from analytics.queries.weights.groups import place_of
from analytics.templatetags.display import number
from analytics.templatetags.words import blend_label
from recommendations.models import ApprovalRequest, BlendWeights, Rule, RuleBook, Staff
from recommendations.services.access.policy import Action, may
from recommendations.services.catalogue.quality import NEW_FOR, on_sale
from recommendations.services.rules.editing import status_of
from recommendations.terms import ApprovalState, RuleStatus, WeightsStatus
from recommendations.wording.rules import short_moment

REMEMBERED = 15  # seconds
KEY = "overview/waiting"
SOON = timedelta(days=7)
NAMED = 3  # rules that end soon; of more only the number is said


class Ending(NamedTuple):
    rule: int
    name: str
    at: datetime


class Returned(NamedTuple):
    """A draft that a reviewer sent back, with what is to be done, and the key of whom it is for.

    ``changed_by`` is who changed it while it waited, where that is why it waits no longer; then there is no note.
    """

    draft: str
    address: str
    note: str
    to: int | None
    changed_by: str | None = None

    @property
    def text(self) -> str:
        if self.changed_by is None:
            return _("“%(draft)s” was sent back: “%(note)s”") % {"draft": self.draft, "note": self.note}
        facts = {"draft": self.draft, "who": self.changed_by or _("somebody")}
        return _("“%(draft)s” no longer waits for approval: %(who)s changed it. Ask again.") % facts


class PendingWork(NamedTuple):
    weights: tuple[tuple[str, str], ...]  # blend and status of drafts, and of proposals newer than what is live
    rules: int  # whose present form is not served
    ending: tuple[Ending, ...]  # served rules, the first to end first
    new: int  # items on sale, listed lately
    unseen: int  # of them without a slot in the newest answers; 0 while most of the catalogue is new
    returned: tuple[Returned, ...]


def waiting(now: datetime, *, staff: Staff, approvals: int = 0) -> list[Alert]:
    """Things to do, each with the page where it is done; ``approvals`` is the number of drafts that wait for one."""
    known = cache.get(KEY)
    if not isinstance(known, PendingWork):
        known = _look(now)
        cache.set(KEY, known, REMEMBERED)
    return [*_of_approvals(known, staff, approvals), *_of_weights(known), *_of_rules(known), *_of_items(known)]


def _of_approvals(known: PendingWork, staff: Staff, asked: int) -> Iterator[Alert]:
    if asked and may(staff, Action.PUBLISH):
        text = ngettext("%(count)d draft waits for approval.", "%(count)d drafts wait for approval.", asked)
        yield Alert(
            level="warning", text=text % {"count": asked}, address=reverse("approvals"), link=_("See the queue")
        )
    for one in known.returned:
        if one.to == staff.pk:
            yield Alert(level="warning", text=one.text, address=one.address, link=_("Open the draft"))


def _of_weights(known: PendingWork) -> Iterator[Alert]:
    for blend, status in known.weights:
        if status == WeightsStatus.DRAFT:
            text, link = _("The weights of “%(blend)s” have a draft that is not live."), _("Open the draft")
        else:
            text, link = _("A run proposes other weights for “%(blend)s”."), _("See the proposal")
        address = f"{reverse('weights')}?blend={blend}"
        yield Alert(level="info", text=text % {"blend": blend_label(blend)}, address=address, link=link)


def _of_rules(known: PendingWork) -> Iterator[Alert]:
    if known.rules:
        text = ngettext(
            "%(count)d rule is a draft, or has changes that are not live.",
            "%(count)d rules are drafts, or have changes that are not live.",
            known.rules,
        )
        yield Alert(level="info", text=text % {"count": known.rules}, address=reverse("rules"), link=_("See the rules"))
    if len(known.ending) > NAMED:
        text = _("%(count)d rules end within 7 days, the first on %(when)s.")
        words = {"count": len(known.ending), "when": short_moment(known.ending[0].at)}
        address = f"{reverse('rules')}?status={RuleStatus.LIVE}"
        yield Alert(level="info", text=text % words, address=address, link=_("See the rules"))
        return
    for one in known.ending:
        text = _("The rule “%(name)s” ends on %(when)s.") % {"name": one.name, "when": short_moment(one.at)}
        address = reverse("rule", args=[one.rule])
        yield Alert(level="info", text=text, address=address, link=_("Extend it, or let it end"))


def _of_items(known: PendingWork) -> Iterator[Alert]:
    if not known.unseen:
        return
    text = ngettext(
        "%(unseen)s of %(new)s item new in the last 28 days appeared in none of the latest lists.",
        "%(unseen)s of %(new)s items new in the last 28 days appeared in none of the latest lists.",
        known.new,
    )
    words = {"unseen": number(known.unseen), "new": number(known.new)}
    address = f"{reverse('catalogue_items')}?days=28&sort=-listed"
    yield Alert(level="info", text=text % words, address=address, link=_("Give them a chance"))


def _look(now: datetime) -> PendingWork:
    book = RuleBook.objects.filter(is_default=True).first()
    rows = Rule.objects.filter(archived_at=None).select_related("placement", "segment").annotate(answer=_answer("rule"))
    drafts = _drafts()
    unserved = {RuleStatus.DRAFT, RuleStatus.CHANGED}
    new = set(on_sale().filter(listed_at__gt=now - NEW_FOR).values_list("pk", flat=True))
    among_older = 2 * len(new) < on_sale().count()  # else the shop itself is new, and its lists have no room for all
    return PendingWork(
        weights=tuple(dict.fromkeys((draft.blend.name, draft.status) for draft in drafts)),
        rules=sum(status_of(row, book, now) in unserved for row in rows),
        ending=_ending(book.rules if book else (), now),
        new=len(new),
        unseen=len(new) - len(served(new)) if among_older else 0,
        returned=(
            *(
                Returned(str(draft), address, answer["note"], answer["to"])
                for draft, address in [
                    *((row, reverse("rule", args=[row.pk])) for row in rows),
                    *((draft, reverse("weights", query=place_of(draft))) for draft in drafts),
                ]
                if (answer := vars(draft)["answer"]) and answer["state"] == ApprovalState.RETURNED
            ),
            *(
                Returned(
                    str(each.campaign),
                    reverse("edit_campaign", args=[each.campaign.pk]),
                    each.why.note,
                    each.to,
                    each.why.staff if each.why.by_change else None,
                )
                for each in returned_drafts()
            ),
        ),
    )


def _answer(kind: str) -> Subquery:
    """State of the last request to publish a draft, with whom it is from and what was answered."""
    asked = ApprovalRequest.objects.filter(**{kind: OuterRef("pk")}).order_by("-asked_at", "-pk")
    return Subquery(asked.values(told=JSONObject(state="state", to="asked_by", note="answer"))[:1])


def _drafts() -> list[BlendWeights]:
    """Drafts of weights, and proposals newer than what is live."""
    live = BlendWeights.objects.defaults().of_group(None).filter(blend=OuterRef("blend"))
    proposed = Q(status=WeightsStatus.PROPOSED, segment=None, audience=None, number__gt=F("live"))
    rows = BlendWeights.objects.annotate(live=Subquery(live.values("number")[:1]), answer=_answer("weights"))
    wanted = rows.filter(Q(status=WeightsStatus.DRAFT) | proposed).order_by("blend", "status")
    return list(wanted.select_related("blend", "segment", "audience"))


def _ending(rules: Any, now: datetime) -> tuple[Ending, ...]:
    """Served rules that are in force and end soon."""
    ends = (_end(rule) for rule in rules)
    return tuple(sorted((one for one in ends if one and now < one.at <= now + SOON), key=lambda one: one.at))


def _end(rule: Mapping[str, Any]) -> Ending | None:
    if not rule["ends_at"]:
        return None
    return Ending(rule["id"], rule.get("name", ""), datetime.fromisoformat(rule["ends_at"]))
