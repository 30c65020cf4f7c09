"""A shop's own vectors of its items, in spaces that it names."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from recommendations.engine.frames import HalfArray
from recommendations.ingest.refusal import Refusal
from recommendations.models import EmbeddingSpace, ItemVector
from recommendations.services.catalogue.item_checks import BrokenRuleError
from recommendations.services.catalogue.item_schema import EmbeddingForm
from recommendations.store.vectors.item_texts import digests_of
from recommendations.store.vectors.item_vectors import NewVector, save_vectors, unit
from recommendations.vector_terms import VectorProvider

MOST_SPACES = 4
OURS = frozenset({"text", "words", "http", "picture"})
"""Spaces that the shop cannot send vectors of: others make them."""

EMBEDDING = "/embedding"


class GivenVector(NamedTuple):
    """A vector that the shop sent of an item."""

    space: str
    values: HalfArray  # of length one


def checked_vector(form: EmbeddingForm | None) -> GivenVector | None:
    """The vector of a form; None takes away all that the shop sent of the item. Raises BrokenRuleError."""
    if form is None:
        return None
    if form.space in OURS:
        text = _("“%(name)s” is Recsite's own; give yours another name.")
        raise BrokenRuleError(f"{EMBEDDING}/space", text % {"name": form.space})
    values = unit(form.values)
    if values is None:
        raise BrokenRuleError(f"{EMBEDDING}/values", _("A vector has finite numbers, not all of them 0."))
    return GivenVector(form.space, values)


def refused_vectors(vectors: Iterable[tuple[str, GivenVector]]) -> dict[str, Refusal]:
    """Why vectors do not fit the spaces that they name, by the shop's ids of their items.

    The first vector of a space settles how many numbers it has, until the last one is taken away. The spaces are
    locked to the end of the transaction.
    """
    locked = EmbeddingSpace.objects.select_for_update().filter(provider=VectorProvider.GIVEN).order_by("pk")
    spaces, settled, refused = {space.name: space for space in locked}, set[str](), dict[str, Refusal]()
    for shop_id, vector in vectors:
        if vector.space not in spaces:
            if len(spaces) >= MOST_SPACES:
                text = _("There are %(most)s spaces already; send vectors of one of them, or empty one.")
                refused[shop_id] = Refusal(f"{EMBEDDING}/space", text % {"most": MOST_SPACES})
                continue
            spaces[vector.space] = _new_space(vector.space)
        space = spaces[vector.space]
        if space.dimensions != len(vector.values) and space.name not in settled and not space.vectors.exists():
            space.dimensions = len(vector.values)
            space.save(update_fields=["dimensions"])
        settled.add(space.name)
        if space.dimensions != len(vector.values):
            refused[shop_id] = Refusal(f"{EMBEDDING}/values", _other_length(space, vector))
    return refused


def take_vectors(given: Mapping[int, GivenVector | None], *, now: datetime) -> set[int]:
    """Write the vectors that came with items, by key, in spaces that they fit; the keys of those that changed."""
    gone = ItemVector.objects.filter(
        item__in=[item for item, vector in given.items() if vector is None], space__provider=VectorProvider.GIVEN
    )
    changed = set(gone.values_list("item", flat=True))
    gone.delete()
    names = {vector.space for vector in given.values() if vector is not None}
    for space in EmbeddingSpace.objects.filter(name__in=names).order_by("pk"):
        own = {item: each.values for item, each in given.items() if each is not None and each.space == space.name}
        digests = digests_of(space, own)
        changed |= save_vectors(space, {item: NewVector(digests[item], own[item]) for item in digests}, now=now)
    return changed


def _new_space(name: str) -> EmbeddingSpace:
    space, _made = EmbeddingSpace.objects.get_or_create(name=name, defaults={"provider": VectorProvider.GIVEN})
    return EmbeddingSpace.objects.select_for_update().get(pk=space.pk)


def _other_length(space: EmbeddingSpace, vector: GivenVector) -> str:
    text = _(
        "Vectors of “%(space)s” have %(there)s numbers, this one has %(sent)s: a space is of one model. Send those of "
        "another model to another space, or empty this one first (“embedding”: null)."
    )
    return text % {"space": space.name, "there": space.dimensions, "sent": len(vector.values)}
