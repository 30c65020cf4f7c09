"""Books of rules: publish and withdraw with what is expected and a note, all versions, and the way back to one."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.addresses import or_404, page_address
from analytics.pages.rules.effect import measured
from analytics.pages.rules.overview import render_rules
from analytics.pages.undo import offer_undo
from analytics.parameters import note_in, number
from analytics.queries.experiments.holding import holdings
from analytics.queries.rules import changes as query
from analytics.queries.rules.changes import BookAction, Proposal
from analytics.queries.rules.overview import rules
from recommendations.models import Rule, RuleBook
from recommendations.services.access.policy import Action
from recommendations.services.rules.books import (
    FaultyRulesError,
    NoteNeededError,
    NothingToPublishError,
    StaleBookError,
    StaleRuleError,
    publish_rules,
    roll_back_rules,
    withdraw_rules,
)

SALT = "price tag of a book of rules"
MOST_AGE = 60 * 60 * 24  # seconds that a price tag is good for

UNMEASURED = "unmeasured"  # field: the reader knows that no effect was measured

type Done = Callable[[], RuleBook]


@post_requires(Action.PUBLISH)
def publish(request: HttpRequest) -> HttpResponse:
    keys, based_on = _keys(request), number(request.POST.get("based_on")) or 0
    expected = _expected(request, keys=keys, based_on=based_on)
    if not expected["tags"] and UNMEASURED not in request.POST and _is_current(request, keys, based_on):
        return _again(request, BookAction.PUBLISH, unmeasured=True)
    return _settled(
        request,
        BookAction.PUBLISH,
        lambda: publish_rules(
            rules=keys,
            based_on=based_on,
            note=note_in(request.POST),
            by=staff_of(request),
            now=timezone.now(),
            expected=expected,
            revisions=_revisions(request),
        ),
    )


@post_requires(Action.PUBLISH)
def withdraw(request: HttpRequest) -> HttpResponse:
    return _settled(
        request,
        BookAction.WITHDRAW,
        lambda: withdraw_rules(
            rules=_keys(request),
            based_on=number(request.POST.get("based_on")) or 0,
            note=note_in(request.POST),
            by=staff_of(request),
            now=timezone.now(),
        ),
    )


@require_safe
def proposal_effect(request: HttpRequest) -> HttpResponse:
    """The price tag of a dialog: what the book would do at the placements of the rules that change."""
    proposal = or_404(_proposed(request))
    now = timezone.now()
    effects = [measured(proposal.rules, placement=name, now=now) for name in proposal.placements]
    tags = [effect["price"].described() for effect in effects if "price" in effect]
    signed = signing.dumps(
        {"rules": list(proposal.keys), "based_on": proposal.based_on, "tags": tags}, salt=SALT, compress=True
    )
    ending = number(request.GET.get("ending"))  # an experiment that ends by the same act
    held = [one for one in holdings("rules") if one.experiment.pk != ending]
    context = {"effects": effects, "expected": signed if tags else "", "holdings": held}
    return render(request, "dashboard/rules/proposal.html", context)


@require_safe
def rule_books(request: HttpRequest) -> HttpResponse:
    return _books(request)


@post_requires(Action.PUBLISH)
def roll_back(request: HttpRequest) -> HttpResponse:
    target = get_object_or_404(RuleBook, number=number(request.POST.get("book")) or 0)
    note = note_in(request.POST)
    try:
        book = roll_back_rules(book=target, note=note, by=staff_of(request), now=timezone.now())
    except NoteNeededError:
        return _books(request, opened=query.roll_back(number=target.number), problem=_note_needed())
    except NothingToPublishError:
        messages.warning(request, _("The rules are already as in r%(number)d.") % {"number": target.number})
        return redirect("rule_books")
    words = _("Rolled back: r%(made)d serves what r%(target)d had, from the next request on.")
    messages.success(request, words % {"made": book.number, "target": target.number})
    return redirect("rule_books")


def _books(request: HttpRequest, *, opened: Proposal | None = None, problem: str = "") -> HttpResponse:
    page, names = query.versions(page=number(request.GET.get("page")) or 1)
    target = number(request.GET.get("roll_back"))
    context = {
        "section": "rules",
        "here": page_address(request, reverse("rule_books")),
        "page": page,
        "names": names,
        "dialog": opened or (query.roll_back(number=target) if target is not None else None),
        "problem": problem,
        "note": note_in(request.POST),
    }
    return render(request, "dashboard/rules/books.html", context, status=422 if problem else 200)


def _settled(request: HttpRequest, kind: BookAction, act: Done) -> HttpResponse:
    """Do it and say so, or show the dialog again with what was typed and why it was not done."""
    try:
        book = act()
    except NoteNeededError:
        problem = _note_needed()
    except StaleBookError as error:
        problem = _(
            "Someone published r%(number)d in the meantime. The changes are listed again above; please check once more."
        ) % {"number": error.book.number if error.book else 0}
    except StaleRuleError as error:
        problem = _(
            "“%(rule)s” has changed in the meantime. What would be published is shown above; please check once more."
        ) % {"rule": error.current}
    except FaultyRulesError as error:
        problem = " ".join(finding.text for finding in error.findings)
    except (NothingToPublishError, Rule.DoesNotExist):
        messages.warning(request, _nothing_changed())
        return redirect("rules")
    else:
        text = _done(kind, book, len(_keys(request)))
        if kind is BookAction.WITHDRAW:
            offer_undo(request, text, "rules withdrawn", book=book.number)
        else:
            messages.success(request, text)
        return redirect("rules")
    return _again(request, kind, problem=problem)


def _again(request: HttpRequest, kind: BookAction, *, problem: str = "", unmeasured: bool = False) -> HttpResponse:
    current, keys = rules(now=timezone.now()), _keys(request)
    opened = query.proposal(current, kind=kind, keys=keys)
    if opened is None:
        messages.warning(request, problem or _nothing_changed())
        return redirect("rules")
    return render_rules(request, current, opened=opened, chosen=keys, problem=problem, unmeasured=unmeasured)


def _is_current(request: HttpRequest, keys: list[int], based_on: int) -> bool:
    """Whether the dialog showed what would be published; else publishing says what has changed."""
    opened = query.proposal(rules(now=timezone.now()), kind=BookAction.PUBLISH, keys=keys)
    return opened is None or (opened.based_on == based_on and _revisions(request).items() <= opened.revisions.items())


def _done(kind: BookAction, made: RuleBook, count: int) -> str:
    if kind is BookAction.PUBLISH:
        count = len(made.rules)
        text = ngettext(
            "Published as r%(number)d: the shop serves %(count)d rule from the next request on.",
            "Published as r%(number)d: the shop serves %(count)d rules from the next request on.",
            count,
        )
    else:
        text = ngettext(
            "%(count)d rule taken offline (version r%(number)d). It is now a draft.",
            "%(count)d rules taken offline (version r%(number)d). They are now drafts.",
            count,
        )
    return text % {"number": made.number, "count": count}


def _proposed(request: HttpRequest) -> Proposal | None:
    kind = request.GET.get("open", "")
    if kind == BookAction.ROLL_BACK:
        return query.roll_back(number=number(request.GET.get("book")) or 0)
    if kind not in {BookAction.PUBLISH, BookAction.WITHDRAW}:
        return None
    keys = [key for text in request.GET.getlist("rule") if (key := number(text)) is not None]
    return query.proposal(rules(now=timezone.now()), kind=kind, keys=keys)


def _expected(request: HttpRequest, *, keys: list[int], based_on: int) -> Mapping[str, Any]:
    """The price tag that the dialog showed, if it is of just this change, else one without figures.

    It is signed, as it comes from outside.
    """
    try:
        expected = signing.loads(request.POST.get("expected", ""), salt=SALT, max_age=MOST_AGE)
    except signing.BadSignature:
        return {"rules": keys, "tags": []}
    same = sorted(expected["rules"]) == sorted(keys) and expected["based_on"] == based_on
    return {"rules": keys, "tags": expected["tags"] if same else []}


def _keys(request: HttpRequest) -> list[int]:
    return [key for text in request.POST.getlist("rule") if (key := number(text)) is not None]


def _revisions(request: HttpRequest) -> dict[int, int]:
    """Revisions of the drafts that the dialog showed, by key."""
    parts = (text.partition(":") for text in request.POST.getlist("revision"))
    pairs = ((number(key), number(revision)) for key, _separator, revision in parts)
    return {key: revision for key, revision in pairs if key is not None and revision is not None}


def _nothing_changed() -> str:
    return _("Nothing was changed: the rules are already like that, or one of them is gone.")


def _note_needed() -> str:
    return _("Say why in a few words: the note stays with the version and in the audit trail.")
