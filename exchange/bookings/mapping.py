"""The map of what a search finds, and beside it the list of the places.

It has an address of its own, so that the list, which most people want and which says everything, costs nothing more.
The server draws a picture that is whole without a script: the outline, a point for each place, and from each point a
link to the place in the list. Where scripts run, and once the map is in view, Leaflet takes the picture's place, to
move in it and to tell apart what it had to merge (``static/map.js``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import current_app, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from exchange.bookings import geography
from exchange.bookings.forms import SearchForm
from exchange.bookings.geography import Frame, Position
from exchange.bookings.repeating import bookings
from exchange.bookings.searching import same_search, search
from exchange.bookings.views import ask_url
from exchange.catalogue.queries import ResourceView
from exchange.db import db
from exchange.headers import with_tiles
from exchange.members import queries as members
from exchange.members.queries import PartyView

__all__ = ["bookings"]  # with these pages beside those of ``views``

SHOWN = 500  # results on one map


class Stop(NamedTuple):
    """A place on the map, under the number that it has there, with what was found in it."""

    number: int
    position: Position
    resources: list[ResourceView]

    @property
    def of(self) -> ResourceView:
        """What tells the place's name and address."""
        return self.resources[0]


class Drawn(NamedTuple):
    """A point of the picture: how far from its left and its top (per cent), and the places that it stands for."""

    left: float
    top: float
    stops: list[Stop]


class Map(NamedTuple):
    """What a picture shows of what was found, and what it doesn't.

    ``adrift`` has no known position, or one outside of the picture; what people lend (``at_home``) isn't placed. The
    path is the outline's; without a frame there is no picture.
    """

    frame: Frame | None
    path: str
    points: list[Drawn]
    adrift: list[ResourceView]
    at_home: list[ResourceView]

    @property
    def stops(self) -> list[Stop]:
        """The places in the order of their numbers."""
        return [stop for point in self.points for stop in point.stops]


@bookings.get("/salles/carte")
def on_map() -> Answer:
    """Where the things are that a search finds. A search that makes no sense is mended on the page of the list."""
    form, session = SearchForm(request.args), db.session()
    valid = not request.args or form.validate()
    found = search(form, shown=SHOWN) if valid else None
    if found is None or form.errors:
        return redirect(same_search("bookings.search"), 303)
    page = render_template(
        "bookings/map.html", form=form, found=found, url=ask_url(form, found),
        map=_drawn(found.free, found.lenders, members.outline(session)), in_list=same_search("bookings.search"),
        tiles=current_app.config.get("TILES_URL"), credit=current_app.config.get("TILES_CREDIT"),
    )  # fmt: skip
    return with_tiles(make_response(page))


def _drawn(found: list[ResourceView], lenders: dict[int, PartyView], outline: dict[str, Any] | None) -> Map:
    """A picture of the territory; of the places alone where its outline isn't known."""
    public = [it for it in found if lenders[it.lender_id].kind in geography.ON_MAPS]
    at_home = [it for it in found if lenders[it.lender_id].kind not in geography.ON_MAPS]
    places = _places(public)
    rings = geography.rings_of(outline)
    framed = [at for ring in rings for at in ring] or [_position(here[0]) for here in places]
    if not framed:
        return Map(None, "", [], public, at_home)
    frame = geography.frame_of(framed)
    points = _points([here for here in places if frame.shows(_position(here[0]))], frame)
    shown = {it.id for point in points for stop in point.stops for it in stop.resources}
    adrift = [it for it in public if it.id not in shown]
    return Map(frame, geography.path_of(rings, frame), points, adrift, at_home)


def _places(found: list[ResourceView]) -> list[list[ResourceView]]:
    """What stands in each place whose position is known, in the order of the search."""
    places: dict[int, list[ResourceView]] = {}
    for it in found:
        if it.place_id is not None and it.latitude is not None and it.longitude is not None:
            places.setdefault(it.place_id, []).append(it)
    return list(places.values())


def _position(it: ResourceView) -> Position:
    assert it.latitude is not None
    assert it.longitude is not None
    return Position(it.latitude, it.longitude)


def _points(places: list[list[ResourceView]], frame: Frame) -> list[Drawn]:
    """Places as they are drawn, numbered so that those of one point follow each other."""
    points = geography.merged([frame.spot(_position(here[0])) for here in places])
    numbers = {index: number for number, index in enumerate(geography.in_order(points), 1)}
    return [
        Drawn(
            100 * point.x / geography.SIDE, 100 * point.y / geography.SIDE,
            [Stop(numbers[index], _position(places[index][0]), places[index]) for index in point.of],
        )
        for point in points
    ]  # fmt: skip
