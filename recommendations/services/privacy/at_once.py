"""Several erasures of one person at once: the one that begins first erases, the others wait for it and say so.

A request that has begun and has not looked everywhere yet has digests of the person's pseudonyms, ``whom``, in its
options; one that waits has the number of the other, ``same_as``, which stays and stands in its receipts.
"""

from collections.abc import Iterable, Mapping

from django.db import connection, transaction
from django.db.models import QuerySet

from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import RequestKind
from recommendations.store.erasure.subjects import digest_of
from recommendations.store.holders.protocol import Subject
from recommendations.terms import RunStatus

LOCK = 7_264_196  # one request begins at a time, so that of two about one person the second sees the first


class ErasedElsewhereError(Exception):
    """Another request is at the person."""

    def __init__(self) -> None:
        super().__init__("The same person is being erased by another request.")


@transaction.atomic
def begin_erasures(subjects: Mapping[PrivacyRequest, Subject]) -> dict[PrivacyRequest, Subject]:
    """Note that these requests are at their people, as far as no other one is, nor one before; those that began."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    theirs = {digest: pk for pk, whom in _begun().values_list("pk", "options__whom") for digest in whom}
    begun = dict[PrivacyRequest, Subject]()
    for request, subject in subjects.items():
        digests = _digests(subject)
        if all(theirs.get(digest, request.pk) == request.pk for digest in digests):
            theirs |= dict.fromkeys(digests, request.pk)
            note_whom(request, subject)
            begun[request] = subject
    PrivacyRequest.objects.bulk_update(begun, ["options"])
    return begun


def leave_erasures(requests: Iterable[PrivacyRequest]) -> None:
    """Note that they are at nobody: they have to wait."""
    left = list(requests)
    for each in left:
        note_whom(each, None)
    PrivacyRequest.objects.bulk_update(left, ["options"])


def note_whom(request: PrivacyRequest, subject: Subject | None) -> None:
    """Let the request, which is not saved here, name the person to others; None: nobody any more."""
    rest = {name: value for name, value in request.options.items() if name != "whom"}
    request.options = rest if subject is None else {**rest, "whom": _digests(subject)}


def erasure_under_way(request: PrivacyRequest, subject: Subject) -> PrivacyRequest | None:
    """Another request that has begun to erase the person and has not looked everywhere yet."""
    return _begun().exclude(pk=request.pk).filter(options__whom__has_any_keys=_digests(subject)).first()


def waiting_for(request: PrivacyRequest) -> QuerySet[PrivacyRequest]:
    """Requests about the same person that wait until this one has looked everywhere."""
    return PrivacyRequest.objects.unfinished().filter(options__same_as=str(request.pk))


def first_of(request: PrivacyRequest) -> PrivacyRequest:
    """The request that erased the person, which is this one where it waited for no other."""
    other = request.options.get("same_as")
    return (PrivacyRequest.objects.filter(pk=other).first() if other else None) or request


def _begun() -> QuerySet[PrivacyRequest]:
    begun = PrivacyRequest.objects.filter(kind=RequestKind.ERASE, scanned_at=None, options__has_key="whom")
    return begun.exclude(status=RunStatus.CANCELLED)


def _digests(subject: Subject) -> list[str]:
    return [digest_of(value).hex() for value in subject.pseudonyms]
