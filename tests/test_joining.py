"""Groups of what is joined, against another's."""

import networkx
from hypothesis import given
from hypothesis import strategies as some

from identity.joining import Groups

THINGS = some.integers(0, 12)


@given(some.lists(THINGS), some.lists(some.lists(THINGS)))
def test_what_is_joined_is_one_group(alone: list[int], joined: list[list[int]]) -> None:
    groups, graph = Groups(alone), networkx.Graph()
    graph.add_nodes_from(alone)

    for things in joined:
        groups.join(*things)
        networkx.add_path(graph, things)

    parts = {frozenset(part) for part in networkx.connected_components(graph)}
    assert set(map(frozenset, groups.all())) == parts
    assert all(len({groups.of(each) for each in part}) == 1 for part in parts)
    assert len({groups.of(each) for part in parts for each in part}) == len(parts)
