"""Actions on a card: judge it, make a draft rule of it, take that back; and on the customer: set aside what they do."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import own_address
from analytics.pages.customer.cards import judgement_choices
from analytics.pages.undo import answer_toast, way_back
from analytics.parameters import LONGEST_NOTE, note_in, number, typed
from recommendations.models import Customer, Item, Judgement, Placement, Quarantine
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.operations.quarantine import set_aside_customer
from recommendations.services.review.judgements import judge, judgements_of
from recommendations.services.rules.card_rules import CardAction, card_rule
from recommendations.services.taste import forget_stated_taste
from recommendations.terms import JudgementKind

LONGEST_NAME = 40


@post_requires(Action.DRAFT)
def judge_card(request: HttpRequest, *, pk: int, item: int) -> HttpResponse:
    """Judge a card good, odd or wrong; the same once more takes it back. A note goes with it."""
    person, thing = get_object_or_404(Customer, pk=pk, erased_at=None), get_object_or_404(Item, pk=item)
    place = get_object_or_404(Placement, name=typed(request.POST.get("placement"), longest=LONGEST_NAME))
    staff, keeps = staff_of(request), "save_note" in request.POST
    judgement = judgements_of(customer=pk, placement=place.name, by=staff).get(item)
    note = typed(request.POST.get("note", judgement.note if judgement else ""), longest=LONGEST_NOTE)
    kind = judgement.kind if judgement and keeps else request.POST.get("judgement", "")
    if kind in set(JudgementKind) and not (judgement and keeps and judgement.note == note):
        judgement = judge(
            customer=person, item=thing, placement=place.name, judgement=JudgementKind(kind), note=note,
            rank=number(request.POST.get("rank")), by=staff, now=timezone.now(),
        )  # fmt: skip
    return _judged(request, person, thing, place.name, judgement)


@post_requires(Action.DRAFT)
def rule_from_card(request: HttpRequest, *, pk: int, item: int) -> HttpResponse:
    """Make a draft rule of a card, with a way back."""
    person, thing = get_object_or_404(Customer, pk=pk, erased_at=None), get_object_or_404(Item, pk=item)
    place = get_object_or_404(Placement, name=typed(request.POST.get("placement"), longest=LONGEST_NAME))
    action = request.POST.get("action", "")
    if action not in set(CardAction):
        return answer_toast(request, problem=_("Choose what to do: pin, boost, bury or never."))
    try:
        rule = card_rule(
            action=CardAction(action), item=thing, placement=place, customer=person, by=staff_of(request),
            now=timezone.now(), slot=number(request.POST.get("rank")),
        )  # fmt: skip
    except ValidationError as error:
        return answer_toast(request, problem=" ".join(error.messages))
    text = _("Draft rule made: “%(rule)s”. Nothing changes in the shop until it is published.") % {"rule": rule}
    return answer_toast(request, text=text, rule=rule, token=way_back(request, "rule made", rule=rule.pk))


@post_requires(Action.SET_ASIDE)
def set_aside(request: HttpRequest, pk: int) -> HttpResponse:
    """Set aside all that a customer does, once; restoring is for the page of the quarantine."""
    person = get_object_or_404(Customer, pk=pk, erased_at=None)
    note = note_in(request.POST)
    if Quarantine.objects.in_force().filter(asides__customer=person).exists():
        messages.warning(request, _("It is set aside already, so nothing was changed."))
        return redirect("customer", pk=pk)
    try:
        set_aside_customer(customer=person, by=staff_of(request), note=note)
    except NoteNeededError:
        messages.warning(request, _("Say why. Nothing was changed."))
    else:
        messages.success(request, _("It is set aside: a run that starts from now on learns nothing from it."))
    return redirect("customer", pk=pk)


@post_requires(Action.MANAGE_CONTACTS)
def forget_taste(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget what a customer said they like, as they asked for; what they follow stays."""
    person = get_object_or_404(Customer, pk=pk, erased_at=None)
    if forget_stated_taste(person, by=staff_of(request)):
        messages.success(request, _("What they said they like is forgotten; the next answer knows nothing of it."))
    else:
        messages.info(request, _("There was nothing any more, so nothing was changed."))
    return redirect("customer", pk=pk)


def _judged(
    request: HttpRequest, person: Customer, thing: Item, placement: str, judgement: Judgement | None
) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return redirect(own_address(request, request.POST.get("back", ""), otherwise="/customers/"))
    context = {
        "person": {"customer": person},
        "item": thing,
        "placement": placement,
        "rank": request.POST.get("rank", ""),
        "judgement": judgement,
        "judgements": judgement_choices(),
        "saved": True,
    }
    return render(request, "dashboard/customer/judgement.html", context)
