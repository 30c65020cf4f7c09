"""What a customer allows, and everything that they said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recommendations.models import Customer, PurposeWord
from recommendations.privacy_terms import OWN_PURPOSES, DataPurpose
from recommendations.services.contacts.reach import with_stars
from recommendations.services.privacy.purposes import words_of
from recommendations.wording.privacy import labels as privacy_labels

MOST_WORDS = 20


@dataclass(frozen=True, kw_only=True)
class PurposeRow:
    """Whether a customer allows a purpose, and the word that it holds by, where one was said."""

    words: str
    note: str
    allowed: bool
    last: PurposeWord | None


@dataclass(frozen=True, kw_only=True)
class WordWithProof:
    word: PurposeWord
    proof: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class PurposesOfCustomer:
    """Each purpose, and the words of the ledger, the newest first; ``older``: there are more of them."""

    purposes: Sequence[PurposeRow]
    said: Sequence[WordWithProof]
    older: bool


def purposes_of(customer: Customer, keys: Sequence[int]) -> PurposesOfCustomer:
    """What a customer allows, in one query; ``keys`` are all of theirs."""
    words = words_of(keys)
    newest = {word.purpose: word for word in reversed(words)}
    allowed = {DataPurpose.PERSONALISE: customer.personalise, DataPurpose.MEASURE: customer.measure}
    called = dict(privacy_labels.PURPOSES)
    return PurposesOfCustomer(
        purposes=[
            PurposeRow(
                words=str(called[purpose]),
                note=str(privacy_labels.PURPOSE_NOTES[purpose]),
                allowed=allowed[purpose],
                last=newest.get(purpose),
            )
            for purpose in OWN_PURPOSES
        ],
        said=[
            WordWithProof(
                word=word, proof={with_stars(str(name)): with_stars(str(value)) for name, value in word.proof.items()}
            )
            for word in words[:MOST_WORDS]
        ],
        older=len(words) > MOST_WORDS,
    )
