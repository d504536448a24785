"""The documents that the town asks for since yesterday; files of associations: whole, to look at, lacking."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from exchange.bookings import operations as bookings
from exchange.bookings.wanted import Request, Wanted
from exchange.charters import queries as charters
from exchange.demo.people import TOWN
from exchange.demo.world import Somebody, World
from exchange.documents import operations, queries
from exchange.documents.operations import Wording
from exchange.documents.queries import KindView
from ledger.errors import Refused

ROOM = "Salle du Lavoir"
WHOLE, TO_LOOK_AT, LACKING = (
    "Comité des fêtes de Saint-Marron", "Le Repair Café des Écluses", "Les Jardins partagés du Port-Nihan",
)  # fmt: skip


def plan(world: World) -> None:
    """What is asked since yesterday evening changes nothing of what was asked for before."""
    world.story.plan(world.calendar.moment(-1, 19), _documents, world)


def _documents(world: World, *, at: datetime) -> None:
    by = world.offices[f"officer of {TOWN}"]
    help_ = "Responsabilité civile, pour ce que vous organisez. Votre assureur l'envoie gratuitement."
    insurance = Wording("Attestation d'assurance", help_, verified=True, categories=["Salle"])
    commitment = Wording("Contrat d'engagement républicain", "Signé par la personne qui représente l'association.",
                         expires=False, classes=["local-association"], categories=["Salle"])  # fmt: skip
    for wording in (insurance, commitment):
        operations.write(world.session, wording, lender=by.party, by=by, at=at)
    asked, promised = queries.kinds_of(world.session, by.party)
    for number, (name, purpose) in enumerate(((LACKING, "Troc de graines"), (TO_LOOK_AT, "Atelier vélo"),
                                              (WHOLE, "Repas des bénévoles"))):  # fmt: skip
        who = world.organisations[name]
        if who.signs_in and _ask(world, who, purpose, after=20 + number, at=at) and name != LACKING:
            later = at + timedelta(minutes=10 * number)
            _give(world, who, asked, at.date() + timedelta(days=300), at=later)
            _give(world, who, promised, None, at=later)
    _look(world, asked, at=at + timedelta(minutes=40))


def _ask(world: World, who: Somebody, purpose: str, *, after: int, at: datetime) -> bool:
    """On the first day when the room is free; return whether one was found."""
    room = world.resources[ROOM]
    accepts = frozenset(each.token for each in charters.of_lender(world.session, room.lender_id))
    for days in range(after, after + 30):
        starts, ends = world.calendar.moment(days, 14), world.calendar.moment(days, 17)
        request = Request(who.party, (Wanted(room),), starts, ends, purpose, 25, accepts)
        try:
            with world.session.begin_nested():
                bookings.ask(world.session, request, zone=world.calendar.zone, by=who.by, at=at)
            return True
        except Refused:
            continue
    return False


def _give(world: World, who: Somebody, kind: KindView, until: date | None, *, at: datetime) -> None:
    clean = operations.cleaned([_photo(kind.name, who.name, until)])
    operations.give(world.session, kind, clean, party=who.party, valid_until=until, today=at.date(), by=who.by, at=at)


def _photo(title: str, name: str, until: date | None) -> bytes:
    """A sheet of paper on a table."""
    table = Image.new("RGB", (900, 1200), "#8a7a66")
    pen = ImageDraw.Draw(table)
    pen.rectangle((70, 60, 830, 1140), fill="#fbfaf5")
    lines = [title, "", name, "", f"Valable jusqu'au {until:%d/%m/%Y}" if until else "Lu et approuvé", "", "(exemple)"]
    for number, line in enumerate(lines):
        pen.text((130, 150 + 70 * number), line, fill="#222222", font=ImageFont.load_default(34 if number else 42))
    out = BytesIO()
    table.save(out, "PNG")
    return out.getvalue()


def _look(world: World, asked: KindView, *, at: datetime) -> None:
    """The officer looked at the first association's; the other waits."""
    found = queries.of_parties(world.session, [world.organisations[WHOLE].party])
    for document in found:
        if document.kind_id == asked.id:
            operations.verify(world.session, document, by=world.offices[f"officer of {TOWN}"], at=at)
