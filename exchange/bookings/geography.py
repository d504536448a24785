"""Where things stand on the picture of a territory: geometry alone, in degrees (WGS 84) and in units of the picture.

The picture is a square of SIDE units. Degrees of longitude are shortened by the cosine of the latitude: enough for a
town, where the earth is flat. What is written and touched on it keeps its size in pixels on every screen, so that the
narrowest screen says what has room beside what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import cos, hypot, radians
from typing import Any, NamedTuple

SIDE = 1000.0
MARGIN = 80.0  # around what is framed
NARROWEST = 280  # pixels of the picture on the narrowest screen
HEIGHT = 40 * SIDE / NARROWEST  # of every point: the width of a finger
ALONE, SEVERAL = HEIGHT, 92 * SIDE / NARROWEST  # widths of a number, and of "12 lieux"
METRES = 111_195  # in a degree of latitude
LEAST = 0.01  # degrees of latitude that a picture shows at least: a kilometre

ON_MAPS = frozenset({"organisation", "community"})
"""The kinds of parties whose places are shown where they are. A person's never: it is where somebody lives."""


class Position(NamedTuple):
    """A point of the earth, in degrees."""

    latitude: float
    longitude: float


def metres(one: Position, other: Position) -> float:
    """How far apart two positions are, as the crow flies; exact enough within a town."""
    north = one.latitude - other.latitude
    east = (one.longitude - other.longitude) * cos(radians((one.latitude + other.latitude) / 2))
    return hypot(north, east) * METRES


class Frame(NamedTuple):
    """What of the earth a picture shows: its middle, and units of the picture for one degree of latitude."""

    latitude: float
    longitude: float
    scale: float

    @property
    def shortening(self) -> float:
        """A degree of longitude, in degrees of latitude."""
        return cos(radians(self.latitude))

    def spot(self, at: Position) -> tuple[float, float]:
        """Where a position is on the picture: units from its left, and from its top."""
        across = (at.longitude - self.longitude) * self.shortening
        return SIDE / 2 + across * self.scale, SIDE / 2 + (self.latitude - at.latitude) * self.scale

    def shows(self, at: Position) -> bool:
        """Whether there is room on the picture for a point at a position."""
        return all(ALONE / 2 <= each <= SIDE - ALONE / 2 for each in self.spot(at))


def frame_of(positions: Iterable[Position]) -> Frame:
    """The smallest picture of all these positions, with its margin; of LEAST at least. Takes one position at least."""
    latitudes, longitudes = zip(*positions, strict=True)
    middle = Position((min(latitudes) + max(latitudes)) / 2, (min(longitudes) + max(longitudes)) / 2)
    wide = (max(longitudes) - min(longitudes)) * cos(radians(middle.latitude))
    across = max(wide, max(latitudes) - min(latitudes), LEAST)
    return Frame(*middle, (SIDE - 2 * MARGIN) / across)


def rings_of(outline: dict[str, Any] | None) -> list[list[Position]]:
    """Every ring of an outline, a MultiPolygon of GeoJSON."""
    polygons = outline["coordinates"] if outline else ()
    return [[Position(at[1], at[0]) for at in ring] for polygon in polygons for ring in polygon]


def path_of(rings: Iterable[Sequence[Position]], frame: Frame) -> str:
    """The outline as SVG draws it, closed ring after closed ring: "M1,2 3,4 5,6Z"."""
    return "".join(f"M{' '.join(_written(frame.spot(at)) for at in ring[:-1])}Z" for ring in rings)


def _written(spot: tuple[float, float]) -> str:
    return ",".join(f"{each:.1f}".removesuffix(".0") for each in spot)


class Point(NamedTuple):
    """What is drawn at one spot of a picture, for those of these numbers."""

    x: float
    y: float
    of: tuple[int, ...]

    @property
    def width(self) -> float:
        """How much of the picture its words take."""
        return SEVERAL if len(self.of) > 1 else ALONE


def merged(spots: Sequence[tuple[float, float]]) -> list[Point]:
    """A point for each spot, or for several which a finger couldn't tell apart, in the order of the first of each.

    A point stays where it began while others join it, else a street would draw in a whole town; once all have joined it
    stands in the middle of them, where nothing is in its way.
    """
    points: list[Point] = []
    for number in range(len(spots)):
        new = _point((number,), spots[number])
        while near := next((point for point in points if _touch(point, new)), None):
            points.remove(near)
            new = _point(near.of + new.of, spots[near.of[0]])
        points.append(new)
    points.sort(key=lambda point: point.of[0])
    for index, point in enumerate(points):
        middle = _point(point.of, _middle(point.of, spots))
        if not any(_touch(middle, other) for other in points if other is not point):
            points[index] = middle
    return points


def _point(of: tuple[int, ...], at: tuple[float, float]) -> Point:
    """A point for these, whole inside the picture."""
    point = Point(*at, of)
    return Point(_inside(at[0], point.width), _inside(at[1], HEIGHT), of)


def _middle(of: tuple[int, ...], spots: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(spots[number][0] for number in of) / len(of), sum(spots[number][1] for number in of) / len(of)


def _inside(at: float, size: float) -> float:
    return min(max(at, size / 2), SIDE - size / 2)


def _touch(one: Point, other: Point) -> bool:
    return abs(one.x - other.x) < (one.width + other.width) / 2 and abs(one.y - other.y) < HEIGHT


def in_order(points: Sequence[Point]) -> Iterator[int]:
    """What points stand for, those of each after the other: so are they numbered."""
    for point in points:
        yield from point.of
