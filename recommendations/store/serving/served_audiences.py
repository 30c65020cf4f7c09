"""Audiences as a process serves them: the members of those for which there are rules or weights."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from recommendations.engine.frames import IdArray
from recommendations.models import Audience
from recommendations.store.audiences.members import keys_of

MOST_TRIED = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class ServedAudiences:
    """Keys of the members, ascending, by key of the audience, in the order that staff gave the audiences."""

    members: Mapping[int, IdArray] = field(default_factory=dict)
    generations: Mapping[int, int] = field(default_factory=dict)
    _tried: dict[tuple[tuple[int, int], ...], Self] = field(default_factory=dict, repr=False)  # by whoever previewed

    def again(self, *, also: Collection[int] = ()) -> Self:
        """The audiences in use and those in ``also`` as the record has them; the same object where nothing differs."""
        used = Audience.objects.in_use().values("pk")
        wanted = Audience.objects.filter(Q(pk__in=used) | Q(pk__in=also)) if also else Audience.objects.in_use()
        now = dict(wanted.order_by("position", "pk").values_list("pk", "generation"))
        if list(now.items()) == list(self.generations.items()):
            return self
        return type(self)(
            members={
                key: self.members[key] if self.generations.get(key) == generation else keys_of(key)
                for key, generation in now.items()
            },
            generations=now,
        )

    def without(self, gone: Collection[int]) -> Self:
        """The audiences without these customers; the same object where none of them is a member."""
        keys = np.fromiter(gone, np.int64, len(gone))
        stay = {key: ~np.isin(members, keys) for key, members in self.members.items()}
        if all(map(np.all, stay.values())):
            return self
        return replace(self, members={key: self.members[key][mask] for key, mask in stay.items()}, _tried={})

    def holding(self, keys: Collection[int]) -> Self:
        """Add audiences for a preview; the same object as long as nobody joins or leaves them."""
        missing = set(keys) - self.members.keys()
        if not missing:
            return self
        asked = tuple(Audience.objects.filter(pk__in=missing).order_by("pk").values_list("pk", "generation"))
        if asked not in self._tried:
            if len(self._tried) >= MOST_TRIED:
                self._tried.clear()
            members = {**self.members, **{key: keys_of(key) for key, _generation in asked}}
            order = Audience.objects.filter(pk__in=members).order_by("position", "pk").values_list("pk", flat=True)
            self._tried[asked] = replace(self, members={key: members[key] for key in order}, _tried={})
        return self._tried[asked]

    def of(self, customer: int | None) -> tuple[int, ...]:
        """Keys of the audiences that a customer is in, the first of the list first."""
        if customer is None:
            return ()
        return tuple(key for key, members in self.members.items() if _has(members, customer))

    def of_each(self, customers: NDArray[np.int64]) -> Sequence[tuple[int, ...]]:
        """Keys of the audiences of each customer."""
        inside = [np.isin(customers, members) for members in self.members.values()]
        table = np.array(inside, np.bool_).reshape(len(inside), len(customers)).T
        keys = list(self.members)
        return [tuple(keys[at] for at in np.flatnonzero(row).tolist()) for row in table]


def _has(members: IdArray, customer: int) -> bool:
    at = int(members.searchsorted(customer))
    return at < len(members) and bool(members[at] == customer)
