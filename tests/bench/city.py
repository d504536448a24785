"""A year of a Sharing City: every building of a town is asked for, in the order in which people think of it.

The buildings, who borrows and what they want are drawn from a seed. Each request is made through the operations, at its
own instant, with every rule on; officers answer two days later; some borrowers change their mind. What must be true
whatever happened is said by ``faults``; the rate is compared with bare inserts of the same spans under the same
constraint.
"""

from __future__ import annotations

import heapq
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.authorisations import operations as authorisations
from exchange.bookings import operations as bookings
from exchange.bookings import policy
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries
from exchange.catalogue.queries import ResourceView
from exchange.closures import operations as closures
from exchange.db import db
from exchange.organisations import operations as organisations
from exchange.reciprocity import operations as rules
from exchange.reciprocity.policy import Rule
from exchange.sentences import sentence_of
from ledger.entries import Acting
from ledger.errors import Refused
from ledger.store import writing
from tests.bench.contending import RAW
from tests.bench.figures import Figure
from tests.cast import gather
from tests.databases import Database

PARIS = "Europe/Paris"
OPENED = datetime(2026, 8, 31, 10, 0, tzinfo=UTC)
DAYS = 365
CLASSES = (("local-association", "association", 70), ("firm", "firm", 15), ("outside", "association", 15))


class Size(NamedTuple):
    """How large the town is, how many requests it gets, and where chance begins."""

    buildings: int = 800
    requests: int = 22_000
    seed: int = 20_260_901


@dataclass
class City:
    """What is lent, in halves and in whole halls, with chairs; who asks; and by whom the town decides."""

    lender: int
    by: Acting
    rooms: list[ResourceView]
    halls: list[ResourceView]
    pools: list[ResourceView]
    borrowers: list[int]


class Wish(NamedTuple):
    """Somebody asks for something, and what becomes of it."""

    asked_at: datetime
    request: Request
    fate: str  # what its officer says: accepted, declined, or nothing; "cancelled" by who asked, once accepted


def found(session: Session, size: Size) -> City:
    """Write the town: buildings with hours, slots, notices and works, rules of all shapes, borrowers with accounts."""
    chance = random.Random(size.seed)
    cast = gather(session, at=OPENED)
    town, by = cast.town.id, Acting(None, cast.town.id)
    rooms, halls = _buildings(session, town, by, size.buildings, chance)
    pools = [
        catalogue.add_resource(session, lender=town, kind="pool", name=f"Chaises {number}", category="Mobilier",
                               quantity=60, by=by, at=OPENED).id
        for number in range(max(2, size.buildings // 40))
    ]  # fmt: skip
    catalogue.publish(session, lender=town, capacities=dict.fromkeys([*rooms, *halls, *pools]), by=by, at=OPENED)
    many = max(12, size.buildings // 4)
    borrowers = [_borrower(session, cast.community.id, number, chance) for number in range(many)]
    _rules(session, town, cast.community.id, by)
    views = queries.views(session, [*rooms, *halls, *pools])
    for room in rooms:
        _works_and_people(session, views[room], borrowers, by, chance)
    session.flush()
    lent = ([views[id_] for id_ in ids] for ids in (rooms, halls, pools))
    return City(town, by, *lent, borrowers)


def _buildings(
    session: Session, town: int, by: Acting, number: int, chance: random.Random
) -> tuple[list[int], list[int]]:
    """Rooms, one or two in each building; of the buildings with two, the hall that both make."""
    rooms, halls = [], []
    while len(rooms) < number:
        place = catalogue.add_place(session, lender=town, name=f"Bâtiment {len(rooms)}", erp_category="IV",
                                    legal_max=300, at=OPENED).id  # fmt: skip
        names = [f"Salle {len(rooms) + n}" for n in range(chance.choice((1, 1, 2)))]
        pair = [_room(session, town, by, place, name, chance) for name in names]
        rooms += pair
        if len(pair) == 2:
            halls.append(catalogue.add_resource(
                session, lender=town, kind="room", name=f"Grande salle {len(halls)}", category="Salle", capacity=200,
                place_id=place, parts=pair, by=by, at=OPENED,
            ).id)  # fmt: skip
    return rooms, halls


def _room(session: Session, town: int, by: Acting, place: int, name: str, chance: random.Random) -> int:
    terms: dict[str, Any] = {"opening_hours": chance.choice(("", "Mo-Su 08:00-23:00", "Mo-Sa 08:00-22:00; PH off"))}
    terms["buffer_minutes"] = chance.choice((0, 0, 15, 30, 60))
    terms["decided_by"] = chance.choice(("officer", "officer", "nobody"))
    terms["slots"] = chance.choice(("",) * 9 + ("08:00-13:00,13:00-18:00,18:00-23:00",))
    terms["notice_hours"] = chance.choice((0,) * 7 + (24, 48, 168))
    terms["ahead_days"] = chance.choice((None,) * 8 + (60, 180))
    terms["most_minutes"] = chance.choice((None,) * 8 + (240, 600))
    terms["reserved"] = chance.random() < 0.03
    return catalogue.add_resource(session, lender=town, kind="room", name=name, category="Salle", capacity=100,
                                  place_id=place, by=by, at=OPENED, **terms).id  # fmt: skip


def _borrower(session: Session, community: int, number: int, chance: random.Random) -> int:
    class_, kind, _many = chance.choices(CLASSES, [many for *_said, many in CLASSES])[0]
    party = organisations.add(session, name=f"Structure {number}", kind=kind, class_=class_, at=OPENED)
    writing.open_account(session, community=community, party=party.id, kind="organisation", holder=party.name,
                         at=OPENED)  # fmt: skip
    return party.id


def _rules(session: Session, town: int, community: int, by: Acting) -> None:
    """Free for those of the town, dear for firms, by the half-day for those from elsewhere; and two gates."""
    since = date(2026, 1, 1)
    voted = {"decision_number": "2026-31", "decision_date": date(2026, 6, 1)}
    for class_, minutes, per in (("firm", 30, "hour"), ("outside", 45, "half-day"), (None, 0, "flat")):
        tariff = Rule("", "tariff", f"Tarif {class_}", starts_on=since, class_=class_, minutes=minutes, per=per,
                      community=community if minutes else None)  # fmt: skip
        rules.write_rule(session, tariff, lender=town, by=by, at=OPENED, **(voted if minutes else {}))
    balance = Rule("", "gate", "Solde", starts_on=since, gate="balance", community=community, least_balance=-500)
    for gate in (balance, Rule("", "gate", "Rien en retard", starts_on=since, gate="nothing-overdue")):
        rules.write_rule(session, gate, lender=town, by=by, at=OPENED)


def _works_and_people(
    session: Session, room: ResourceView, borrowers: Sequence[int], by: Acting, chance: random.Random
) -> None:
    """Some rooms have works of twenty days; what is reserved is for some."""
    if chance.random() < 0.05:
        starts = OPENED + timedelta(days=chance.randrange(30, DAYS))
        closures.close(session, room, kind="works", reason="Parquet", starts_at=starts,
                       ends_at=starts + timedelta(days=20), quantity=None, by=by, at=OPENED)  # fmt: skip
    for party in chance.sample(list(borrowers), 3) if room.reserved else ():
        authorisations.give(session, room, party, until=None, today=OPENED.date(), by=by, at=OPENED)


def wishes(city: City, size: Size) -> list[Wish]:
    """What everybody wants in the year, in the order in which they ask for it: the days come in any order."""
    chance = random.Random(size.seed + 1)
    return sorted((_wish(city, chance) for _number in range(size.requests)), key=lambda wish: wish.asked_at)


def _wish(city: City, chance: random.Random) -> Wish:
    day = OPENED.date() + timedelta(days=chance.randrange(1, DAYS + 1))
    hour, length = chance.choice((8, 9, 13, 14, 18, 18, 19, 20)), chance.choice((1, 2, 2, 3, 4, 5))
    zone = ZoneInfo(PARIS)
    starts = datetime(day.year, day.month, day.day, hour, tzinfo=zone).astimezone(UTC)
    ends = datetime(day.year, day.month, day.day, min(hour + length, 23), tzinfo=zone).astimezone(UTC)
    asked_at = max(OPENED, starts - timedelta(hours=chance.choice((12, 30, 72, 200, 700, 1500, 4000))))
    fate = chance.choices(("accepted", "declined", "", "cancelled"), (75, 8, 5, 12))[0]
    people = chance.choice((None, None, 20, 20, 60, 60, 90, 90, 90, 150))
    request = Request(chance.choice(city.borrowers), tuple(_wanted(city, chance)), starts, ends, "Réunion", people)
    return Wish(asked_at, request, fate)


def _wanted(city: City, chance: random.Random) -> Iterator[Wanted]:
    """Rooms are not asked for alike: a few have most of the requests."""
    whole = city.halls and chance.random() < 0.08
    yield Wanted(chance.choice(city.halls) if whole else city.rooms[int(len(city.rooms) * chance.random() ** 2)])
    if chance.random() < 0.2:
        yield Wanted(chance.choice(city.pools), chance.choice((10, 20, 40)))


@dataclass
class Year:
    """What became of everything, and how long it took."""

    asked: int = 0
    answered: int = 0
    seconds: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)  # refusals without a cause or without a word for it


def replay(session: Session, city: City, wanted: Sequence[Wish]) -> Year:
    """Ask for everything in its order, each in a transaction of its own; answers come when their turn does."""
    year, turns, number = Year(), [], count()
    units = queries.units_of(session, [it.id for it in (*city.rooms, *city.halls)])
    session.commit()
    holds = Holds(units)
    for wish in wanted:
        heapq.heappush(turns, (wish.asked_at, next(number), "ask", wish, ""))
    started = time.perf_counter()
    while turns:
        at, _number, act, wish, token = heapq.heappop(turns)
        try:
            follows = _act(session, city, act, wish, token, at)
            session.commit()
        except Refused as refused:
            session.rollback()
            _judge(year, act, refused, holds, wish)
            continue
        year.asked += act == "ask"
        year.answered += act != "ask"
        holds.note(act, wish, follows.token or token)
        if follows.act:
            heapq.heappush(turns, (at + follows.after, next(number), follows.act, wish, follows.token or token))
    year.seconds = time.perf_counter() - started
    return year


class Next(NamedTuple):
    """What comes after an act, and how long after."""

    act: str = ""
    after: timedelta = timedelta()
    token: str = ""


def _act(session: Session, city: City, act: str, wish: Wish, token: str, at: datetime) -> Next:
    by = Acting(None, wish.request.party)
    if act == "ask":
        made = bookings.ask(session, wish.request, zone=PARIS, by=by, at=at)
        decided = all(each.resource.decided_by == "nobody" for each in wish.request.wanted)
        says = {"accepted": "accept", "cancelled": "accept", "declined": "decline"}.get(wish.fate, "")
        if decided:
            says = "cancel" if wish.fate == "cancelled" else ""
        return Next(says, timedelta(hours=5), made.token)
    if act == "accept":
        bookings.accept(session, token, lender=city.lender, by=city.by, at=at)
        return Next("cancel" if wish.fate == "cancelled" else "", timedelta(hours=3))
    if act == "decline":
        bookings.decline(session, token, lender=city.lender, ground="services", text="Élections", by=city.by, at=at)
    else:
        bookings.cancel(session, token, parties=[wish.request.party], reason="", by=by, at=at)
    return Next()


class Holds:
    """What each unit is held for, as we keep it beside the database: told by the constraint, it must agree."""

    def __init__(self, units: dict[int, list[int]]) -> None:
        self._units = units
        self._held: dict[int, dict[str, policy.Span]] = {}

    def _spans(self, request: Request) -> Iterator[tuple[int, policy.Span]]:
        for it, _many in request.wanted:
            until = policy.held_until(request.ends_at, it.buffer_minutes)
            for unit in self._units.get(it.id, ()):
                yield unit, (request.starts_at, until)

    def note(self, act: str, wish: Wish, token: str) -> None:
        """A booking holds its units from its request until it is declined or cancelled."""
        for unit, span in self._spans(wish.request):
            held = self._held.setdefault(unit, {})
            if act == "ask":
                held[token] = span
            elif act in {"decline", "cancel"}:
                held.pop(token, None)

    def taken(self, request: Request) -> bool:
        """Whether somebody holds what is asked for."""
        return any(
            start < span[1] and span[0] < end
            for unit, span in self._spans(request) for start, end in self._held.get(unit, {}).values()
        )  # fmt: skip


def _judge(year: Year, act: str, refused: Refused, holds: Holds, wish: Wish) -> None:
    """A refusal has a sentence for who reads it; what is said to be taken is, and nothing else is."""
    year.refused[refused.rule] += 1
    if not sentence_of(refused).what:
        year.wrong.append(f"{refused.rule}: no sentence")
    db.session.remove()  # a sentence may read the zone of the territory: between two requests nothing stays open
    if refused.rule == "rule-refuses" and not refused.facts.get("findings"):
        year.wrong.append(f"{act}: refused by no rule")
    if act == "ask" and refused.rule == "slot-taken" and not holds.taken(wish.request):
        year.wrong.append(f"{wish.request.starts_at}: said to be taken, and free")


_GONE = """(EXISTS (SELECT FROM booking_cancellations c WHERE c.booking_id = i.booking_id) OR EXISTS (
            SELECT FROM booking_decisions d WHERE d.booking_id = i.booking_id AND d.verdict <> 'accepted'))"""
_FAULTS = {
    "two bookings hold the same unit at the same moment": """
        SELECT a.unit_id FROM occupancy a JOIN occupancy b
            ON a.unit_id = b.unit_id AND a.booking_item_id < b.booking_item_id AND a.during && b.during""",
    "a pool is held beyond what there is": """
        SELECT r.id FROM resources r WHERE r.kind = 'pool' AND pool_peak(r.id, tstzrange(NULL, NULL)) > r.quantity""",
    "what was cancelled or declined still holds something": f"""
        SELECT o.unit_id FROM occupancy o JOIN booking_items i ON i.id = o.booking_item_id WHERE {_GONE}
         UNION ALL
        SELECT o.pool_id FROM pool_occupancy o JOIN booking_items i ON i.id = o.booking_item_id WHERE {_GONE}""",
    "what stands holds nothing": f"""
        SELECT i.id FROM booking_items i
         WHERE NOT {_GONE}
           AND NOT EXISTS (SELECT FROM occupancy o WHERE o.booking_item_id = i.id)
           AND NOT EXISTS (SELECT FROM pool_occupancy o WHERE o.booking_item_id = i.id)""",
    "the sum of all accounts is not zero": "SELECT sum(balance) FROM books.accounts HAVING sum(balance) <> 0",
    "an account is below its floor": """
        SELECT id FROM books.accounts WHERE kind = 'organisation' AND balance - held < -600""",
    "a price is set aside for nothing, or none for what was accepted": """
        SELECT b.id FROM bookings b JOIN booking_decisions d ON d.booking_id = b.id
         WHERE d.verdict = 'accepted' AND (b.minutes > 0) <> (d.hold_id IS NOT NULL)""",
}  # fmt: skip


def faults(session: Session) -> list[str]:
    """What must never be, whatever was asked: each that is."""
    return [said for said, query in _FAULTS.items() if session.execute(text(query)).first() is not None]


_BARE = text(
    "INSERT INTO raw_occupancy (unit_id, during) VALUES (:unit, tstzrange(:starts, :ends))"
    " ON CONFLICT DO NOTHING RETURNING unit_id"
)


def bare(database: Database, city: City, wanted: Sequence[Wish]) -> float:
    """The same spans, each inserted alone under the same constraint, and committed: how many a second."""
    with database.connected("superuser") as superuser:
        superuser.execute(RAW)
    with create_engine(database.web_url).connect() as connection:
        started = time.perf_counter()
        for wish in wanted:
            span = {"starts": wish.request.starts_at, "ends": wish.request.ends_at}
            connection.execute(_BARE, {"unit": wish.request.wanted[0].resource.id, **span})
            connection.commit()
        return len(wanted) / (time.perf_counter() - started)


def furnished(database: Database, size: Size) -> City:
    """The town, committed."""
    engine = create_engine(database.owner_url, poolclass=NullPool)
    with Session(engine, expire_on_commit=False) as session:
        city = found(session, size)
        session.commit()
    engine.dispose()
    return city


def measure(database: Database, size: Size | None = None) -> list[Figure]:
    """Replay the year beside bare inserts, before and after it."""
    app = database.app()
    size = size or Size(requests=int(os.environ.get("BENCH_REQUESTS", 22_000)))
    with app.app_context(), app.test_request_context(), Session(create_engine(database.web_url)) as session:
        city = furnished(database, size)
        wanted = wishes(city, size)
        rates = [bare(database, city, wanted)]
        year = replay(session, city, wanted)
        rates.append(bare(database, city, wanted))
        wrong = faults(session)
    return told(year, median(rates), wrong)


def told(year: Year, reference: float, wrong: Sequence[str]) -> list[Figure]:
    """The figures of a year."""
    acts = year.asked + year.answered + sum(year.refused.values())
    rate = acts / year.seconds
    why = ", ".join(f"{many} {rule}" for rule, many in year.refused.most_common(5))
    return [
        Figure("a Sharing City year: rate, in bare inserts", rate / reference,
               f"{acts} acts, {rate:.0f}/s against {reference:.0f}; {year.asked} had, {why}"),
        Figure("a Sharing City year: what must never be", len(wrong), "; ".join(wrong), most=0),
        Figure("a Sharing City year: refusals unexplained", len(year.wrong), "; ".join(year.wrong[:3]), most=0),
    ]  # fmt: skip
