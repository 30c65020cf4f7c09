"""Faults of releases: what is put in place of what, and the tests that have to see it."""

from bench.mutations.faults import PlantedFault

SERVICES, TESTS = "recommendations/services/releases", "tests/services/releases"
MAKING, LEDGER = f"{TESTS}/test_making.py", f"{TESTS}/test_ledger.py"

RELEASE_FAULTS = (
    PlantedFault(
        name="noise redrawn where a worker comes again",
        file=f"{SERVICES}/making.py",
        old="if release.drawn_at is not None:",
        new="if release.drawn_at is not None and release.rows is None:",
        tests=[f"{MAKING}::test_the_same_release_is_never_drawn_again"],
    ),
    PlantedFault(
        name="noise redrawn where the same is asked for again",
        file=f"{SERVICES}/asking.py",
        old='"last_day": ask.last_day, "epsilon": ask.epsilon}',
        new='"last_day": ask.last_day, "epsilon": ask.epsilon, "status": "queued"}',
        tests=[f"{MAKING}::test_the_same_release_is_never_drawn_again"],
    ),
    PlantedFault(
        name="a person counts beyond the bound",
        file="recommendations/engine/privacy/bounds.py",
        old="return once[place < bound, 0], once[place < bound, 1]",
        new="return once[:, 0], once[:, 1]",
        tests=["tests/engine/privacy/test_bounds.py"],
    ),
    PlantedFault(
        name="the largest values of a person count, not those drawn",
        file="recommendations/engine/privacy/bounds.py",
        old="once = once[np.lexsort((rng.random(len(once)), once[:, 0]))]",
        new="once = once[np.lexsort((once[:, 1], once[:, 0]))]",
        tests=["tests/engine/privacy/test_bounds.py::test_values_are_drawn_evenly_however_often_they_were_bought"],
    ),
    PlantedFault(
        name="two workers look at the ledger at once",
        file=f"{SERVICES}/ledger.py",
        old="    require_budget(release.epsilon, now=now)\n    BudgetLine",
        new="    BudgetLine",
        tests=[f"{LEDGER}::test_two_workers_that_spend_the_last_of_it_at_once_make_one_release"],
    ),
    PlantedFault(
        name="what is refused is not spent",
        file=f"{SERVICES}/making.py",
        old="    spend(release, now=now)\n",
        new='    if _outcome(release, values, noisy)["enough"]:\n        spend(release, now=now)\n',
        tests=[f"{MAKING}::test_what_would_be_noise_is_refused_and_spent"],
    ),
    PlantedFault(
        name="noise is told",
        file=f"{SERVICES}/making.py",
        old="enough = share >= LEAST_SHARE and bool(rows)",
        new="enough = bool(rows)",
        tests=[f"{MAKING}::test_what_would_be_noise_is_refused_and_spent"],
    ),
    PlantedFault(
        name="who objects is counted",
        file="recommendations/store/releases/acts.py",
        old=" AND customer.personalise AND customer.measure",
        new="",
        tests=[f"{MAKING}::test_a_merged_visitor_is_the_customer_and_who_objects_is_nobody"],
    ),
)
