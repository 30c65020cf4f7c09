"""What was known of a person when they were answered, so that an answer can be made again."""

import zlib
from collections.abc import Mapping, Sequence

import msgspec

from recommendations.models import AnswerState, Item
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.tables import OwnRows, TableHolder
from recommendations.store.live.fetch import unpacked


def _items_known(content: bytes) -> Mapping[str, Sequence[str]]:
    """The items that were known of them, as the shop calls them, by what they had done with these."""
    state = unpacked(msgspec.msgpack.decode(zlib.decompress(content))[0])
    keys = {
        "bought": list(state.bought), "refunded": list(state.refunded), "disliked": list(state.disliked),
        "recent": [act.item for act in state.recent], "shown": [showing.item for showing in state.shown],
        "begun": [begun.item for begun in state.begun],
    }  # fmt: skip
    together = {key for own in keys.values() for key in own}
    names = dict(Item.objects.filter(pk__in=together).values_list("pk", "shop_id"))
    known = {what: [names[key] for key in own if key in names] for what, own in keys.items()}
    return {what: own for what, own in (known | {"liked": [each.name for each in state.liked]}).items() if own}


ANSWERS = TableHolder(
    HolderCode.ANSWERS,
    OwnRows(model=AnswerState, columns=("used_on", "content"), told={"content": _items_known}),
)  # fmt: skip
