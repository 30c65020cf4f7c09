"""Who makes vectors of items, what makes items alike, and why a picture could not be looked at."""

from enum import StrEnum


class VectorProvider(StrEnum):
    """Provider of vectors that are stored: the shop, a service that is asked over http, or the net for pictures."""

    GIVEN = "given"
    HTTP = "http"
    PICTURE = "picture"


class LikenessBy(StrEnum):
    TEXT = "text"
    PICTURE = "picture"
    BEHAVIOUR = "behaviour"
    ALL = "all"


class PictureFault(StrEnum):
    """What keeps a picture from being compared. The first two pass: what was seen before still holds."""

    NO_ANSWER = "no_answer"
    STATUS = "status"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    NOT_A_PICTURE = "not_a_picture"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    SMALL = "small"


PASSING = frozenset({PictureFault.NO_ANSWER, PictureFault.STATUS})
