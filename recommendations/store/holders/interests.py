"""What runs found that a person likes, of every version that is kept."""

from recommendations.models import Category, InterestProfile, SegmentMembership
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.tables import OwnRows, TableHolder

INTERESTS = TableHolder(
    HolderCode.INTERESTS,
    OwnRows(
        model=InterestProfile, columns=("version", "half_life_days", "categories", "shares", "weight"),
        keys={"categories": Category},
    ),
    OwnRows(
        model=SegmentMembership, columns=("version", "segment__number", "segment__name", "segment__automatic_name"),
    ),
)  # fmt: skip
