"""The outline of a territory: read from a file of GeoJSON (RFC 7946), checked, and drawn with fewer positions.

A position is [longitude, latitude] in degrees of WGS 84; a ring is a list of them whose last is its first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import groupby
from math import cos, hypot, inf, isfinite, radians
from typing import Any

from exchange.errors import OutlineWrong

LARGEST = 5 * 1024 * 1024  # bytes of a file
MOST = 1500  # positions that are kept: more than a picture shows, few enough to be sent each time
MOST_RINGS = 100  # the largest ones: the islets of an archipelago aren't seen
DECIMALS = 5  # of a degree: a metre
WGS84 = re.compile(r"(urn:ogc:def:crs:)?(OGC:1\.3:CRS84|OGC::CRS84|EPSG:(.*:)?4326)", re.IGNORECASE)

Position = tuple[float, float]
Ring = list[Position]
Polygon = list[Ring]


def outline_of(data: bytes) -> dict[str, Any]:
    """What a file draws, as a MultiPolygon of at most MOST positions and nothing else.

    Raises OutlineWrong, which says why and where.
    """
    return {"type": "MultiPolygon", "coordinates": simplified(read(data))}


def read(data: bytes) -> list[Polygon]:
    """The polygons of a Polygon, a MultiPolygon, a Feature or a FeatureCollection of these. Raises OutlineWrong."""
    if len(data) > LARGEST:
        raise OutlineWrong(why="too-big", where="")
    try:
        told = json.loads(data, parse_constant=_no_number)
    except json.JSONDecodeError as wrong:
        raise OutlineWrong(why="not-json", where=f"{wrong.lineno}:{wrong.colno}") from wrong
    except (ValueError, RecursionError) as wrong:  # letters that are none, figures without end, brackets in brackets
        raise OutlineWrong(why="not-json", where="") from wrong
    found = list(_polygons(told, ""))
    if not found:
        raise OutlineWrong(why="no-polygon", where="features")
    return found


def _no_number(word: str) -> float:
    raise ValueError(word)


def _polygons(told: Any, at: str) -> Iterator[Polygon]:
    kind = told.get("type") if isinstance(told, dict) else None
    if kind is not None:
        _check_system(told, at)
    if kind == "FeatureCollection":
        for number, feature in enumerate(_list(told, "features", at)):
            yield from _polygons(feature, f"{_inside(at, 'features')}[{number}]")
    elif kind == "Feature":
        yield from _polygons(told.get("geometry"), _inside(at, "geometry"))
    elif kind == "Polygon":
        yield _polygon(_list(told, "coordinates", at), _inside(at, "coordinates"))
    elif kind == "MultiPolygon":
        for number, each in enumerate(_list(told, "coordinates", at)):
            yield _polygon(each, f"{_inside(at, 'coordinates')}[{number}]")
    else:
        raise OutlineWrong(why="no-polygon", where=at)


def _inside(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _list(told: dict[str, Any], name: str, at: str) -> list[Any]:
    found = told.get(name)
    if not isinstance(found, list):
        raise OutlineWrong(why="no-polygon", where=_inside(at, name))
    return found


def _check_system(told: dict[str, Any], at: str) -> None:
    """Files of before RFC 7946 may name another system of coordinates."""
    if "crs" not in told:
        return
    properties = told["crs"].get("properties") if isinstance(told["crs"], dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or not WGS84.fullmatch(name):
        raise OutlineWrong(why="other-system", where=_inside(at, "crs"))


def _polygon(told: Any, at: str) -> Polygon:
    if not isinstance(told, list) or not told:
        raise OutlineWrong(why="no-polygon", where=at)
    return [_ring(each, f"{at}[{number}]") for number, each in enumerate(told)]


def _ring(told: Any, at: str) -> Ring:
    if not isinstance(told, list):
        raise OutlineWrong(why="no-polygon", where=at)
    ring = [_position(each, f"{at}[{number}]") for number, each in enumerate(told)]
    if len(ring) < 4 or len(set(ring)) < 3:
        raise OutlineWrong(why="too-short", where=at)
    if ring[0] != ring[-1]:
        raise OutlineWrong(why="not-closed", where=at)
    return ring


def _position(told: Any, at: str) -> Position:
    if not isinstance(told, list) or len(told) < 2 or not all(_is_number(each) for each in told[:2]):
        raise OutlineWrong(why="not-a-position", where=at)
    longitude, latitude = told[0], told[1]
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise OutlineWrong(why="out-of-bounds", where=at)
    return float(longitude), float(latitude)


def _is_number(told: Any) -> bool:
    return isinstance(told, int | float) and not isinstance(told, bool) and (isinstance(told, int) or isfinite(told))


def simplified(polygons: list[Polygon], *, most: int = MOST) -> list[Polygon]:
    """The same outline with at most so many positions: those that matter most to its shape.

    Each position counts for as much as it stands out where Douglas and Peucker's method meets it; those that count
    least go first. A ring of which nothing is left isn't drawn, nor the holes of a polygon that isn't.
    """
    kept = _largest_rings(polygons)
    weights = [[_weights(ring) for ring in polygon] for polygon in kept]
    ranked = sorted(
        ((weight, -p, -r, -n) for p, polygon in enumerate(weights) for r, ring in enumerate(polygon)
         for n, weight in enumerate(ring)), reverse=True,
    )  # fmt: skip
    rings = sum(map(len, kept))
    chosen = {(-p, -r, -n) for _weight, p, r, n in ranked[: most - rings]}  # each ring repeats its first position
    drawn = [
        [_closed([at for n, at in enumerate(ring[:-1]) if (p, r, n) in chosen]) for r, ring in enumerate(polygon)]
        for p, polygon in enumerate(kept)
    ]
    return [[ring for ring in polygon if ring] for polygon in drawn if polygon[0]]


def _largest_rings(polygons: list[Polygon]) -> list[Polygon]:
    """Of more rings than are drawn, those of the largest polygons."""
    kept: list[Polygon] = []
    for polygon in sorted(polygons, key=lambda polygon: -_extent(polygon[0])):
        room = MOST_RINGS - sum(map(len, kept))
        if room <= 0:
            break
        kept.append([polygon[0], *sorted(polygon[1:], key=lambda ring: -_extent(ring))[: room - 1]])
    return kept


def _extent(ring: Ring) -> float:
    longitudes, latitudes = zip(*ring, strict=True)
    return hypot(max(longitudes) - min(longitudes), max(latitudes) - min(latitudes))


def _closed(positions: Ring) -> Ring:
    """These positions as a ring, rounded to a metre; empty when they enclose nothing."""
    rounded = [at for at, _same in groupby((round(lon, DECIMALS), round(lat, DECIMALS)) for lon, lat in positions)]
    return [*rounded, rounded[0]] if len(set(rounded)) >= 3 else []


def _weights(ring: Ring) -> list[float]:
    """How far each position of a ring, but its last, stands out: in degrees of latitude.

    The ring is cut in two at the position that is farthest from its first; never more for a part than for the whole.
    """
    scale = cos(radians(ring[0][1]))
    flat = [(lon * scale, lat) for lon, lat in ring]
    first = flat[0]
    far = max(range(len(flat)), key=lambda n: hypot(flat[n][0] - first[0], flat[n][1] - first[1]))
    weights = [0.0] * len(flat)
    weights[0] = weights[far] = hypot(flat[far][0] - first[0], flat[far][1] - first[1])
    waiting = [(0, far, inf), (far, len(flat) - 1, inf)]
    while waiting:
        start, end, most = waiting.pop()
        if end - start < 2:
            continue
        away, middle = max((_distance(flat[n], flat[start], flat[end]), n) for n in range(start + 1, end))
        weights[middle] = min(away, most)
        waiting += [(start, middle, weights[middle]), (middle, end, weights[middle])]
    return weights[:-1]


def _distance(at: Position, start: Position, end: Position) -> float:
    """How far a position is from the stretch between two others."""
    (x, y), (x0, y0), (dx, dy) = at, start, (end[0] - start[0], end[1] - start[1])
    length = dx * dx + dy * dy
    along = max(0.0, min(1.0, ((x - x0) * dx + (y - y0) * dy) / length)) if length else 0.0
    return hypot(x - x0 - along * dx, y - y0 - along * dy)
