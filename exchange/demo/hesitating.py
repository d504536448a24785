"""The committee hesitates about the hall and a member waits for it; another thing frees, and is held for her."""

from __future__ import annotations

from datetime import datetime, timedelta

from exchange.bookings import operations as bookings
from exchange.bookings import options, wishes
from exchange.bookings.wanted import Request, Wanted, check_free
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries
from exchange.demo.lending import BAR, PARTY_HALL, STAGE
from exchange.demo.people import OPENED, TOWN
from exchange.demo.world import Somebody, World
from ledger.errors import Refused

COMMITTEE, MEMBER, SOUND = "Comité des fêtes de Saint-Marron", "Annaïg Lucas", "Sonorisation portable"
CHAIRS = "Chaises pliantes"


def plan(world: World) -> None:
    """Which rooms are held for ten days, then the acts of yesterday."""
    moment = world.calendar.moment
    world.story.plan(moment(OPENED + 31, 9), _allow, world)
    world.story.plan(moment(-1, 17), _hesitate, world)
    world.story.plan(moment(-1, 17, 30), _wait, world)
    world.story.plan(moment(-1, 19), _free, world)


def _allow(world: World, *, at: datetime) -> None:
    by = world.offices[f"officer of {TOWN}"]
    for name in (PARTY_HALL, STAGE, BAR, CHAIRS, SOUND):
        catalogue.edit(world.session, world.row(name), {"option_days": 10, "option_call_days": 3}, by=by, at=at)
        world.resources[name] = queries.views(world.session, [world.resources[name].id])[world.resources[name].id]


def _wish(world: World, who: Somebody, name: str, weekday: int, hours: tuple[int, int], purpose: str,
          people: int | None, *, at: datetime) -> Request:  # fmt: skip
    """What somebody would like on the first such day, in six weeks or later, on which it is free."""
    calendar = world.calendar
    for week in range(6, 20):
        day = calendar.next(weekday, weeks=week)
        starts, ends = (calendar.on(day, hour) for hour in hours)
        request = Request(who.party, (Wanted(world.resources[name]),), starts, ends, purpose, people)
        try:
            check_free(world.session, request, at=at)
        except Refused:
            continue
        return request
    raise LookupError(name)


def _hesitate(world: World, *, at: datetime) -> None:
    """The committee may give a supper with a concert; the band has not answered."""
    who = world.anybody(COMMITTEE)
    wish = _wish(world, who, PARTY_HALL, 4, (18, 24), "Souper-concert, si le groupe dit oui", 180, at=at)
    options.take(world.session, wish, zone=world.calendar.zone, by=who.by, at=at)
    world.hesitated = wish


def _wait(world: World, *, at: datetime) -> None:
    """A member would have the same evening: the committee has three days to make up its mind."""
    who = world.anybody(MEMBER)
    assert world.hesitated is not None
    wish = world.hesitated._replace(party=who.party, purpose="Bal d’hiver, à l’accordéon", people=120)
    wishes.join(world.session, wish, zone=world.calendar.zone, by=who.by, at=at)


def _free(world: World, *, at: datetime) -> None:
    """The committee needs the sound system no more: it is held for the member, who waited for it."""
    session, zone, first, second = world.session, world.calendar.zone, world.anybody(COMMITTEE), world.anybody(MEMBER)
    wish = _wish(world, first, SOUND, 6, (14, 18), "Après-midi des aînés", None, at=at)
    had = bookings.ask(session, wish, zone=zone, by=first.by, at=at)
    wanted = wish._replace(party=second.party, purpose="Concert des élèves, au Port-Nihan")
    wishes.join(session, wanted, zone=zone, by=second.by, at=at)
    bookings.cancel(session, had.token, parties=[first.party], reason="", by=first.by, at=at + timedelta(minutes=20))
    wishes.give_turns(session, had.lender_id, by=world.system, at=at + timedelta(minutes=21), today=at.date())
