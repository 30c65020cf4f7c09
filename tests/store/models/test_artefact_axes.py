"""Whether people are in an array is said of every name; one of which nobody said it is not saved."""

import numpy as np
import pytest

from recommendations.engine.recommenders.registry import EVERY
from recommendations.models import Artefact, ModelVersion
from recommendations.store.models.artefact_axes import Leads, PeopleAxis, UndescribedArrayError, layout_of
from recommendations.store.models.artefacts import load_arrays, save_arrays
from recommendations.store.models.remaining_rows import RemainingRows
from recommendations.terms import Cut


@pytest.mark.parametrize(
    ("name", "counted", "leads"),
    [
        ("ids/users", PeopleAxis.USERS, Leads.CUSTOMER_KEYS),
        ("ids/items", None, None),
        ("interactions/user", PeopleAxis.ACTS, Leads.USER_ROWS),
        ("interactions/age", PeopleAxis.ACTS, None),
        ("links/follows/indices", PeopleAxis.FOLLOWERS, Leads.USER_ROWS),
        ("truth/home/shape", PeopleAxis.USERS, None),
        ("catalogue/terms/data", None, None),
        ("candidates/users", PeopleAxis.ASKED, Leads.USER_ROWS),
        ("candidates/discover/own", PeopleAxis.RECORDS, None),
        ("candidates/discover/instances", None, None),
        ("second_stage/home/lesson/values", PeopleAxis.LESSONS, None),
        ("evaluation/home/live_configuration", PeopleAxis.TRUTH, None),
        ("visits/joined/home/z", PeopleAxis.VISITS, None),
        ("cleaning/bursts", PeopleAxis.BURSTS, Leads.CUSTOMER_KEYS),
        ("promotion/lift", None, None),
    ],
)
def test_an_array_is_known_by_its_name(name: str, counted: PeopleAxis | None, leads: Leads | None) -> None:
    layout = layout_of(name)

    assert (layout.counted, layout.leads) == (counted, leads)


@pytest.mark.parametrize(
    "name",
    [
        "households",
        "ids/visitors",
        "candidates/home",
        "truth/home",
        "links/follows",
        "recommenders/planted/base_",
        "a/b/c",
    ],
)
def test_a_name_that_nobody_describes_is_refused(name: str) -> None:
    with pytest.raises(UndescribedArrayError, match=rf"^Array {name} is not described.*artefact_axes\.py"):
        layout_of(name)


def test_what_recommenders_learn_is_described_by_their_classes() -> None:
    for instance in EVERY:
        assert layout_of(f"recommenders/{instance.name}/anything_.indptr").counted is None


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_an_array_that_nobody_describes_is_not_saved_nor_any_beside_it() -> None:
    version = ModelVersion.objects.live().get()
    before = set(Artefact.objects.values_list("pk", flat=True))

    with pytest.raises(UndescribedArrayError, match="households"):
        save_arrays(version, Cut.LIVE, {"cut": np.zeros(1), "households": np.arange(60)})

    assert set(Artefact.objects.values_list("pk", flat=True)) == before


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_arrays_of_a_run_are_as_long_as_their_layouts_say() -> None:
    """Of those that are said to be of nobody none is as long as what counts people, but where items are as many."""
    version = ModelVersion.objects.live().get()
    for cut in Cut:
        arrays = load_arrays(version.pk, cut)
        rows = RemainingRows(arrays, arrays["ids/users"][:0])
        n_users, n_items = len(rows.users), len(arrays["ids/items"])
        of_people = {n_users, n_users + 1, len(arrays["interactions/user"])} - {n_items, n_items + 1}
        for name, array in arrays.items():
            layout = layout_of(name)
            if layout.is_matrix or name.startswith("recommenders/"):
                continue
            if layout.counted is None:
                assert not array.ndim or len(array) not in of_people, name
            else:
                assert len(rows.of(layout.counted, name)) == len(array), name
