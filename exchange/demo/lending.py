"""What is lent in Saint-Marron, under which rules, and the loans of two years, of today and of the weeks to come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from exchange.authorisations import operations as authorisations
from exchange.bookings import changes, moving, offers, series
from exchange.bookings import operations as bookings
from exchange.bookings import queries as loans
from exchange.bookings.models import Series
from exchange.bookings.rhythm import Rhythm
from exchange.bookings.wanted import Request, Wanted, request_of
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries
from exchange.charters import queries as charters
from exchange.closures import operations as closures
from exchange.demo.drawings import drawing
from exchange.demo.people import CENTRE, FIRM, LENDING_MEMBER, OPENED, SEL, TOWN
from exchange.demo.world import Somebody, World, texts
from exchange.feeds import operations as feeds
from exchange.lending import operations as lending
from exchange.members.queries import mandates_of
from exchange.pictures import operations as pictures
from exchange.reciprocity import operations as rules
from exchange.reciprocity.models import RuleRow
from exchange.reciprocity.policy import Rule
from exchange.reports import operations as reports
from exchange.reports.policy import Rate
from ledger.entries import Acting

REPAIR = "Le Repair Café des Écluses"
PARTY_HALL, STAGE, BAR = "Salle des fêtes entière", "Salle des fêtes, côté scène", "Salle des fêtes, côté bar"
FOLLOWER = "Annaïg Lucas"
ROOMS = {PARTY_HALL, STAGE, BAR, "Chapelle Saint-Marron"}
RETIRED, WITHDRAWN, INCOMPLETE = "Salle de l'ancienne poste", "Salle de motricité", "Préau de l'école"


class Step(NamedTuple):
    """What happens next to a loan, when, and the words that go with it."""

    verb: str  # accept, decline, cancel, expire, hand_over, take_back, no_show or settle
    at: datetime
    words: str = ""
    ground: str = ""


class Loan(NamedTuple):
    """Somebody asks for something, and what follows."""

    who: str
    what: dict[str, int]  # name of a resource -> how many
    starts: datetime
    ends: datetime
    purpose: str
    people: int | None
    asked: datetime
    then: tuple[Step, ...] = ()


def plan(world: World) -> None:
    """The catalogue fills during the first weeks; then come the rules and the loans."""
    moment = world.calendar.moment
    told = texts("lending")
    for number, lender in enumerate((TOWN, CENTRE, FIRM, REPAIR, LENDING_MEMBER)):
        world.story.plan(moment(OPENED + 12 + 3 * number, 9), _catalogue, world, lender, told)
    world.story.plan(moment(OPENED + 30, 14), _rules, world)
    first, this = (moment(OPENED).year, world.calendar.today.year)
    for year, voted in ((first, told["voted"]["first"]), (this, told["voted"]["since"])):
        written = max(moment(OPENED + 31, 10), world.calendar.on(date(year - 1, 12, 16), 10))
        world.story.plan(written, _vote, world, year, voted)
    world.story.plan(moment(-200, 11), _second_thoughts, world)
    world.story.plan(moment(-150, 15), _firm_tariffs_again, world)
    world.story.plan(moment(-60, 11), _authorise, world, told["reserved"])
    for who, what, said, where, ago in told["begun"]:
        world.story.plan(moment(-ago, 18), _begin, world, who, lending.Thing(what, said), where)
    world.story.plan(moment(-1, 9, 20), _closures, world)
    world.story.plan(moment(-1, 18, 40), _change, world)
    world.story.plan(moment(-20, 13), _follow_from_telephones, world)
    weeks_ahead = range(3, 13)
    asked = _every_week(world, told["regular"]) + _every_week(world, told["wished"], weeks=weeks_ahead, asked=-1)
    for weekly in asked:
        world.story.plan(weekly[0].asked, _ask_weekly, world, weekly)
    for loan in _great_days(world, told["seasons"]) + _around_today(world, told["loans"]):
        world.story.plan(loan.asked, _ask, world, loan)


def _office(world: World, lender: str) -> Acting:
    """Who decides for a lender; before that, the lender itself."""
    return world.offices.get(f"officer of {lender}", world.anybody(lender).by)


# The catalogue


def _catalogue(world: World, lender: str, told: dict[str, Any], *, at: datetime) -> None:
    """Everything that a lender has, described and published, but what it has not finished describing."""
    by, party = _office(world, lender), world.anybody(lender).party
    places = {row[1]: _place(world, party, row, at) for row in told["places"] if row[0] == lender}
    ids: dict[str, int] = {}
    for row in (row for row in told["resources"] if row[0] == lender):
        parts = [ids[STAGE], ids[BAR]] if row[3] == PARTY_HALL else []
        kept = {"slots": told["slots"].get(row[3], ""), "reserved": row[3] in told["reserved"]}
        ids[row[3]] = _resource(world, row, places[row[1]], parts, by, at, **kept)
    published = {id_: None for name, id_ in ids.items() if name != INCOMPLETE}
    catalogue.publish(world.session, lender=party, capacities=published, by=by, at=at + timedelta(hours=2))
    found = queries.views(world.session, list(ids.values()))
    world.resources |= {name: found[id_] for name, id_ in ids.items()}
    for name, told_of in texts("pictures").items():
        if name in ids:
            pictures.add(world.session, ids[name], lender=party, data=drawing(told_of["shapes"]),
                         words=told_of["words"], by=by, at=at + timedelta(hours=3))  # fmt: skip


def _place(world: World, lender: int, row: list[Any], at: datetime) -> int:
    _lender, name, address, type_, category, most, access, note, latitude, longitude = row
    return catalogue.add_place(
        world.session, lender=lender, name=name, address=address, postcode="35600", town="Saint-Marron-sur-Vilaine",
        erp_type=type_, erp_category=category, legal_max=most or None, access=access, access_note=note,
        latitude=latitude, longitude=longitude, at=at,
    ).id  # fmt: skip


def _resource(
    world: World, row: list[Any], place: int, parts: list[int], by: Acting, at: datetime, **kept: Any
) -> int:
    _lender, _place, kind, name, category, count, hours, buffer_minutes, decided_by, description, conditions = row
    return catalogue.add_resource(
        world.session, lender=by.party, kind=kind, name=name, by=by, at=at, parts=parts, place_id=place,
        category=category, opening_hours=hours, buffer_minutes=buffer_minutes, decided_by=decided_by,
        description=description, conditions=conditions,
        capacity=count or None if kind == "room" else None, quantity=count if kind == "pool" else None, **kept,
    ).id  # fmt: skip


def _begin(world: World, who: str, it: lending.Thing, where: str, *, at: datetime) -> None:
    """A member begins to lend what is theirs, and decides of it."""
    session, mine, today = world.session, world.anybody(who), at.date()
    assert mine.by.sign_in is not None
    [through] = [each for each in mandates_of(session, mine.by.sign_in, on=today) if each.party_id == mine.party]
    token = lending.begin(session, through, it, today=today, at=at)
    by = world.offices[f"officer of {who}"] = lending.as_lender(session, through, today=today, at=at)
    terms = lending.Terms(where, "Saint-Marron-sur-Vilaine", {"conditions": "À rendre le jour dit."})
    lending.publish(session, through.party, token, terms, by=by, at=at)
    found = queries.published_by_token(session, token)
    assert found is not None
    world.resources[it.name] = found


def _second_thoughts(world: World, *, at: datetime) -> None:
    """The post office closes for works, the nursery hall is withdrawn for a while, the stage is described better."""
    by = _office(world, TOWN)
    catalogue.retire(world.session, world.row(RETIRED), by=by, at=at)
    catalogue.withdraw(world.session, world.row(WITHDRAWN), by=by, at=at)
    stage = world.row(STAGE)
    catalogue.edit(world.session, stage, {"conditions": f"{stage.conditions} Les loges ferment à clef."}, by=by, at=at)


def _authorise(world: World, told: dict[str, list[str]], *, at: datetime) -> None:
    """Who was shown how it works may borrow it, until next year."""
    by, today = _office(world, TOWN), at.date()
    for name, people in told.items():
        for who in people:
            authorisations.give(world.session, world.resources[name], world.anybody(who).party, today=today,
                                until=today + timedelta(days=365), by=by, at=at)  # fmt: skip


def _closures(world: World, *, at: datetime) -> None:
    """Bent grids wait for repair; in two weeks the floor of the bar side is sanded: whoever had it first on those days
    is offered something else, and the officer has the others to call.
    """
    session, calendar, by = world.session, world.calendar, _office(world, TOWN)
    closures.close(session, world.resources["Grilles d'exposition"], kind="repair", reason="Quatre grilles tordues.",
                   starts_at=at, ends_at=None, quantity=4, by=by, at=at)  # fmt: skip
    bar, thursday = world.resources[BAR], calendar.next(3, weeks=2)
    starts, ends = calendar.on(thursday - timedelta(days=1), 8), calendar.on(thursday + timedelta(days=2), 8)
    closures.close(session, bar, kind="works", reason="Le parquet est poncé et verni.", starts_at=starts, ends_at=ends,
                   quantity=None, by=by, at=at)  # fmt: skip
    lent = queries.published(session, kind="room", lender=by.party)
    for view in moving.displaced(session, bar, starts, ends, closing=0, at=at)[:1]:
        resources = queries.views(session, [item.resource_id for item in view.items])
        found = moving.alternatives(session, view, resources, lent, at=at, size=1)[0]
        offers.offer(
            session, view.token, lender=by.party, wanted=[Wanted(found.resource)], starts_at=found.starts_at,
            ends_at=found.ends_at, word="Le vernis sèche ces jours-là ; l'autre côté est libre, on vous y installe.",
            by=by, at=at,
        )  # fmt: skip


def _follow_from_telephones(world: World, *, at: datetime) -> None:
    """Who signs in first has her bookings in her telephone, and the officer those of the town's rooms."""
    feeds.open_(world.session, "bookings", by=world.anybody(FOLLOWER).by, at=at)
    feeds.open_(world.session, "loans", by=_office(world, TOWN), at=at)


def _change(world: World, *, at: datetime) -> None:
    """Who has a room of the town to come, and signs in, would leave it half an hour earlier, with three more people:
    the officer will answer.
    """
    session, town = world.session, world.anybody(TOWN).party
    people = {each.party: each for each in (*world.organisations.values(), *world.members.values())}
    for view in loans.to_follow(session, town, at=at, until=at + timedelta(days=60)):
        who = people.get(view.party_id)
        resources = queries.views(session, [item.resource_id for item in view.items])
        asked = request_of(view, resources)
        by_officer = all(it.decided_by == "officer" for it in resources.values())
        alone = by_officer and view.series_id is None
        if who and who.signs_in and alone and view.starts_at > at + timedelta(days=2):
            wish = asked._replace(ends_at=view.ends_at - timedelta(minutes=30), people=(view.people or 9) + 3)
            changes.change(session, view.token, wish, parties=[who.party], by=who.by, at=at)
            return


# The rules


def _write(world: World, lender: str, rule: Rule, at: datetime, decision: tuple[str, date] | None = None) -> RuleRow:
    number, day = decision or (None, None)
    return rules.write_rule(
        world.session, rule, lender=world.anybody(lender).party, decision_number=number, decision_date=day,
        by=_office(world, lender), at=at,
    )  # fmt: skip


def _rules(world: World, *, at: datetime) -> None:
    """Free from the town, but for a sound system that wears out; at a price in minutes from the firm."""
    since, community = at.date(), world.community
    thursday = since - timedelta(days=7 + (since.weekday() - 3) % 7)  # when the council meets
    voted = (f"{thursday.year}-{thursday.timetuple().tm_yday // 7:02d}", thursday)
    sound = world.resources["Sonorisation portable"].id
    _write(world, TOWN, Rule("", "tariff", "Salles et matériel de la Ville", starts_on=since), at, voted)
    _write(world, TOWN, Rule("", "gate", "Aucun prêt en retard", starts_on=since, gate="nothing-overdue"), at)
    _write(world, TOWN, Rule("", "tariff", "Sonorisation, particuliers", resource=sound, class_="inhabitant",
                             starts_on=since, community=community, minutes=60, per="day"), at, voted)  # fmt: skip
    _write(world, TOWN, Rule("", "tariff", "Salles, associations d'ailleurs", category="Salle", class_="outside",
                             starts_on=since, community=community, minutes=120, per="half-day"), at, voted)  # fmt: skip
    _write(world, CENTRE, Rule("", "tariff", "On laisse propre", starts_on=since), at)
    first = Rule("", "tariff", "Participation à l'heure", starts_on=since, community=community, minutes=20, per="hour")
    world.first_tariff = _write(world, FIRM, first, at)
    _write(world, FIRM, Rule("", "gate", "Solde au-dessus de 25 heures reçues d'avance", starts_on=since,
                             community=community, gate="balance", least_balance=-1500), at)  # fmt: skip
    press = world.resources["Pressoir et broyeur à pommes"].id
    _write(world, LENDING_MEMBER, Rule("", "tariff", "Une heure par jour, pour l'entretien", resource=press,
                                       starts_on=since, community=community, minutes=60, per="day"), at)  # fmt: skip


def _vote(world: World, year: int, voted: list[list[Any]], *, at: datetime) -> None:
    """The council says in December what each loan of the year to come is worth; of bicycles it said nothing."""
    by, decided_on = _office(world, TOWN), date(year - 1, 12, 10)
    for of, cents, per in voted:
        resource, category = (world.resources[of].id, None) if of in world.resources else (None, of)
        rate = Rate(0, by.party, resource, category, cents, per, date(year, 1, 1), f"{year - 1}-97", decided_on)
        reports.write_rate(world.session, rate, by=by, at=at)


def _firm_tariffs_again(world: World, *, at: datetime) -> None:
    """The firm's first price ends; another begins, lower for associations of the town."""
    today, community = at.date(), world.community
    assert world.first_tariff is not None
    rules.end_rule(world.session, world.first_tariff, on=today)
    tariffs = (("Participation à l'heure", None, 30), ("Associations d'ici", "local-association", 15))
    for title, class_, minutes in tariffs:
        _write(world, FIRM, Rule("", "tariff", title, class_=class_, starts_on=today + timedelta(days=1),
                                 community=community, minutes=minutes, per="hour"), at)  # fmt: skip


# The loans


def _ask(world: World, loan: Loan, *, at: datetime) -> None:
    by, request = _asking(world, loan)
    if by.sign_in is None:
        return  # nobody acted for that association yet
    booking = bookings.ask(world.session, request, zone=world.calendar.zone, by=by, at=at)
    lender = _lender(world, request.wanted[0].resource.lender_id)
    for step in loan.then:
        world.story.plan(step.at, _follow, world, booking.token, lender, request.party, by, step)


def _asking(world: World, loan: Loan) -> tuple[Acting, Request]:
    who = _borrower(world, loan.who)
    wanted = tuple(Wanted(world.resources[name], many) for name, many in loan.what.items())
    accepts = frozenset(each.token for each in charters.of_lender(world.session, wanted[0].resource.lender_id))
    request = Request(who.party, wanted, loan.starts, loan.ends, loan.purpose, loan.people, accepts)
    return who.by if who.signs_in else world.counter(who.party), request


def _ask_weekly(world: World, loans: list[Loan], *, at: datetime) -> None:
    """What comes back every week is asked for at once, and accepted two days later: what was asked yesterday waits."""
    asked = [_asking(world, loan) for loan in loans]
    (by, first), (_by, last) = asked[0], asked[-1]
    if by.sign_in is None:
        return
    rhythm = Rhythm("week", first.starts_at.date(), last.starts_at.date())
    requests = [request for _by, request in asked]
    made = series.ask(world.session, requests, rhythm, zone=world.calendar.zone, by=by, at=at)
    lender = _lender(world, first.wanted[0].resource.lender_id)
    world.story.plan(at + timedelta(days=2), _accept_weekly, world, made, lender)


def _accept_weekly(world: World, made: Series, lender: str, *, at: datetime) -> None:
    outcome = series.accept(world.session, made, by=_office(world, lender), at=at)
    assert not outcome.refused


def _lender(world: World, party: int) -> str:
    return next(each.name for each in (*world.organisations.values(), *world.members.values()) if each.party == party)


def _borrower(world: World, name: str) -> Somebody:
    if name == SEL:
        return Somebody(SEL, world.community_party, world.offices["administrator"])
    return world.anybody(name)


def _follow(
    world: World, token: str, lender: str, borrower: int, by: Acting, step: Step, *, at: datetime
) -> None:
    """One act on a loan, by whose it is to do."""
    session, office, of = world.session, _office(world, lender), world.anybody(lender).party
    match step.verb:
        case "accept":
            bookings.accept(session, token, lender=of, by=office, at=at)
        case "decline":
            bookings.decline(session, token, lender=of, ground=step.ground, text=step.words, by=office, at=at)
        case "cancel":
            bookings.cancel(session, token, parties=[borrower], reason=step.words, by=by, at=at)
        case "hand_over":
            bookings.hand_over(session, token, lender=of, remarks=step.words, by=office, at=at)
        case "take_back":
            bookings.take_back(session, token, lender=of, remarks=step.words, by=office, at=at)
        case "no_show":
            bookings.note_no_show(session, token, lender=of, remarks=step.words, by=office, at=at)
        case "expire":
            bookings.expire(session, by=world.system, at=at)
        case "settle":
            bookings.settle_started(session, community=world.community, by=world.system, at=at)


REMARKS = ("", "", "", "Rendu propre, merci.", "Une chaise à recoller.", "Il manque deux gobelets.", "Tout est là.")


def _great_days(world: World, rows: list[list[Any]]) -> list[Loan]:
    """The great days of each year since the town lends; those too far ahead are not asked for yet."""
    first = world.calendar.today + timedelta(days=OPENED + 90)
    found = []
    for year in range(first.year, world.calendar.today.year + 2):
        for month, after, *row in rows:
            opening = date(year, month, 1)
            saturday = opening + timedelta(days=(5 - opening.weekday()) % 7 + after)
            if saturday >= first:
                found.append(_great_day(world, saturday, *row))
    return found


def _great_day(
    world: World, day: date, who: str, what: dict[str, int], starts: int, ends: int, people: int, purpose: str
) -> Loan:
    """Asked six weeks before, accepted three days later, handed over the evening before, back the morning after."""
    on = world.calendar.on
    asked = on(day - timedelta(days=45), 10)
    accepted = Step("accept", asked + timedelta(days=3))
    then = (
        Step("hand_over", on(day - timedelta(days=1), 17)),
        Step("take_back", on(day + timedelta(days=1), 9), world.chance.choice(REMARKS)),
    )
    with_things = any(name not in ROOMS for name in what)
    return Loan(who, what, on(day, starts), on(day, ends), purpose, people, asked,
                (accepted, *then) if with_things else (accepted,))  # fmt: skip


def _every_week(
    world: World, rows: list[list[Any]], *, weeks: range = range(-6, 7), asked: int = -61
) -> list[list[Loan]]:
    """The regular slots, by default six weeks back and six ahead, but at Christmas and New Year."""
    calendar, found = world.calendar, []
    for who, room, weekday, starts, ends, people, purpose in rows:
        at = calendar.moment(min(asked + weekday, -1), 9, 30)
        days = [calendar.next(weekday, weeks=week) for week in weeks]
        found.append([
            Loan(who, {room: 1}, calendar.on(day, starts), calendar.on(day, ends), purpose, people, at)
            for day in days if (day.month, day.day) < (12, 24) and (day.month, day.day) != (1, 1)
        ])  # fmt: skip
    return found


def _around_today(world: World, rows: list[list[Any]]) -> list[Loan]:
    """What an officer finds this morning on the desk, and the members on their first page."""
    read = world.calendar.read
    return [
        Loan(
            who, what, read(starts), read(ends), purpose, people or None, read(asked),
            tuple(Step(verb, read(when), *words) for verb, when, *words in then),
        )
        for who, what, starts, ends, purpose, people, asked, then in rows
    ]  # fmt: skip
