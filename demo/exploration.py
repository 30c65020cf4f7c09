"""Exploration of the demo: a tenth of its answers are shuffled, so that drafts can be judged by what was clicked."""

from datetime import datetime

from django.db import transaction

from recommendations.models import BlendWeights
from recommendations.store.live import fetch
from recommendations.store.models.weight_versions import Made, append_weights
from recommendations.terms import BlendName

SHUFFLED, CARDS = 0.10, 0.05
REASON = "The demo explores"


@transaction.atomic
def publish_exploration(*, now: datetime) -> int:
    """Publish a version that explores in place of each blend's default, once a blend; how many were published.

    What staff set later stays, also where they explore nothing.
    """
    done = BlendWeights.objects.filter(reason=REASON).values("blend")
    defaults = BlendWeights.objects.defaults().of_group(None).exclude(blend__in=done).select_related("blend")
    for served in defaults:
        made = Made(
            weights=served.weights, exponents=served.exponents, exploration=SHUFFLED, cards=CARDS, reason=REASON,
            expected=served.expected, gate=served.gate,
        )  # fmt: skip
        append_weights(blend=BlendName(served.blend.name), made=made, author=None, now=now, publish=True)
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.WEIGHTS))
    return len(defaults)
