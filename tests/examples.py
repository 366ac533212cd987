"""What Hypothesis tells of: few emails and few phone numbers, so that they meet."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EMAILS = st.sampled_from([f"{name}@hillvalley.edu" for name in "abcde"])
PHONES = st.sampled_from([f"55{number}" for number in range(5)])
CALLS = st.one_of(
    st.tuples(EMAILS, PHONES),
    st.tuples(EMAILS, st.none()),
    st.tuples(st.none(), PHONES),
)

Row = tuple[str | None, str | None, str | None, str]
"""A row of a file: an email, two phone numbers, and a date or nothing."""
MOMENTS = st.sampled_from(["", *(f"20{year}-01-01T00:00:00+00:00" for year in range(10, 20))])
ROWS = st.lists(
    st.one_of(
        st.tuples(EMAILS, PHONES, PHONES, st.just("")),
        st.tuples(EMAILS, PHONES, st.none(), st.just("")),
        st.tuples(EMAILS, st.none(), st.none(), st.just("")),
        st.tuples(st.none(), PHONES, st.none(), st.just("")),
    ),
    max_size=12,
)
DATED = st.lists(
    st.one_of(
        st.tuples(EMAILS, PHONES, st.none(), MOMENTS),
        st.tuples(EMAILS, st.none(), st.none(), MOMENTS),
        st.tuples(st.none(), PHONES, st.none(), MOMENTS),
    ),
    max_size=10,
)
BATCHES = st.sampled_from([1, 2, 3, 7, 1000])
FEWER_ON_POSTGRESQL = 3
"""What decides is the same there, and each statement a journey."""
INTERPLAY = settings(max_examples=60, suppress_health_check=list(HealthCheck))
"""For tests whose every example is many statements."""


def many(backend: str, count: int) -> int:
    """Return how many examples to try on a kind of database."""
    return count if backend == "sqlite" else count // FEWER_ON_POSTGRESQL
