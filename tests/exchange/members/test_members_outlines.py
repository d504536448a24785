"""The outline of a territory, from the file that somebody has to what maps draw."""

from __future__ import annotations

import json
from itertools import pairwise
from math import cos, pi, sin
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import OutlineWrong
from exchange.members import outlines
from exchange.members.outlines import MOST, Ring, outline_of, simplified

SQUARE: list[Any] = [[-2.1, 47.6], [-2.0, 47.6], [-2.0, 47.7], [-2.1, 47.7], [-2.1, 47.6]]
HOLE: list[Any] = [[-2.06, 47.64], [-2.04, 47.64], [-2.04, 47.66], [-2.06, 47.64]]
POLYGON = {"type": "Polygon", "coordinates": [SQUARE, HOLE]}
FEATURE = {"type": "Feature", "properties": {"nom": "Redon"}, "geometry": POLYGON}
DRAWN = {"type": "MultiPolygon", "coordinates": [[[tuple(at) for at in SQUARE], [tuple(at) for at in HOLE]]]}


def file(told: Any) -> bytes:
    return json.dumps(told).encode()


@pytest.mark.parametrize("told", [
    POLYGON, FEATURE, {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE]]},
    {"type": "FeatureCollection", "features": [FEATURE]},
    {**FEATURE, "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}},
    {**POLYGON, "coordinates": [[[*at, 12.5] for at in SQUARE], HOLE]},  # with an altitude
])  # fmt: skip
def test_every_way_of_writing_an_outline_gives_its_geometry_alone(told: Any) -> None:
    assert outline_of(file(told)) == DRAWN


def test_several_features_are_one_outline() -> None:
    told = {"type": "FeatureCollection", "features": [FEATURE, FEATURE]}
    assert len(outline_of(file(told))["coordinates"]) == 2


def ringed(*ring: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [SQUARE, [*ring]]}}


@pytest.mark.parametrize(("told", "why", "where"), [
    (b'{"type": "Polygon",\n "coordinates": [', "not-json", "2:18"),
    (b"\xff\xfe\xff", "not-json", ""), (b"[" * 100_000, "not-json", ""),
    (b'{"type": "Polygon", "coordinates": [[[NaN, 1]]]}', "not-json", ""),
    (b" " * (outlines.LARGEST + 1), "too-big", ""),
    (file([]), "no-polygon", ""), (file({"type": "Point", "coordinates": [1, 2]}), "no-polygon", ""),
    (file({"type": "Polygon"}), "no-polygon", "coordinates"),
    (file({"type": "Polygon", "coordinates": []}), "no-polygon", "coordinates"),
    (file({"type": "Polygon", "coordinates": [3]}), "no-polygon", "coordinates[0]"),
    (file({"type": "FeatureCollection", "features": []}), "no-polygon", "features"),
    (file({"type": "FeatureCollection", "features": [FEATURE, {"type": "Feature", "geometry": None}]}), "no-polygon",
     "features[1].geometry"),
    (file({**FEATURE, "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}}), "other-system",
     "crs"),
    (file({**FEATURE, "crs": None}), "other-system", "crs"),
    (file(ringed(*SQUARE[:2], [355_000.1, 6_700_000.2], *SQUARE[3:])), "out-of-bounds",
     "geometry.coordinates[1][2]"),
    (file(ringed([-2, 91], *SQUARE[1:])), "out-of-bounds", "geometry.coordinates[1][0]"),
    (file(ringed(["-2", 47], *SQUARE[1:])), "not-a-position", "geometry.coordinates[1][0]"),
    (file(ringed([True, 47], *SQUARE[1:])), "not-a-position", "geometry.coordinates[1][0]"),
    (file(ringed([-2], *SQUARE[1:])), "not-a-position", "geometry.coordinates[1][0]"),
    (b'{"type": "Polygon", "coordinates": [[[1e999, 1]]]}', "not-a-position", "coordinates[0][0]"),
    (b'{"type": "Polygon", "coordinates": [[[' + b"9" * 400 + b', 1]]]}', "out-of-bounds", "coordinates[0][0]"),
    (file(ringed(*SQUARE[:4])), "not-closed", "geometry.coordinates[1]"),
    (file(ringed(*SQUARE[:2], SQUARE[0])), "too-short", "geometry.coordinates[1]"),
    (file(ringed(*SQUARE[:1] * 5)), "too-short", "geometry.coordinates[1]"),
])  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(told: bytes, why: str, where: str) -> None:
    with pytest.raises(OutlineWrong) as refused:
        outline_of(told)
    assert refused.value.facts == {"why": why, "where": where}


def coast(positions: int, *, rough: float = 0.0) -> Ring:
    """A territory of ten kilometres, its bays, and its rocks."""
    turns = [2 * pi * n / positions for n in range(positions)]
    ring = [
        (-2 + (0.06 + 0.01 * sin(9 * at) + rough * (n % 2)) * cos(at), 47.7 + (0.04 + rough * (n % 3)) * sin(at))
        for n, at in enumerate(turns)
    ]
    return [*ring, ring[0]]


def test_a_long_coast_keeps_its_shape_with_few_positions() -> None:
    ring = coast(20_000, rough=0.00002)
    [[drawn]] = simplified([[ring]])
    assert MOST - 10 < len(drawn) <= MOST
    assert drawn[0] == drawn[-1]
    for bound in (min, max):
        assert bound(drawn)[0] == pytest.approx(bound(ring)[0], abs=0.0005)
    gaps = [outlines._distance(at, *nearest(at, drawn)) for at in ring[::50]]
    assert max(gaps) < 0.0005, "nowhere farther than fifty metres from what it was"


def nearest(at: tuple[float, float], ring: Ring) -> tuple[tuple[float, float], tuple[float, float]]:
    return min(pairwise(ring), key=lambda stretch: outlines._distance(at, *stretch))


def test_what_goes_first_is_what_stands_out_least() -> None:
    dent = [(-2.1, 47.6), (-2.05, 47.6001), (-2.0, 47.6), (-2.0, 47.7), (-2.05, 47.72), (-2.1, 47.7), (-2.1, 47.6)]
    [[drawn]] = simplified([[dent]], most=6)
    assert set(dent) - set(drawn) == {(-2.05, 47.6001)}


def test_of_an_archipelago_the_islands_are_drawn_and_the_rocks_are_not() -> None:
    rocks = [[[(0.01 * n + x * 1e-4, 47 + y * 1e-4) for x, y in ((0, 0), (1, 0), (1, 1), (0, 0))]] for n in range(2000)]
    drawn = simplified([*rocks, [coast(3000)]])
    assert sum(len(ring) for polygon in drawn for ring in polygon) <= MOST
    assert max(len(polygon[0]) for polygon in drawn) > MOST / 2


positions = st.tuples(st.floats(-5, 5), st.floats(42, 51))


@given(st.lists(st.lists(positions, min_size=3, max_size=40, unique=True), min_size=1, max_size=6), st.integers(30, 80))
def test_whatever_is_drawn_is_closed_and_no_longer_than_asked(rings: list[Ring], most: int) -> None:
    drawn = simplified([[[*ring, ring[0]]] for ring in rings], most=most)
    assert sum(len(ring) for polygon in drawn for ring in polygon) <= most
    for polygon in drawn:
        for ring in polygon:
            assert ring[0] == ring[-1]
            assert len(set(ring)) >= 3
            assert all(-5 <= longitude <= 5 and 42 <= latitude <= 51 for longitude, latitude in ring)
