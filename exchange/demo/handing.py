"""What the town's office notes on a telephone: keys, what left, what is back, who asks for more time, how many came."""

from __future__ import annotations

from datetime import datetime, timedelta

from exchange.bookings import damages, extending, inventory
from exchange.bookings import operations as bookings
from exchange.bookings import queries as loans
from exchange.bookings.policy import Back, Handed
from exchange.bookings.queries import BookingView
from exchange.bookings.wanted import Request, Wanted
from exchange.demo.drawings import drawing
from exchange.demo.people import OPENED, TOWN
from exchange.demo.world import World, texts
from exchange.keys import operations as keys
from exchange.pictures.operations import drawn
from ledger.entries import Acting

CHAPEL_FRIENDS, PROJECTOR, TABLES, CARGO = (
    "Les Amis de la chapelle Saint-Marron", "Vidéoprojecteur", "Tables de huit personnes", "Vélo-cargo électrique",
)  # fmt: skip
KEYS = {
    "Badge 1": ["Salle des fêtes entière", "Salle des fêtes, côté scène"],
    "Badge 2": ["Salle des fêtes entière", "Salle des fêtes, côté scène"],
    "Badge 3, côté bar": ["Salle des fêtes, côté bar"], "Clé de la chapelle": ["Chapelle Saint-Marron"],
    "Clé du local technique": [],
}  # fmt: skip


def plan(world: World) -> None:
    """The register of keys, then the acts of yesterday."""
    moment = world.calendar.moment
    world.story.plan(moment(OPENED + 31, 9), _register, world)
    world.story.plan(moment(-1, 16), _lend_projector, world)
    world.story.plan(moment(-1, 18, 10), _tables_back, world)
    world.story.plan(moment(-1, 18, 20), _keep_cargo, world)
    world.story.plan(moment(-1, 18, 15), _damages, world)
    world.story.plan(moment(-1, 18, 30), _count, world)


def _office(world: World) -> Acting:
    return world.offices[f"officer of {TOWN}"]


def _register(world: World, *, at: datetime) -> None:
    """Badges of the hall, the key of the chapel; one badge fell into the lock of the canal."""
    by, lender = _office(world), world.anybody(TOWN).party
    for label, opens in KEYS.items():
        rooms = [world.resources[name].id for name in opens]
        world.keys[label] = keys.add(world.session, lender=lender, label=label, note="", place=None, opens=rooms, by=by,
                                     at=at).token  # fmt: skip
    keys.note_lost(world.session, world.keys["Badge 2"], lender=lender, at=at + timedelta(days=90))


def _lend_projector(world: World, *, at: datetime) -> None:
    """The friends of the chapel take the projector, with a key and a picture of how it left."""
    session, who, it = world.session, world.anybody(CHAPEL_FRIENDS), world.resources[PROJECTOR]
    by, town = _office(world), world.anybody(TOWN).party
    wish = Request(who.party, (Wanted(it),), at + timedelta(hours=1), at + timedelta(hours=43), "Essai dans la nef", 6)
    token = bookings.ask(session, wish, zone=world.calendar.zone, by=who.by, at=at).token
    found = loans.of_lender(session, token, town, at=at)
    assert found is not None
    if found.state == "pending":
        bookings.accept(session, token, lender=town, by=by, at=at)
    said = {it.id: Handed(1, "Une rayure sur le capot, la télécommande est dans la housse.")}
    bookings.hand_over(session, token, lender=town, remarks="", items=said, keys=[world.keys["Clé du local technique"]],
                       by=by, at=at)  # fmt: skip
    picture = texts("pictures").get(PROJECTOR) or next(iter(texts("pictures").values()))
    inventory.add_picture(session, found.id, drawn(drawing(picture["shapes"])), moment="out",
                          words="L’appareil au départ", by=by, at=at)  # fmt: skip


def _out(world: World, name: str, at: datetime) -> BookingView | None:
    """The first loan of something that is out."""
    town, id_ = world.anybody(TOWN).party, world.resources[name].id
    found = loans.to_follow(world.session, town, at=at, until=at)
    out = (view for view in found if any(item.resource_id == id_ and item.still_out for item in view.items))
    return next(out, None)


def _tables_back(world: World, *, at: datetime) -> None:
    """Two tables of the toy library's fair are back already, one of them broken."""
    view = _out(world, TABLES, at)
    assert view is not None
    said = {world.resources[TABLES].id: Back(1, broken=1, remarks="Un pied plié dans la remorque.")}
    bookings.take_back(world.session, view.token, lender=view.lender_id, remarks="Le reste demain midi.", items=said,
                       by=_office(world), at=at)  # fmt: skip


def _damages(world: World, *, at: datetime) -> None:
    """The broken table waits for the toy library's word, in euros; somebody contests the time of a repair."""
    by, session = _office(world), world.session
    view = _out(world, TABLES, at)
    assert view is not None
    damages.propose(session, view.token, lender=view.lender_id, words="Une table, un pied plié.", minutes=None,
                    cents=3500, by=by, at=at)  # fmt: skip
    people = {each.party: each for each in world.members.values() if each.signs_in}
    over = (each for each in loans.decided(session, view.lender_id, at=at, size=400)
            if each.state == "returned" and each.party_id in people and damages.common(session, each))  # fmt: skip
    if loan := next(over, None):
        made = damages.propose(session, loan.token, lender=loan.lender_id, words="La béquille est faussée.", minutes=45,
                               cents=None, by=by, at=at)  # fmt: skip
        damages.contest(session, made.token, parties=[loan.party_id], text="Elle l’était déjà, je l’ai dit au départ.",
                        by=people[loan.party_id].by, at=at)  # fmt: skip


def _keep_cargo(world: World, *, at: datetime) -> None:
    """The car is still in the garage: the bicycle is asked for until others have it, and so the officer answers."""
    view = _out(world, CARGO, at)
    assert view is not None
    who = next(each for each in world.members.values() if each.party == view.party_id)
    by = who.by if who.signs_in else world.counter(who.party)
    extending.ask(world.session, view.token, view.ends_at + timedelta(days=4, hours=1), parties=[view.party_id],
                  reason="La voiture n’est prête que jeudi.", by=by, at=at)  # fmt: skip


def _count(world: World, *, at: datetime) -> None:
    """How many came to what is over, a few less or more than were expected."""
    town = world.anybody(TOWN).party
    past = [view for view in loans.decided(world.session, town, at=at, size=200) if view.state in {"past", "returned"}]
    for view in past[:12]:
        if view.people and bookings.can_count(view, at=at):
            bookings.count_people(world.session, view.id, max(1, view.people + world.chance.randint(-9, 4)),
                                  by=_office(world), at=at)  # fmt: skip
