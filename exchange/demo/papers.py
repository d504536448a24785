"""The town's charter and its agreement, and the papers of the loans that come."""

from __future__ import annotations

from datetime import datetime, timedelta

from exchange.agreements import operations, queries, telling
from exchange.agreements.operations import Wording
from exchange.bookings import opinions
from exchange.bookings import queries as loans
from exchange.charters import operations as charters
from exchange.circuits import operations as circuits
from exchange.demo.lending import PARTY_HALL
from exchange.demo.people import TOWN
from exchange.demo.world import World, texts
from exchange.dues import operations as euros
from exchange.dues import queries as paid
from exchange.reciprocity import operations as rules
from exchange.reciprocity.policy import Rule
from ledger.entries import Acting

OFFICER = "Sylvie Macé"


def plan(world: World) -> None:
    """A charter and a template since the spring; yesterday, the officer made the agreements of what comes."""
    world.story.plan(world.calendar.moment(-190, 10), _charter, world)
    world.story.plan(world.calendar.moment(-170, 10), _template, world)
    world.story.plan(world.calendar.moment(-400, 10), _deposits, world)
    world.story.plan(world.calendar.moment(-5, 10), _projector, world)
    world.story.plan(world.calendar.moment(-2, 8), _circuit, world)
    world.story.plan(world.calendar.moment(-1, 16), _agreements, world)
    world.story.plan(world.calendar.moment(-1, 18), _opinions, world)
    world.story.plan(world.calendar.moment(-1, 17), _receipts, world)


def _town(world: World) -> Acting:
    return world.offices[f"officer of {TOWN}"]


def _charter(world: World, *, at: datetime) -> None:
    """Whoever asks the town for something since then accepted it."""
    told, by = texts("papers"), _town(world)
    charters.write(world.session, lender=by.party, title="Charte des prêts de la Ville", text=told["charter"], by=by,
                   at=at)  # fmt: skip


def _template(world: World, *, at: datetime) -> None:
    """For the rooms; what is small is lent on a word."""
    told, by = texts("papers"), _town(world)
    rooms = [world.resources[name].id for name in told["rooms"]]
    operations.write_template(world.session, Wording("Convention de prêt de salle", told["agreement"], "chosen", rooms),
                              lender=by.party, by=by, at=at)  # fmt: skip


def _circuit(world: World, *, at: datetime) -> None:
    """From this week on, the technical service gives its opinion of the large halls, and a councillor decides."""
    by = _town(world)
    made = circuits.write(world.session, lender=by.party, name="Grandes salles",
                          steps=[("Service technique", [by.sign_in or 0]), ("Élue à la vie associative", [])],
                          by=by, at=at)  # fmt: skip
    halls = [world.resources[name].id for name in texts("papers")["halls"]]
    circuits.decide_on(world.session, made.id, before=(), after=halls, by=by, at=at)


def _opinions(world: World, *, at: datetime) -> None:
    """The service has looked at the first of what waits."""
    by = _town(world)
    waiting = loans.to_decide(world.session, by.party, at=at)
    turns = opinions.turns(world.session, waiting, by=by, at=at)
    for view in [view for view in waiting if view.id in turns][:1]:
        opinions.give(world.session, view.token, lender=by.party, favourable=True, by=by, at=at,
                      text="La sono est révisée ; prévoir l’extinction du chauffage à 23 h.")  # fmt: skip


def _agreements(world: World, *, at: datetime) -> None:
    """The first is accepted by both, the second waits for its borrower, the third for the town."""
    session, by = world.session, _town(world)
    people = {each.party: each for each in (*world.organisations.values(), *world.members.values()) if each.signs_in}
    coming = [view for view in loans.to_follow(session, by.party, at=at, until=at + timedelta(days=60))
              if view.series_id is None and view.starts_at > at and view.party_id in people]  # fmt: skip
    covered = [
        (loan, version) for loan in telling.loans(session, coming)
        if (version := queries.template_for(session, by.party, loan.lent)) is not None
    ]  # fmt: skip
    for signatures, (loan, version) in zip((2, 1, 0), covered, strict=False):
        values = telling.values_of(session, loan, insurance="Groupama, contrat 4471-R", at=at)
        operations.make(session, loan.booking, version, values, year=at.year, by=by, at=at)
        for side, name, acting in (("lender", OFFICER, by),
                                   ("borrower", loan.party.name, people[loan.party.id].by))[:signatures]:  # fmt: skip
            agreement = queries.of_booking(session, loan.booking.id)
            assert agreement is not None
            said = telling.sentence(side, loan, agreement.called, name)
            operations.accept(session, agreement, side, digest=agreement.digest, name=name, sentence=said,
                              on=at.date(), by=acting, at=at)  # fmt: skip


def _deposits(world: World, *, at: datetime) -> None:
    """A deposit for the whole hall, and a fee for inhabitants."""
    since, hall = at.date(), world.resources[PARTY_HALL].id
    _write(world, Rule("", "deposit", "Caution de la salle des fêtes", resource=hall, starts_on=since,
                       cents=30_000), at)  # fmt: skip
    _write(world, Rule("", "euro-tariff", "Salles, particuliers", category="Salle", class_="inhabitant",
                       starts_on=since, cents=1_500), at)  # fmt: skip


def _projector(world: World, *, at: datetime) -> None:
    """From next week on, the projector doesn't leave without its deposit."""
    it, since = world.resources["Vidéoprojecteur"].id, at.date() + timedelta(days=8)
    _write(world, Rule("", "deposit", "Caution du vidéoprojecteur", resource=it, starts_on=since, cents=15_000,
                       first=True), at)  # fmt: skip


def _write(world: World, rule: Rule, at: datetime) -> None:
    by, voted = _town(world), at.date() - timedelta(days=6)
    rules.write_rule(world.session, rule, lender=by.party, decision_number=f"{voted.year}-09", decision_date=voted,
                     by=by, at=at)  # fmt: skip


def _receipts(world: World, *, at: datetime) -> None:
    """Of two loans that are over, one deposit was given back, one was kept in part; of those that come, the first is
    received.
    """
    session, by, today = world.session, _town(world), at.date()
    asked = [view for view in loans.decided(session, by.party, at=at, size=2000) if view.euros["deposit"]]
    over = [view for view in asked if view.state in ("past", "returned")][:2]
    coming = sorted((view for view in asked if view.state == "accepted"), key=lambda view: view.starts_at)[:1]
    for number, view in enumerate([*over, *coming]):
        receipt = euros.receive(
            session, view.id, lender=by.party, kind="deposit", means="cheque", reference=f"00{4417 + number}",
            cents=view.euros["deposit"], on=min(today, view.starts_at.date()), today=today, by=by, at=at,
        )  # fmt: skip
        kept = paid.receipt(session, receipt.token)
        assert kept is not None
        if view in over:
            part = 4_000 if view is over[0] else 0
            if part:
                euros.end(session, kept, outcome="kept", cents=part, on=today, today=today, by=by, at=at,
                          reason="Deux chaises cassées, au prix de leur facture.")  # fmt: skip
            euros.end(session, kept, outcome="returned", cents=kept.cents - part, on=today, today=today, reason="",
                      by=by, at=at)  # fmt: skip
