"""Where things stand on a picture, whatever they are."""

from __future__ import annotations

from itertools import combinations

from hypothesis import assume, given
from hypothesis import strategies as st

from exchange.bookings.geography import (
    ALONE,
    HEIGHT,
    MARGIN,
    SIDE,
    Position,
    frame_of,
    in_order,
    merged,
    path_of,
    rings_of,
)

REDON = Position(47.65, -2.08)
near_redon = st.builds(Position, st.floats(47.6, 47.7), st.floats(-2.2, -2.0))
anywhere = st.builds(Position, st.floats(-70, 70), st.floats(-179, 179))
spots = st.lists(st.tuples(st.floats(0, SIDE), st.floats(0, SIDE)), max_size=60)


@given(st.lists(anywhere, min_size=1, max_size=30))
def test_what_is_framed_stays_inside_the_picture_with_its_margin(positions: list[Position]) -> None:
    frame = frame_of(positions)
    for at in positions:
        assert all(MARGIN - 0.01 <= each <= SIDE - MARGIN + 0.01 for each in frame.spot(at))
        assert frame.shows(at)


@given(st.lists(near_redon, min_size=2, max_size=30), near_redon, st.floats(0.001, 0.01))
def test_a_kilometre_is_as_long_eastwards_as_northwards(framed: list[Position], at: Position, step: float) -> None:
    frame = frame_of(framed)
    x, y = frame.spot(at)
    east, _y = frame.spot(Position(at.latitude, at.longitude + step / frame.shortening))
    _x, north = frame.spot(Position(at.latitude + step, at.longitude))
    assert abs((east - x) - (y - north)) < 1e-6 * SIDE
    assert east > x
    assert north < y


def test_one_place_is_framed_with_what_is_around_it() -> None:
    frame = frame_of([REDON])
    assert frame.spot(REDON) == (SIDE / 2, SIDE / 2)
    assert frame.shows(Position(47.654, -2.08)), "four hundred metres from there"
    assert not frame.shows(Position(47.7, -2.08)), "five kilometres from there"


@given(spots)
def test_points_never_lie_on_each_other_and_none_is_lost(found: list[tuple[float, float]]) -> None:
    points = merged(found)
    assert sorted(in_order(points)) == list(range(len(found)))
    assert [point.of[0] for point in points] == sorted(point.of[0] for point in points), "in the order of the search"
    for one, other in combinations(points, 2):
        beside = abs(one.x - other.x) >= (one.width + other.width) / 2 - 1e-6
        assert beside or abs(one.y - other.y) >= HEIGHT - 1e-6
    for point in points:
        assert point.width / 2 <= point.x <= SIDE - point.width / 2
        assert HEIGHT / 2 <= point.y <= SIDE - HEIGHT / 2


@given(st.tuples(st.floats(ALONE, SIDE - ALONE), st.floats(ALONE, SIDE - ALONE)), spots)
def test_a_point_alone_stands_where_its_place_is(spot: tuple[float, float], others: list[tuple[float, float]]) -> None:
    assume(all(abs(spot[0] - x) > SIDE / 2 or abs(spot[1] - y) > SIDE / 2 for x, y in others))
    mine = next(point for point in merged([spot, *others]) if 0 in point.of)
    assume(mine.of == (0,))
    assert (mine.x, mine.y) == spot


def test_two_that_a_finger_covers_are_one_point_and_two_apart_are_two() -> None:
    assert [point.of for point in merged([(500, 500), (505, 505)])] == [(0, 1)]
    assert [point.of for point in merged([(500, 500), (500 + ALONE + 1, 500)])] == [(0,), (1,)]


def test_an_outline_is_written_ring_after_ring() -> None:
    ring = [[-2.1, 47.6], [-2.0, 47.6], [-2.0, 47.7], [-2.1, 47.6]]
    rings = rings_of({"type": "MultiPolygon", "coordinates": [[ring, ring]]})
    frame = frame_of([at for each in rings for at in each])
    path = path_of(rings, frame)
    assert path.count("M") == path.count("Z") == 2
    assert path.startswith("M")
    assert path.split("Z")[0].count(" ") == 2, "the last position is the first"
    assert rings_of(None) == []
