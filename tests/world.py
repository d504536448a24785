"""One of everything, so that every address of the service leads somewhere: most of it is Alice's, or the town's."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

from flask import current_app
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from exchange.adverts import operations as adverts
from exchange.agreements import operations as agreements
from exchange.agreements import queries as agreements_of
from exchange.agreements import telling as papers
from exchange.agreements.models import Template
from exchange.authorisations import operations as authorisations
from exchange.bookings import damages, inventory, offers, options, series, wishes
from exchange.bookings import operations as bookings
from exchange.bookings import queries as loans
from exchange.bookings.rhythm import Rhythm
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries as resources
from exchange.catalogue.models import Resource
from exchange.charters import operations as charters
from exchange.charters import queries as charters_of
from exchange.circuits import operations as circuits
from exchange.closures import operations as closures
from exchange.declarations import operations as declarations
from exchange.declarations.models import DeclarationAnswer
from exchange.documents import operations as documents
from exchange.documents import queries as documents_of
from exchange.dues import operations as euros
from exchange.feeds import operations as feeds
from exchange.feeds.policy import address_of
from exchange.imports import operations as imports
from exchange.imports.plan import Choices
from exchange.keys import operations as keys
from exchange.members import operations as members
from exchange.members.models import Party
from exchange.pictures import operations as pictures
from exchange.pictures.operations import drawn
from exchange.reciprocity import operations as rules_of
from exchange.reciprocity import queries as rules
from exchange.reciprocity.policy import Rule
from exchange.seals import operations as seals
from exchange.stewardship import operations as stewardship
from ledger.entries import Acting
from ledger.signatures import SigningKey
from ledger.store import reading
from tests.cast import NOON, SATURDAY, Cast, Person, gather
from tests.databases import as_owner
from tests.lent import Lent, lend
from tests.papers import CERTIFICATE
from tests.photos import PHOTO

OCTOBER = date(2026, 10, 10)  # a month that is over
OUTLINE = '{"type": "MultiPolygon", "coordinates": [[[[-2.1, 47.6], [-2.0, 47.6], [-2.0, 47.7], [-2.1, 47.6]]]]}'
TEMPLATE = "# Convention {numero} : {preteur} prête à {demandeur} {quoi} du {du} au {au} {assurance}"
SEAL = SigningKey.generate("localhost/livre")


class World:
    """The cast, what is lent, and the values that fill an address: ``world.values["account"]``..."""

    def __init__(self, session: Session) -> None:
        with as_owner(session):
            self.cast: Cast = gather(session)
            session.execute(text("UPDATE territory SET school_zone = 'B', outline = CAST(:outline AS jsonb)"),
                            {"outline": OUTLINE})  # fmt: skip
            category = adverts.add_category(session, community=self.cast.community.id, name="Jardin")
        cast = self.cast
        self.lent: Lent = lend(session, cast)
        sel = members_token(session, cast.community.party_id)
        self.values: dict[str, Any] = {
            "account": account(cast.alice).token, "community": sel, "lender": cast.town.token,
            "party": cast.alice.party.token, "resource": self.lent.hall.token, "code": "en", "version": "0",
            "name": "marronnier.css", "shape": "tarif", "kind": "salle", "act": "retrait",
            "token": "nobody-has-this-one",
            **self._exchange(session), **self._adverts(session, category.id), **self._lending(session),
        }  # fmt: skip
        waiting = members.apply(session, community=cast.community.id, name="Yann", email="yann@example.org", phone="",
                                message="Bonjour", at=NOON)  # fmt: skip
        self.values["application"] = waiting.token
        assert cast.alice.sign_in is not None
        alice = cast.alice.sign_in.id
        made, _secret = members.create_access_token(session, sign_in=alice, name="Tableur", days=30, at=NOON)
        self.values["digest"] = made.digest.hex()
        self.values |= self._feeds(session)
        self.values |= self._settlements(session)
        sealed = seals.seal(session, SEAL, at=NOON)
        assert sealed is not None
        self.values |= {"size": sealed.size, "seq": 1}
        session.flush()

    def _exchange(self, session: Session) -> dict[str, Any]:
        """Denise says that she helped Alice, who hasn't answered; Alice paid Bruno for something else."""
        cast = self.cast
        said = declarations.Exchange(account(cast.denise), account(cast.alice), 45, SATURDAY, "service", "Courses")
        waiting = declarations.declare(session, said, answer_days=30, today=SATURDAY,
                                       by=Acting(None, cast.denise.party.id), at=NOON)  # fmt: skip
        paid = declarations.declare(
            session, declarations.Exchange(account(cast.bruno), account(cast.alice), 90, SATURDAY, "service", "Haie"),
            answer_days=30, today=SATURDAY, by=cast.alice.by, at=NOON,
        )  # fmt: skip
        entry = session.execute(
            select(DeclarationAnswer.entry_id).where(DeclarationAnswer.declaration_id == paid.id)
        ).scalar_one()
        return {"declaration": waiting.token, "entry": entry}

    def _feeds(self, session: Session) -> dict[str, Any]:
        """Bruno follows what he and the club book; Alice and Fanny what they do."""
        cast = self.cast
        opened = {by: feeds.open_(session, "bookings", by=by, at=NOON - timedelta(hours=1))
                  for by in (cast.bruno.by, cast.delegate, cast.alice.by, cast.fanny.by)}  # fmt: skip
        self.followed = opened[cast.bruno.by].token
        address = address_of(opened[cast.fanny.by].secret, current_app.config["SECRET_KEY"])
        return {"feed": opened[cast.delegate].token, "address": address, "side": "reservations"}

    def _settlements(self, session: Session) -> dict[str, Any]:
        """Fanny helped in October, and leaves: Tibo proposed to settle her, and once to settle Alice, who stayed."""
        cast, at = self.cast, NOON
        said = declarations.Exchange(account(cast.fanny), account(cast.tibo), 30, OCTOBER, "service", "Courrier")
        declarations.declare(session, said, answer_days=30, today=SATURDAY, by=cast.tibo.by, at=at)
        stewardship.leave(session, account(cast.fanny).id, community=cast.community.id, reason="Part", by=cast.tibo.by,
                          at=at)  # fmt: skip
        proposed = stewardship.propose_settlement(session, account_of(session, cast.fanny), reason="Sans adresse",
                                                  by=cast.tibo.by, at=at)  # fmt: skip
        stayed = account_of(session, cast.alice)._replace(leaving_at=at)
        other = stewardship.propose_settlement(session, stayed, reason="Revenue", by=cast.tibo.by, at=at)
        self.proposed = proposed.token
        return {"settlement": other.token}

    def _adverts(self, session: Session, category: int) -> dict[str, Any]:
        """Alice offers to cut hedges; Chloé wrote to her."""
        content = adverts.Content("offer", "service", category, "Taille de haies", "Le samedi.")
        advert = adverts.publish(session, content, account=account(self.cast.alice), by=self.cast.alice.by, at=NOON)
        thread = adverts.write_about(session, advert, "Bonjour !", by=self.cast.chloe.by, at=NOON)
        return {"advert": advert.token, "thread": thread.token}

    def _lending(self, session: Session) -> dict[str, Any]:
        """Alice asked for the hall; Olga has a room to publish, a place, a rule and a file."""
        cast, lent, town = self.cast, self.lent, Acting(None, self.cast.town.id)
        starts = NOON + timedelta(days=7)
        charter = charters.write(session, lender=cast.town.id, title="Charte", text="Rendre propre.", by=cast.olga.by,
                                 at=NOON)  # fmt: skip
        chartered = charters_of.of_lender(session, cast.town.id)
        for who in (cast.alice, cast.bruno, cast.zoe):
            charters.accept(session, who.party.id, chartered, by=who.by, at=NOON)
        self.chartered = chartered[0].of
        asked = Request(cast.alice.party.id, (Wanted(lent.hall),), starts, starts + timedelta(hours=4), "Fête", 60)
        booking = bookings.ask(session, asked, zone="Europe/Paris", by=cast.alice.by, at=NOON)
        place = catalogue.add_place(session, lender=cast.town.id, name="Mairie", at=NOON)
        for name, at, of in (("Maison du bourg", (47.66, -2.02), (lent.hall, lent.half, lent.other_half)),
                             ("Ateliers", (47.66, -2.021), (lent.chairs,)),
                             ("Dojo du halage", (47.61, -2.07), (lent.dojo,))):  # fmt: skip
            here = catalogue.add_place(session, lender=of[0].lender_id, name=name, latitude=at[0], longitude=at[1],
                                       at=NOON)  # fmt: skip
            for each in of:
                session.get_one(Resource, each.id).place_id = here.id
        attic = catalogue.add_resource(session, lender=cast.town.id, kind="room", name="Grenier", place_id=place.id,
                                       opening_hours="Mo-Fr 08:00-18:00; 2026 Dec 24 10:00-12:00",
                                       by=town, at=NOON)  # fmt: skip
        sander = catalogue.add_resource(session, lender=cast.town.id, kind="thing", name="Ponceuse", by=town, at=NOON)
        self.sander = sander.token
        job = imports.receive(session, lender=cast.town.id, choices=Choices(), file_name="salles.csv",
                              data=b"nom;quantite\nTables;12\n", by=cast.olga.by, at=NOON)  # fmt: skip
        self.unpublished = resources.views(session, [attic.id])[attic.id]
        imports.start(session, job, zone="Europe/Paris", at=NOON)
        week, until = starts + timedelta(days=20), starts + timedelta(days=20, hours=4)
        other = Request(cast.alice.party.id, (Wanted(lent.half),), week, until, "Chorale", 20)
        had = bookings.ask(session, other, zone="Europe/Paris", by=cast.alice.by, at=NOON)
        offer = offers.offer(
            session, had.token, lender=cast.town.id, wanted=[Wanted(lent.other_half)], starts_at=week, ends_at=until,
            word="Le chauffage de l’autre est en panne.", by=cast.olga.by, at=NOON,
        )  # fmt: skip
        self.offered, self.had = offer.token, had.token
        repair = closures.close(session, lent.drill, kind="repair", reason="Mandrin", starts_at=week, ends_at=None,
                                quantity=None, by=cast.olga.by, at=NOON)  # fmt: skip
        allowed = authorisations.give(session, lent.drill, cast.alice.party.id, until=None, today=SATURDAY,
                                      by=cast.olga.by, at=NOON)  # fmt: skip
        sung = series.ask(
            session, [asked._replace(wanted=(Wanted(lent.other_half),), starts_at=starts + timedelta(weeks=n, hours=6),
                                     ends_at=starts + timedelta(weeks=n, hours=8), purpose="Chorale", people=30)
                      for n in range(8, 12)],
            Rhythm("week", (starts + timedelta(weeks=8)).date(), (starts + timedelta(weeks=11)).date()),
            zone="Europe/Paris", by=cast.alice.by, at=NOON,
        )  # fmt: skip
        circuit = self._weighed(session, asked)
        self._loans(session)
        self._hesitations(session, charter.token)
        picture = pictures.add(session, lent.hall.id, lender=cast.town.id, data=PHOTO, words="La scène, rideau ouvert",
                               by=cast.olga.by, at=NOON)  # fmt: skip
        template = agreements.write_template(session, agreements.Wording("Convention", TEMPLATE), lender=cast.town.id,
                                             by=cast.olga.by, at=NOON)  # fmt: skip
        caution = Rule("", "deposit", "Caution", starts_on=SATURDAY, resource=lent.chairs.id, cents=30_000)
        rules_of.write_rule(session, caution, lender=cast.town.id, by=cast.olga.by, at=NOON)
        lasting = asked._replace(wanted=(Wanted(lent.chairs, 2),), starts_at=starts + timedelta(days=40),
                                 ends_at=starts + timedelta(days=41), purpose="Loto", people=None)  # fmt: skip
        kept = bookings.ask(session, lasting, zone="Europe/Paris", by=cast.alice.by, at=NOON)
        bookings.accept(session, kept.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
        receipt = euros.receive(session, kept.id, lender=cast.town.id, kind="deposit", means="cheque", reference="12",
                                cents=20_000, on=SATURDAY, today=SATURDAY, by=cast.olga.by, at=NOON)  # fmt: skip
        [loan] = papers.loans(session, [loans.view(session, kept.id, at=NOON)])
        version = agreements_of.templates(session, cast.town.id)[0]
        agreement = agreements.make(session, loan.booking, version, papers.values_of(session, loan, at=NOON), year=2026,
                                    by=cast.olga.by, at=NOON)  # fmt: skip
        self.papered, self.digest = kept.token, agreement.digest.hex()
        line = session.get_one(Template, template.template_id)
        self._documents(session)
        return {"document": self.document, "document_kind": self.insurance, "circuit": circuit, "wish": self.wish,
                "receipt": receipt.token, "charter": charter.token, "agreement": agreement.token,
                "template": line.token, "key": self.key, "damage": self.damage, "series": sung.token,
                "authorisation": allowed.token, "day": "2026-12-24",
                "picture": picture.token, "scale": "petite",
                "booking": booking.token, "closure": repair.token, "place": place.token, "job": job.token,
                "rule": rules.rows_of(session, cast.town.id)[0].token}  # fmt: skip


    def _weighed(self, session: Session, like: Request) -> str:
        """A request and a series wait for the opinion of the town's first step; what is asked later has no circuit."""
        cast, half = self.cast, self.lent.half
        made = circuits.write(session, lender=cast.town.id, name="Grandes salles", by=cast.olga.by, at=NOON,
                              steps=[("Service technique", [cast.olga.by.sign_in or 0]), ("Élue", [])])  # fmt: skip
        change = partial(circuits.decide_on, session, made.id, by=cast.olga.by, at=NOON)
        change(before=(), after=[half.id])
        one, *days = [
            like._replace(wanted=(Wanted(half),), starts_at=like.starts_at + timedelta(weeks=weeks),
                          ends_at=like.ends_at + timedelta(weeks=weeks), purpose="Bal")
            for weeks in (14, 15, 16)
        ]  # fmt: skip
        self.weighed = bookings.ask(session, one, zone="Europe/Paris", by=cast.alice.by, at=NOON).token
        first, last = (day.starts_at.date() for day in days)
        of = series.ask(session, days, Rhythm("week", first, last), zone="Europe/Paris", by=cast.alice.by, at=NOON)
        self.weighed_days = of.token
        change(before=[half.id], after=())
        return made.token


    def _hesitations(self, session: Session, charter: str) -> None:
        """Alice hesitates about some chairs, and waits for the hall that Bruno has; Chloé waits after her."""
        cast, lent, starts = self.cast, self.lent, NOON + timedelta(days=33)
        session.execute(text("UPDATE resources SET option_days = 10 WHERE id IN (:hall, :chairs)"),
                        {"hall": lent.hall.id, "chairs": lent.chairs.id})  # fmt: skip
        hall, chairs = resources.views(session, [lent.hall.id, lent.chairs.id]).values()
        if hall.kind == "pool":
            hall, chairs = chairs, hall

        def wanted(person: Person, it: resources.ResourceView) -> Request:
            return Request(person.party.id, (Wanted(it),), starts, starts + timedelta(hours=3), "Loto", 40,
                           frozenset({charter}))  # fmt: skip

        self.option = options.take(session, wanted(cast.alice, chairs), zone="Europe/Paris", by=cast.alice.by,
                                   at=NOON).token  # fmt: skip
        bookings.ask(session, wanted(cast.bruno, hall), zone="Europe/Paris", by=cast.bruno.by, at=NOON)
        self.wish, _later = (
            wishes.join(session, wanted(person, hall), zone="Europe/Paris", by=person.by, at=NOON).wish.token
            for person in (cast.alice, cast.chloe)
        )


    def _documents(self, session: Session) -> None:
        """Alice gave her certificate for half of the hall, which Olga is to look at; she rents no other day with it."""
        cast, it = self.cast, self.lent.other_half
        asked = documents.Wording("Attestation d’assurance", verified=True, resources=[it.id])
        documents.write(session, asked, lender=cast.town.id, by=cast.olga.by, at=NOON)
        [kind] = documents_of.kinds_of(session, cast.town.id)
        starts = NOON + timedelta(days=150)
        wanted = Request(cast.alice.party.id, (Wanted(it),), starts, starts + timedelta(hours=2), "Théâtre", 30)
        self.filed = bookings.ask(session, wanted, zone="Europe/Paris", by=cast.alice.by, at=NOON).token
        given = documents.give(session, kind, documents.cleaned([CERTIFICATE]), party=cast.alice.party.id,
                               valid_until=date(2027, 12, 31), today=SATURDAY, by=cast.alice.by, at=NOON)  # fmt: skip
        self.insurance, self.document = kind.token, given.token

    def _loans(self, session: Session) -> None:
        """Alice has a chair and a badge of the hall, with a picture of how they left; the drill is ready for her."""
        cast, lent, day = self.cast, self.lent, timedelta(days=1)
        tokens = []
        for it, starts in ((lent.chairs, NOON + day / 24), (lent.drill, NOON + day)):
            asked = Request(cast.alice.party.id, (Wanted(it),), starts, starts + 2 * day, "Bricolage")
            token = bookings.ask(session, asked, zone="Europe/Paris", by=cast.alice.by, at=NOON).token
            bookings.accept(session, token, lender=cast.town.id, by=cast.olga.by, at=NOON)
            tokens.append(token)
        self.out, self.ready = tokens
        add = partial(keys.add, session, lender=cast.town.id, note="", place=None, by=cast.olga.by, at=NOON)
        badge, other, spare = (add(label=label, opens=[lent.hall.id]) for label in ("Badge 12", "Badge 15", "Passe"))
        self.key, self.badge, self.spare = other.token, badge.token, spare.token
        bookings.hand_over(session, self.out, lender=cast.town.id, remarks="", keys=[badge.token], by=cast.olga.by,
                           at=NOON)  # fmt: skip
        of = loans.of_lender(session, self.out, cast.town.id, at=NOON)
        assert of is not None
        self.damage = damages.propose(session, self.out, lender=cast.town.id, words="Un pied tordu", minutes=30,
                                      cents=None, by=cast.olga.by, at=NOON).token  # fmt: skip
        self.shown, self.blurred = (
            inventory.add_picture(session, of.id, drawn(PHOTO), moment="out", words=words, by=cast.olga.by,
                                  at=NOON).token
            for words in ("La chaise", "Floue")
        )  # fmt: skip


def account(person: Person) -> reading.AccountView:
    """The account of somebody who has one."""
    assert person.account is not None
    return person.account


def account_of(session: Session, person: Person) -> reading.AccountView:
    """The account of somebody as it is now."""
    found = reading.account(session, account(person).community_id, account(person).id)
    assert found is not None
    return found


def members_token(session: Session, party: int) -> str:
    """The random identifier of a party."""
    return session.get_one(Party, party).token
