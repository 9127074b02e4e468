"""What looks like chance is the same for one name and for many."""

from hypothesis import given
from hypothesis import strategies as st

from exports.chance import cluster_share
from exports.chances import shares


@given(st.integers(0, 2**32), st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_many_fall_where_each_falls(seed: int, names: list[str]) -> None:
    each = [cluster_share(seed, "val", name) for name in names]
    assert shares(seed, "val", names).tolist() == each
    assert all(0 <= share <= 1 for share in each)
