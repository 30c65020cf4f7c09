"""Who makes vectors of items, and what makes items alike."""

from enum import StrEnum


class VectorProvider(StrEnum):
    """Provider of vectors that are stored: the shop, or a service that is asked over http."""

    GIVEN = "given"
    HTTP = "http"


class LikenessBy(StrEnum):
    TEXT = "text"
    BEHAVIOUR = "behaviour"
    ALL = "all"
