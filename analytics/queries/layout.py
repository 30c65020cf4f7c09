"""The frame of every page: which installation this is, what is live, how fresh the data are."""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, Subquery, Value
from django.utils.module_loading import import_string

from recommendations.models import (
    ApiKey,
    ApprovalRequest,
    Blend,
    BlendWeights,
    Campaign,
    Event,
    ModelVersion,
    Rule,
    RuleBook,
    ShopSetting,
    SourceHour,
    Staff,
)
from recommendations.services.operations.first_steps import FIRST_STEPS_HIDDEN
from recommendations.terms import BlendName, Cut

DEMO_CLOCK = "demo_clock"
SHOWN_BLENDS = (BlendName.HOME, BlendName.DISCOVER)


@dataclass(frozen=True, kw_only=True)
class LiveWeights:
    blend: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Frame:
    shop: str
    demo: bool
    demo_data: bool  # of the demo, not of a shop's own files
    model: int | None
    live_since: datetime | None
    known_until: datetime | None  # end of the history that the live model knows
    tested_until: datetime | None  # end of the history that the live model's figures come from
    weights: tuple[LiveWeights, ...]
    rules: int | None  # number of the book of rules that is served
    newest_event: datetime | None
    catching_up: bool  # events of days gone by come in right now, so that the newest may well be old
    has_key: bool  # whether there is an API key that is valid
    shop_sends: bool  # whether anything ever came with a key
    is_adjusted: bool  # whether staff wrote weights or a rule
    has_colleagues: bool  # whether there is staff beside the first
    steps_hidden: bool  # whether the shop put its first steps away
    approvals: int  # drafts that wait for approval, campaigns in review among them
    clock_weeks: int  # by how many weeks the demo's data were moved forward


def read_frame() -> Frame:
    """Read the frame in one query, answered by indexes and by tables of a few rows."""
    live = ModelVersion.objects.live()
    default = BlendWeights.objects.defaults().of_group(None).filter(blend=OuterRef("pk"))
    blends = list(
        Blend.objects.filter(name__in=SHOWN_BLENDS)
        .order_by("pk")
        .annotate(
            number=Subquery(default.values("number")[:1]),
            model=Subquery(live.values("pk")[:1]),
            live_since=Subquery(live.values("live_since")[:1]),
            windows=Subquery(live.values("windows")[:1]),
            rules=Subquery(RuleBook.objects.filter(is_default=True).values("number")[:1]),
            newest_event=Subquery(Event.objects.order_by("-occurred_at").values("occurred_at")[:1]),
            catching_up=_catching_up(),
            has_key=Exists(ApiKey.objects.valid()),
            shop_sends=Exists(SourceHour.objects.all()),
            is_adjusted=Q(Exists(BlendWeights.objects.exclude(author=None))) | Q(Exists(Rule.objects.all())),
            has_colleagues=Exists(Staff.objects.order_by("pk")[1:2]),
            steps_hidden=Exists(ShopSetting.objects.filter(key=FIRST_STEPS_HIDDEN)),
            approvals=_waiting(),
            reviews=_in_review(),
            weeks=Subquery(ShopSetting.objects.filter(key=DEMO_CLOCK).values("value__shift_weeks")[:1]),
        )
    )
    first = vars(blends[0]) if blends else {}
    windows = first.get("windows") or {}
    cuts = {cut: datetime.fromisoformat(at) for cut, at in windows.get("cuts", {}).items()}
    return Frame(
        shop=settings.SHOP_NAME,
        demo=settings.DEMO,
        demo_data=first.get("weeks") is not None,
        model=first.get("model"),
        live_since=first.get("live_since"),
        known_until=cuts.get(Cut.LIVE),
        tested_until=cuts.get(Cut.TEST),
        weights=tuple(
            LiveWeights(blend=blend.get_name_display(), number=vars(blend)["number"])
            for blend in blends
            if vars(blend)["number"]
        ),
        rules=first.get("rules"),
        newest_event=first.get("newest_event"),
        catching_up=bool(first.get("catching_up")),
        has_key=bool(first.get("has_key")),
        shop_sends=bool(first.get("shop_sends")),
        is_adjusted=bool(first.get("is_adjusted")),
        has_colleagues=bool(first.get("has_colleagues")),
        steps_hidden=bool(first.get("steps_hidden")),
        approvals=int(first.get("approvals") or 0) + int(first.get("reviews") or 0),
        clock_weeks=int(first.get("weeks") or 0),
    )


def _waiting() -> Subquery:
    """Number of drafts that wait for approval."""
    waiting = ApprovalRequest.objects.waiting().order_by().values("state").annotate(n=Count("pk"))
    return Subquery(waiting.values("n"))


def _in_review() -> Subquery:
    """Number of campaigns that wait for approval."""
    asked = Campaign.objects.in_review().order_by().values("ended_at").annotate(n=Count("pk"))
    return Subquery(asked.values("n"))


def _catching_up() -> Q | Value:
    """Whether one of the installed queries has a row."""
    conditions = [Q(Exists(import_string(name)())) for name in settings.CATCHING_UP]
    return reduce(or_, conditions) if conditions else Value(value=False)
