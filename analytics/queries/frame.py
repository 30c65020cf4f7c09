"""What is in view on every page: which installation this is, what is live, how fresh the data are."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from recommendations.models import BlendWeights, Event, ModelVersion, ShopSetting

DEMO_CLOCK = "demo_clock"


@dataclass(frozen=True, kw_only=True)
class Frame:
    shop: str
    demo: bool
    model: ModelVersion | None
    weights: list[BlendWeights]
    newest_event: datetime | None
    clock_weeks: int  # by how many weeks the demo's data were moved forward


def read_frame() -> Frame:
    """Four small queries; each is answered by an index or a table of a few rows."""
    clock = ShopSetting.objects.filter(key=DEMO_CLOCK).first()
    return Frame(
        shop=settings.SHOP_NAME,
        demo=settings.DEMO,
        model=ModelVersion.objects.live().first(),
        weights=list(BlendWeights.objects.defaults().filter(segment=None).select_related("blend").order_by("blend")),
        newest_event=newest_event(),
        clock_weeks=int(clock.value["weeks"]) if clock else 0,
    )


def newest_event() -> datetime | None:
    return Event.objects.order_by("-occurred_at").values_list("occurred_at", flat=True).first()
