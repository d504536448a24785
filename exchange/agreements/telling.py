"""What pages, API and worker share: an agreement through who reads it, what its fields become, and its letters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from exchange import clock, outbox
from exchange.agreements import operations, queries
from exchange.agreements.models import Agreement
from exchange.agreements.queries import AgreementView, VersionView
from exchange.blocks import Block
from exchange.bookings import queries as bookings
from exchange.bookings.queries import BookingView
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db
from exchange.errors import NotFound, TemplateMissing
from exchange.formats import amount, described, ending, euros, instant, local_day, people
from exchange.formats import day as in_words
from exchange.members import queries as members
from exchange.members.queries import PartyView
from exchange.organisations import queries as organisations
from exchange.security import OFFICES, held, own, own_name, today
from ledger.entries import Acting
from ledger.errors import Refused

PAPERS = "fr"  # the language of what is signed, whoever reads it


class Lent(NamedTuple):
    """So many of a resource."""

    quantity: int
    resource: ResourceView


class Loan(NamedTuple):
    """A booking with the names that its papers tell."""

    booking: BookingView
    lender: PartyView
    party: PartyView
    resources: dict[int, ResourceView]

    @property
    def what(self) -> str:
        """All that is lent."""
        return described(Lent(item.quantity, self.resources[item.resource_id]) for item in self.booking.items)

    @property
    def lent(self) -> frozenset[int]:
        """The ids of what is lent."""
        return frozenset(item.resource_id for item in self.booking.items)

    @property
    def cancelled(self) -> str | None:
        """Why it doesn't stand any more, as ``policy.state`` wants it."""
        gone = self.booking.cancellation
        return (gone.ground or "") if gone else None


def loans(session: Session, found: Iterable[BookingView]) -> list[Loan]:
    """Bookings with their names, in two queries however many they are."""
    found = list(found)
    parties = members.parties(session, [id_ for each in found for id_ in (each.lender_id, each.party_id)])
    resources = catalogue.views(session, [item.resource_id for each in found for item in each.items])
    return [Loan(each, parties[each.lender_id], parties[each.party_id], resources) for each in found]


class Reading(NamedTuple):
    """An agreement as somebody reads it, with the sides that they act for."""

    agreement: AgreementView
    loan: Loan
    sides: Mapping[str, Acting]

    @property
    def state(self) -> str:
        """What became of it."""
        return self.agreement.state(self.loan.cancelled)

    @property
    def side(self) -> str:
        """The side that accepts when this person does: the one whose turn it is, if they act for it."""
        turn = self.agreement.turn
        return turn if turn and turn in self.sides else next(iter(self.sides))

    @property
    def may_accept(self) -> bool:
        """Whether this person may accept it now."""
        return self.state == "open" and self.agreement.turn in self.sides


def reading_of(token: str) -> Reading:
    """An agreement of a party that the person acts for, or of a lender whose officer they are. Raises NotFound."""
    session = db.session()
    agreement = queries.by_token(session, token)
    if agreement is None:
        raise NotFound
    return read_with(agreement, bookings.view(session, agreement.booking_id, at=clock.now()))


def read_with(agreement: AgreementView, booking: BookingView) -> Reading:
    """The same, once its loan is known. Raises NotFound."""
    loan, sides = as_read(booking)
    return Reading(agreement, loan, sides)


def as_read(booking: BookingView) -> tuple[Loan, dict[str, Acting]]:
    """A loan with the sides of it that the person acts for. Raises NotFound when there is none."""
    sides = {}
    for mandate in held():
        if mandate.party_id == booking.lender_id and mandate.role in OFFICES["booking.decide"]:
            sides["lender"] = Acting(mandate.sign_in_id, mandate.party_id, mandate.id)
    scope = own("booking.read")
    if booking.party_id in scope.parties:
        sides["borrower"] = scope.acting(booking.party_id)
    if not sides:
        raise NotFound
    return loans(db.session(), [booking])[0], sides


# -- what the fields become


def values_of(session: Session, loan: Loan, *, insurance: str = "", at: datetime) -> dict[str, str]:
    """What each field of a template becomes for a loan; its number is known once it is made."""
    with force_locale(PAPERS):
        return {field: value or "…" for field, value in _values(session, loan, insurance, at).items()}


def _values(session: Session, loan: Loan, insurance: str, at: datetime) -> dict[str, str]:
    of = loan.booking
    resources = [loan.resources[item.resource_id] for item in of.items]
    return {
        "numero": _("(donné à la création)"),
        "fait_le": in_words(local_day(at)),
        "preteur": loan.lender.name,
        "contact": organisations.contact_of(session, loan.lender.id),
        "demandeur": loan.party.name,
        "representant": members.sign_in_names(session, [of.by_sign_in]).get(of.by_sign_in or 0, loan.party.name),
        "objet": of.purpose,
        "quoi": loan.what,
        "lieu": " ; ".join(dict.fromkeys(filter(None, map(_where, resources)))),
        "du": instant(of.starts_at),
        "au": ending(of.ends_at),
        "personnes": people(of.people) if of.people else _("nombre non précisé"),
        "prix": _price(session, of),
        "redevance": euros(of.euros["fee"]) if of.euros["fee"] else _("aucune"),
        "caution": euros(of.euros["deposit"]) if of.euros["deposit"] else _("aucune"),
        "charte": ", ".join(each["title"] for each in of.explanation["findings"] if each["code"] == "charter")
        or _("aucune"),
        "conditions": " ".join(dict.fromkeys(it.conditions for it in resources if it.conditions))
        or _("rien de particulier"),
        "assurance": insurance or _("attestation d’assurance à remettre avant le prêt"),
    }


def _where(it: ResourceView) -> str:
    return ", ".join(filter(None, [it.place_name, it.where]))


def _price(session: Session, of: BookingView) -> str:
    if not of.minutes or of.community_id is None:
        return str(_("rien en minutes") if of.euros["fee"] else _("gratuit"))
    return amount(of.minutes, members.community(session, of.community_id))


def examples() -> dict[str, str]:
    """What each field is, for the list under a template."""
    return {
        "numero": _("le numéro de la convention : C-2026-0001"),
        "fait_le": _("le jour où elle est faite"),
        "preteur": _("le nom du prêteur"),
        "contact": _("comment le joindre, tel que sa page le dit"),
        "demandeur": _("la personne ou la structure qui emprunte"),
        "representant": _("la personne qui a fait la demande"),
        "objet": _("ce pour quoi c’est prêté"),
        "quoi": _("ce qui est prêté"),
        "lieu": _("le lieu et son adresse"),
        "du": _("le jour et l’heure du début"),
        "au": _("le jour et l’heure de la fin"),
        "personnes": _("combien de personnes viennent"),
        "prix": _("le prix en minutes, ou « gratuit »"),
        "redevance": _("ce qui est dû en euros, ou « aucune »"),
        "caution": _("la caution en euros, ou « aucune »"),
        "charte": _("la charte que le demandeur a acceptée"),
        "conditions": _("les conditions écrites sur la page de ce qui est prêté"),
        "assurance": _("ce que vous écrivez en la faisant, ou « attestation à remettre »"),
    }


def sentence(side: str, loan: Loan, number: str, name: str) -> str:
    """What somebody accepts, and that is kept with their name."""
    of = loan.lender if side == "lender" else loan.party
    with force_locale(PAPERS):
        if of.name == name:
            return str(_("Moi, %(name)s, j’ai lu la convention %(number)s et je l’accepte.", name=name, number=number))
        return str(_("Moi, %(name)s, pour « %(party)s », j’ai lu la convention %(number)s et je l’accepte.",
                     name=name, party=of.name, number=number))  # fmt: skip


# -- making and accepting


def make(
    session: Session, loan: Loan, *, insurance: str = "", replaces: AgreementView | None = None, by: Acting,
    at: datetime,
) -> Agreement:  # fmt: skip
    """Make the agreement of a loan from the template that covers it, and tell who accepts first.

    Raises TemplateMissing, and what ``operations.make`` does.
    """
    version = queries.template_for(session, loan.lender.id, loan.lent)
    if version is None:
        raise TemplateMissing
    return _made(session, loan, version, insurance=insurance, replaces=replaces, by=by, at=at)


def _made(
    session: Session, loan: Loan, version: VersionView, *, insurance: str = "", replaces: AgreementView | None = None,
    by: Acting, at: datetime,
) -> Agreement:  # fmt: skip
    values = values_of(session, loan, insurance=insurance, at=at)
    made = operations.make(session, loan.booking, version, values, year=local_day(at).year, replaces=replaces, by=by,
                           at=at)  # fmt: skip
    write(session, loan, at=at)
    return made


def make_awaited(session: Session, *, at: datetime, after: int) -> int:
    """Make the next agreement that is made by itself; return the loan that it looked at, 0 when none is left."""
    found = queries.awaited(session, at=at, after=after)
    if found is None:
        return 0
    loan = loans(session, [bookings.view(session, found, at=at)])[0]
    version = queries.template_for(session, loan.lender.id, loan.lent)
    if version is not None and version.automatic:
        try:
            with session.begin_nested():
                _made(session, loan, version, by=Acting(None, loan.lender.id), at=at)
        except Refused:  # cancelled, or made by the office, meanwhile
            return found
    return found


def accept(session: Session, reading: Reading, digest: bytes, *, at: datetime) -> None:
    """The signed-in person accepts, for their side, the text of this digest. Raises what ``operations.accept`` does."""
    side, name = reading.side, own_name()
    said = sentence(side, reading.loan, reading.agreement.called, name)
    operations.accept(session, reading.agreement, side, digest=digest, name=name, sentence=said, on=today(),
                      by=reading.sides[side], at=at)  # fmt: skip
    write(session, reading.loan, at=at)


def write(session: Session, loan: Loan, *, at: datetime) -> None:
    """Tell who accepts next; once both have, tell both."""
    agreement = queries.of_booking(session, loan.booking.id)
    assert agreement is not None
    sides: dict[str, Any] = {"lender": loan.lender.id, "borrower": loan.party.id}
    for party in [sides[agreement.turn]] if agreement.turn else sides.values():
        outbox.write(session, members.e_mails_of(session, party, on=today()), "agreement", at=at, loan=loan,
                     agreement=agreement)  # fmt: skip


def printable(reading: Reading) -> dict[str, Any]:
    """What the paper says, for Typst: every word is data, none is markup."""
    agreement, loan = reading.agreement, reading.loan
    with force_locale(PAPERS):
        said = {"superseded": _("Cette convention est remplacée : elle ne vaut plus."),
                "void": _("Ce prêt est annulé : cette convention ne vaut plus."),
                "erased": _("Le texte de cette convention a été effacé.")}  # fmt: skip
        return {
            "lang": PAPERS,
            "title": f"{agreement.title} – {agreement.called}",
            "number": agreement.called,
            "lender": loan.lender.name,
            "blocks": _levelled(agreement.blocks),
            "warning": said.get(reading.state, ""),
            "signatures": [_signed(agreement, loan, side) for side in ("lender", "borrower")],
            "digest": _("Empreinte du texte (SHA-256) : %(digest)s", digest=agreement.digest.hex()),
        }


def _levelled(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Blocks with the level of headings, of which the first is always the highest: readers of the paper count on it."""
    told: list[dict[str, Any]] = []
    for block in blocks:
        deeper = block.kind == "heading" and any(each["level"] for each in told)
        told.append({**block._asdict(), "level": 2 if deeper else int(block.kind in ("title", "heading"))})
    return told


def _signed(agreement: AgreementView, loan: Loan, side: str) -> dict[str, str]:
    of, kept = loan.lender if side == "lender" else loan.party, agreement.signatures.get(side)
    who = _("Pour le prêteur, %(name)s", name=of.name)
    if side == "borrower":
        who = _("L’emprunteur, %(name)s", name=of.name)
    if kept is None:
        return {"who": who, "said": "", "when": ""}
    when = _("accepté en ligne le %(instant)s", instant=instant(kept.signed_at)) if kept.how == "online" else _(
        "signé sur papier le %(day)s", day=in_words(kept.signed_on))  # fmt: skip
    return {"who": who, "said": kept.sentence or _("(nom effacé)"), "when": when}

