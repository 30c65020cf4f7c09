"""Groups of customers that weights can be for, as a form chooses them and as an address names them."""

from analytics.parameters import number
from analytics.queries.audiences.choices import with_chosen
from analytics.queries.segments.choices import segment_choices
from analytics.templatetags.weights import AUDIENCE, SEGMENT, group_key
from recommendations.models import Audience, BlendWeights, Group, Segment


def group_of(key: str) -> Group:
    """The group that an address names; everybody where there is no such one."""
    kind, _dash, text = key.partition("-")
    wanted = number(text)
    if wanted is None:
        return None
    if kind == AUDIENCE:
        return Audience.objects.filter(pk=wanted).first()
    return Segment.objects.filter(number=wanted).first() if kind == SEGMENT else None


def group_choices(chosen: Group) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Keys and names of the audiences, in their order, and of the segments; the chosen one stays where it is gone."""
    offered = [(str(pk), name) for pk, name in Audience.objects.unarchived().values_list("pk", "name")]
    audiences = with_chosen(offered, str(chosen.pk) if isinstance(chosen, Audience) else "")
    segments = segment_choices(chosen.number if isinstance(chosen, Segment) else None)
    return (
        [(f"{AUDIENCE}-{key}", words) for key, words in audiences],
        [(f"{SEGMENT}-{key}", words) for key, words in segments],
    )


def place_of(weights: BlendWeights) -> dict[str, str]:
    """The page of Weights for the blend and the group of a version, as parameters of its address."""
    return place(str(weights.blend.name), weights.group)


def place(blend: str, group: Group) -> dict[str, str]:
    return {"blend": blend} | ({"group": group_key(group)} if group else {})
