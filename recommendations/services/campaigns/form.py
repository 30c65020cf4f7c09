"""The form of a campaign: who, what, when and how safely. A draft may be unfinished; what is approved is whole.

Texts are no templates: three names in braces stand for something, and everything else in braces is refused, so there is
nothing to inject into.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from enum import StrEnum
from typing import Annotated, Any, cast

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _
from msgspec import Meta, Struct

from recommendations.engine.push.cases import Clock
from recommendations.ingest.refusal import Refusal
from recommendations.push_terms import Channel, Priority
from recommendations.services.campaigns.shape import refusals_of_shape, sound

NAMES = frozenset({"shop", "first_item", "count"})
BRACES = re.compile(r"\{[^{}]*\}|[{}]")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that end a line of a header, or turn the direction of what follows."""

LONGEST_SUBJECT = 150
SUBJECT_SHOWN = 60  # of an inbox on a phone
LONGEST_TEXT = 2_000
MOST_SUBJECTS, MOST_BLOCKS, MOST_ITEMS = 3, 3, 12
SHORTEST_LIFE, LONGEST_LIFE = 24, 24 * 14  # hours: longer than any night
SHORTEST_WAIT, LONGEST_WAIT = 3, 24 * 7  # hours, for the best one: a week has them all

type Key = Annotated[int, Meta(ge=1)]
type Line = Annotated[str, Meta(max_length=LONGEST_SUBJECT)]


class Layout(StrEnum):
    TILES = "tiles"
    LIST = "list"
    SINGLE = "single"


class GoalKind(StrEnum):
    """What counts as an answer to a message."""

    SHOWN = "shown"  # something bought that was shown
    CATEGORIES = "categories"  # something bought of these
    ANYTHING = "anything"


class ContextItem(StrEnum):
    """What a block's list is about."""

    NONE = "none"
    TRIGGER = "trigger"  # the item of the occasion


class Who(Struct, forbid_unknown_fields=True, kw_only=True):
    """Audiences by their keys: everybody who is in any of these, and in none of those; none of these is everybody."""

    any_of: Annotated[list[Key], Meta(max_length=20)] = []
    none_of: Annotated[list[Key], Meta(max_length=20)] = []


class Texts(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a message says in a language; of several subjects each person gets one at random."""

    subjects: Annotated[list[Line], Meta(min_length=1, max_length=MOST_SUBJECTS)]
    preheader: Line = ""
    heading: Line = ""
    intro: Annotated[str, Meta(max_length=LONGEST_TEXT)] = ""
    button: Annotated[str, Meta(max_length=60)] = ""


class Block(Struct, forbid_unknown_fields=True, kw_only=True):
    """A list of a placement in the message."""

    placement: Annotated[str, Meta(min_length=1, max_length=60)]
    n: Annotated[int, Meta(ge=1, le=MOST_ITEMS)] = 6
    context: ContextItem = ContextItem.NONE
    price_to: Annotated[float, Meta(gt=0)] | None = None
    categories: Annotated[list[str], Meta(max_length=20)] = []


class What(Struct, forbid_unknown_fields=True, kw_only=True):
    layout: Layout = Layout.TILES
    texts: dict[str, Texts] = {}
    blocks: Annotated[list[Block], Meta(min_length=1, max_length=MOST_BLOCKS)]
    least_items: Annotated[int, Meta(ge=1, le=MOST_ITEMS)] = 3
    least_chance: Annotated[float, Meta(ge=0, le=0.5)] = 0.0  # that an item is bought in 28 days; of fewer it is none


class When(Struct, forbid_unknown_fields=True, kw_only=True):
    """When it begins and ends, on which days it comes again, and at which hour; None is at once.

    ``best_within`` so many hours it may wait for the hour at which the customer is most active; ``best_channel``: by
    the channel that they click most, whichever is preferred.
    """

    starts_at: datetime | None = None  # None: at the approval
    ends_at: datetime | None = None
    weekdays: Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(max_length=7)] = []
    hour: time | None = None
    clock: Clock = Clock.CUSTOMER
    best_within: Annotated[int, Meta(ge=SHORTEST_WAIT, le=LONGEST_WAIT)] | None = None
    best_channel: bool = False
    expires_hours: Annotated[int, Meta(ge=SHORTEST_LIFE, le=LONGEST_LIFE)] = 72


class Goal(Struct, forbid_unknown_fields=True, kw_only=True):
    kind: GoalKind = GoalKind.SHOWN
    categories: Annotated[list[str], Meta(max_length=20)] = []
    days: Annotated[int, Meta(ge=1, le=28)] = 7


class Safety(Struct, forbid_unknown_fields=True, kw_only=True):
    holdout: Annotated[float, Meta(ge=0, le=0.5)] = 0.0
    priority: Priority = Priority.CAMPAIGN
    per_day: Annotated[int, Meta(ge=1)] | None = None
    goal: Goal = msgspec.field(default_factory=Goal)


class Occasion(Struct, forbid_unknown_fields=True, kw_only=True):
    """The numbers of a trigger."""

    hours: Annotated[int, Meta(ge=1, le=72)] = 4  # left in the cart
    views: Annotated[int, Meta(ge=2, le=20)] = 2
    percent: Annotated[int, Meta(ge=1, le=90)] = 10  # cheaper
    days: Annotated[int, Meta(ge=1, le=90)] = 30  # not seen
    due_percent: Annotated[int, Meta(ge=1, le=95)] = 35  # chance that it is bought again within a week


class CampaignForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """A whole campaign, as it is frozen when it is approved."""

    who: Who
    what: What
    when: When
    safety: Safety
    occasion: Occasion = msgspec.field(default_factory=Occasion)
    channels: Annotated[list[Channel], Meta(min_length=1)] = msgspec.field(default_factory=lambda: [Channel.EMAIL])
    endpoint: Key | None = None  # the webhook; None: the only one in use


PARTS: Mapping[str, Any] = {"who": Who, "what": What, "when": When, "safety": Safety, "occasion": Occasion}


class UnfinishedError(Exception):
    """The draft is no whole campaign yet; ``refusals`` say where and what to do."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__(f"{len(refusals)} refusals")
        self.refusals = refusals


def frozen_of(
    draft: Mapping[str, Any], *, recurring: bool, triggered: bool, now: datetime | None = None
) -> CampaignForm:
    """The whole form of a draft. Raises UnfinishedError with all that is missing or wrong.

    With ``now`` the only moment of a campaign, and the end of any, has to be to come.
    """
    whole = {**{name: {} for name in PARTS}, **draft}
    refusals = list(refusals_of_shape(whole, CampaignForm))
    refused = {each.pointer for each in refusals}
    what, when = (sound(whole[name], PARTS[name], f"/{name}", refused) for name in ("what", "when"))
    safety = sound(whole["safety"], Safety, "/safety", refused)
    more = [
        *_of_texts(whole["what"]),
        *(_of_times(when, recurring=recurring) if when else ()),
        *(_of_past(when, once=not recurring and not triggered, now=now) if when and now else ()),
        *(_of_goal(safety) if safety else ()),
        *(_of_blocks(what, triggered=triggered) if what else ()),
    ]
    refusals += [each for each in more if each.pointer not in refused]
    if refusals:
        raise UnfinishedError(refusals)
    return msgspec.convert(whole, CampaignForm)


def as_json(form: CampaignForm) -> dict[str, Any]:
    """The form as it is stored."""
    return cast("dict[str, Any]", msgspec.to_builtins(form))


def texts_for(what: What, language: str) -> tuple[str, Texts]:
    """The texts of a language, else those of the shop's, with the language that they are of."""
    chosen = language if language in what.texts else settings.SHOP_LANGUAGE
    return chosen, what.texts[chosen]


def _of_texts(what: object) -> Iterator[Refusal]:
    """Refusals of texts, also of those that are not whole."""
    texts = what.get("texts", {}) if isinstance(what, Mapping) else None
    if not isinstance(texts, Mapping):
        return
    if settings.SHOP_LANGUAGE not in texts:
        language = dict(settings.LANGUAGES)[settings.SHOP_LANGUAGE]
        reason = _("Write the message in the shop's language (%(language)s): others fall back to it.")
        yield Refusal(f"/what/texts/{settings.SHOP_LANGUAGE}", reason % {"language": language})
    known = {code for code, _name in settings.LANGUAGES}
    for code, own in texts.items():
        at = f"/what/texts/{code}"
        if code not in known:
            yield Refusal(at, _("There is no such language here."))
        if isinstance(own, Mapping):
            yield from _of_language(own, at)


def _of_language(own: Mapping[str, Any], at: str) -> Iterator[Refusal]:
    subjects = own.get("subjects")
    for place, subject in enumerate(subjects if isinstance(subjects, list) else ()):
        if isinstance(subject, str):
            if not subject.strip():
                yield Refusal(f"{at}/subjects/{place}", _("Write a subject."))
            yield from _of_text(subject, f"{at}/subjects/{place}", lines=False)
    for name in ("preheader", "heading", "button", "intro"):
        if isinstance(own.get(name), str):
            yield from _of_text(own[name], f"{at}/{name}", lines=name == "intro")


def _of_text(text: str, pointer: str, *, lines: bool) -> Iterator[Refusal]:
    if CONTROLS.search(text) or (not lines and "\n" in text):
        yield Refusal(pointer, _("It holds a line break, or a character that nobody sees: write it again."))
    for match in BRACES.finditer(text):
        if match[0].strip("{}") not in NAMES or len(match[0]) < 2:
            names = ", ".join(f"{{{name}}}" for name in sorted(NAMES))
            reason = _("“%(text)s” stands for nothing; in braces there may be: %(names)s.")
            yield Refusal(pointer, reason % {"text": match[0], "names": names})


def _of_times(when: When, *, recurring: bool) -> Iterator[Refusal]:
    for name in ("starts_at", "ends_at"):
        moment: datetime | None = getattr(when, name)
        if moment is not None and moment.tzinfo is None:
            yield Refusal(f"/when/{name}", _("The moment needs its time zone."))
    if when.starts_at and when.ends_at and when.ends_at <= when.starts_at:
        yield Refusal("/when/ends_at", _("It ends before it starts."))
    if recurring and not when.weekdays:
        yield Refusal("/when/weekdays", _("Choose the days of the week on which it comes."))
    if recurring and when.hour is None and when.best_within is None:
        yield Refusal("/when/hour", _("Say at which hour it comes."))
    if when.hour is not None and when.best_within is not None:
        yield Refusal("/when/best_within", _("Choose an hour of the day, or the best one: not both."))


def _of_past(when: When, *, once: bool, now: datetime) -> Iterator[Refusal]:
    """Refusals of moments that are over: whoever reads them would think that they are to come."""
    if once and when.starts_at and when.starts_at.tzinfo and when.starts_at <= now:
        reason = _("This moment is over: choose one that is to come, or leave the field empty to send at once.")
        yield Refusal("/when/starts_at", reason)
    if when.ends_at and when.ends_at.tzinfo and when.ends_at <= now:
        yield Refusal("/when/ends_at", _("This moment is over: choose one that is to come, or leave the field empty."))


def _of_goal(safety: Safety) -> Iterator[Refusal]:
    if safety.goal.kind is GoalKind.CATEGORIES and not safety.goal.categories:
        yield Refusal("/safety/goal/categories", _("Choose the categories that count."))


def _of_blocks(what: What, *, triggered: bool) -> Iterator[Refusal]:
    for place, block in enumerate(what.blocks):
        if block.context is ContextItem.TRIGGER and not triggered:
            reason = _("Only a campaign with a trigger has an item that a list can be about.")
            yield Refusal(f"/what/blocks/{place}/context", reason)
    most = sum(block.n for block in what.blocks)
    if what.least_items > most:
        reason = _("The lists have %(most)d items together; ask for at most as many.")
        yield Refusal("/what/least_items", reason % {"most": most})
