"""Open promises of a placement as its answers have them: which items, since when, and what part of the answers."""

from dataclasses import dataclass

from recommendations.models import NewItem, NewItemBudget


@dataclass(frozen=True, kw_only=True)
class ServedPromises:
    items: tuple[int, ...]  # keys, ascending
    since: tuple[float, ...]  # when each was promised, seconds since 1970-01-01 UTC
    share: float  # of the answers may give their last slot
    load: float  # how full the budget is, 0 … 1


def served_promises() -> dict[int, ServedPromises]:
    """The open promises of every placement that has room for them, by its key."""
    served: dict[int, ServedPromises] = {}
    open_ = NewItem.objects.open().order_by("item_id").values_list("placement_id", "item_id", "promised_at")
    by_placement: dict[int, list[tuple[int, float]]] = {}
    for placement, item, promised_at in open_:
        if promised_at is not None:
            by_placement.setdefault(placement, []).append((item, promised_at.timestamp()))
    if not by_placement:
        return served
    for budget in NewItemBudget.objects.filter(pk__in=by_placement, share__gt=0):
        items, since = zip(*by_placement[budget.pk], strict=True)
        served[budget.pk] = ServedPromises(items=items, since=since, share=budget.share, load=budget.load)
    return served
