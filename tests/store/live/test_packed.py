"""A live state that PostgreSQL told is stored as Valkey tells one, and read again without loss."""

from hypothesis import given
from hypothesis import strategies as st

from recommendations.event_types import EventName
from recommendations.store.live.fetch import packed, unpacked
from recommendations.store.live.state import INTEREST, Act, Liking, LikingKind, LiveState, Showing

KEYS = st.integers(1, 2**62)
TIMES = st.floats(0, 4e9, allow_nan=False)
ACTS = st.builds(Act, KEYS, st.sampled_from([EventName(name) for name in INTEREST]), TIMES)
SHOWINGS = st.builds(Showing, KEYS, st.integers(1, 100), st.text("0123456789abcdef-r", max_size=8), TIMES)
LIKINGS = st.builds(Liking, st.sampled_from(LikingKind), st.text(min_size=1, max_size=8), st.booleans(), TIMES)
STATES = st.builds(
    LiveState,
    bought=st.dictionaries(KEYS, TIMES, max_size=5),
    refunded=st.dictionaries(KEYS, TIMES, max_size=5),
    disliked=st.dictionaries(KEYS, TIMES, max_size=5),
    recent=st.lists(ACTS, max_size=5, unique_by=lambda act: act[:2]).map(
        lambda acts: tuple(sorted(acts, key=lambda act: -act.at))
    ),
    shown=st.lists(SHOWINGS, max_size=5, unique_by=lambda each: each[:3]).map(tuple),
    liked=st.lists(LIKINGS, max_size=5, unique=True).map(tuple),
    objected=st.sampled_from([None, True, False]),
)


@given(STATES)
def test_a_packed_state_is_read_as_it_was(state: LiveState) -> None:
    assert unpacked(packed(state)) == state
