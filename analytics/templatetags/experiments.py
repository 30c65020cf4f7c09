"""Effects of experiments on the pages; one that nobody can tell yet is a dash."""

import math

from django import template

from analytics.charts.experiments import LiftDay, MetricEffect
from analytics.templatetags.display import MISSING, share, signed_share

register = template.Library()


@register.filter
def lift(value: float) -> str:
    """An effect as a share of the control's: "+3.1%"."""
    return signed_share(value, 1) if math.isfinite(value) else MISSING


@register.filter
def lift_size(value: float) -> str:
    """How large an effect is, without its direction."""
    return share(value, 1) if math.isfinite(value) else MISSING


@register.filter
def lift_interval(effect: LiftDay | MetricEffect) -> str:
    """Both ends of the interval of an effect."""
    if not (math.isfinite(effect.low) and math.isfinite(effect.high)):
        return MISSING
    return f"{signed_share(effect.low, 1)} … {signed_share(effect.high, 1)}"
