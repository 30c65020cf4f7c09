"""The list of all holders, in the order in which they are erased: what others need to find their own goes last."""

from recommendations.store.holders.protocol import Holder

HOLDERS: tuple[Holder, ...] = ()
