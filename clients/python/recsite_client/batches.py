"""Recommendations for more customers than one batch may have: parts of a job, and their answers joined."""

from collections.abc import Callable, Iterator, Sequence

from recsite_client.answers import BatchAnswer, BatchResult, ProblemDetail
from recsite_client.bodies import BatchUser
from recsite_client.problems import ProblemError

MOST_USERS = 1_000
MOST_SLOTS = 10_000  # customers × items of a batch
MOST_ITEMS = 100  # of an answer: as many as there may be where nobody says how many
PLACE = "/users/"


def parts_of(users: Sequence[BatchUser], *, n: int | None) -> Iterator[Sequence[BatchUser]]:
    """Cut a job into as many batches as it takes; one without customers is a batch, too, and is refused as such."""
    size = max(1, min(MOST_USERS, MOST_SLOTS // min(max(n or MOST_ITEMS, 1), MOST_ITEMS)))
    for first in range(0, max(len(users), 1), size):
        yield users[first : first + size]


def joined(
    placement: str, parts: Sequence[Sequence[BatchUser]], ask: Callable[[Sequence[BatchUser]], BatchAnswer]
) -> BatchAnswer:
    """Ask for each part; one answer, as if one batch had been asked for. Raises the ProblemError of a part."""
    if len(parts) == 1:
        return ask(parts[0])
    whole = BatchAnswer(placement=placement, answered=0, rejected=0, results=[])
    last: ProblemError | None = None
    for part in parts:
        first = len(whole["results"])
        try:
            answer = ask(part)
        except ProblemError as error:
            if not _of_customers(error, part):
                raise
            last, answer = error, _refused(placement, part, error)
        whole["answered"] += answer["answered"]
        whole["rejected"] += answer["rejected"]
        whole["results"] += [_moved(result, by=first) for result in answer["results"]]
    if last is not None and not whole["answered"]:
        raise last
    return whole


def _of_customers(error: ProblemError, part: Sequence[BatchUser]) -> bool:
    """Whether the part was refused for no other reason than that each of its customers is named wrongly."""
    named = [flaw for flaw in error.errors if flaw.pointer.startswith(PLACE)]
    return error.status == 400 and len(named) == len(error.errors) == len(part)


def _refused(placement: str, part: Sequence[BatchUser], error: ProblemError) -> BatchAnswer:
    results = [
        BatchResult(user_id=None, anonymous_id=None, errors=[{"pointer": flaw.pointer, "message": flaw.message}])
        for flaw in error.errors
    ]
    return BatchAnswer(placement=placement, answered=0, rejected=len(part), results=results)


def _moved(result: BatchResult, *, by: int) -> BatchResult:
    """The result with pointers into the whole job."""
    if by and "errors" in result:
        result["errors"] = [_further(flaw, by) for flaw in result["errors"]]
    return result


def _further(flaw: ProblemDetail, by: int) -> ProblemDetail:
    place, *rest = flaw["pointer"].removeprefix(PLACE).split("/")
    return {"pointer": PLACE + "/".join([str(int(place) + by), *rest]), "message": flaw["message"]}
