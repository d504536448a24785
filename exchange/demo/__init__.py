"""The demonstration territory: Saint-Marron-sur-Vilaine, which doesn't exist.

Two years of its life are told in order through the operations of each capability, as people would have lived them, and
end on the day when it is loaded. The same seed and the same day tell the same life.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

import psycopg
from flask_security import hash_password
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from exchange import clock, i18n
from exchange.adverts.models import Advert
from exchange.audit import operations as audit
from exchange.bookings.models import Booking
from exchange.db import db, transaction
from exchange.declarations.models import Declaration
from exchange.demo import (
    files,
    handing,
    hesitating,
    lending,
    naming,
    neighbours,
    notices,
    papers,
    people,
    stories,
)
from exchange.demo.story import Calendar, Story
from exchange.demo.world import World, texts
from exchange.members import queries as members
from exchange.upgrading import bare_app
from ledger.entries import Acting

NAME = "Saint-Marron-sur-Vilaine"
PASSWORD = "chataigne"  # noqa: S105 - of everybody, in a demonstration only
SEED = "marron"
ZONE = "Europe/Paris"

# what a visitor may try: the role, the user name
VISITORS = [
    ("membre", "annaig.lucas"),
    ("déléguée du Comité des fêtes", "katell.provost"),
    ("agente de la ville", "sylvie.mace"),
    ("responsable du Centre social", "karim.benali"),
    ("animateur, au comptoir du SEL", "ronan.gicquel"),
    ("trésorière", "solenn.thebault"),
    ("vérificateur des comptes", "jean.yves.orhant"),
    ("administratrice", "gwenola.rialland"),
]


def load(owner_url: str, say: Callable[[str], None], *, at: datetime | None = None, seed: str = SEED) -> None:
    """Fill an empty install, all or nothing; needs the application's context, to hash the password.

    ``owner_url`` names the database for the role that owns it, which alone opens a community; ``say`` tells the person
    who waits; ``at`` is the present unless another is given.
    """
    say(f"Création de {NAME} : deux ans d'échanges et de prêts, une vingtaine de secondes…")
    hashed = hash_password(PASSWORD)
    app = bare_app(owner_url)
    i18n.babel.init_app(app)  # papers are written in words
    with app.app_context():
        try:
            with transaction() as session:
                counted = fill(session, hashed=hashed, at=at or clock.now(), seed=seed)
        finally:
            db.session.remove()
            db.engine.dispose()  # the owner's connections serve nothing else
    say(counted)


def fill(session: Session, *, hashed: str, at: datetime, seed: str = SEED) -> str:
    """Tell the life of the town up to an instant, and say what it counts. ``hashed`` is everybody's password."""
    calendar = Calendar(clock.local_date(at, ZONE), ZONE)
    world = World(session, calendar, random.Random(f"{seed}:{calendar.today}"), Story(), hashed)  # noqa: S311 - no secret
    notices.plan(world, [row[0] for row in texts("people")["members"]])
    people.found(world)
    lending.plan(world)
    handing.plan(world)
    hesitating.plan(world)
    papers.plan(world)
    files.plan(world)
    neighbours.Neighbours(world).plan()
    stories.plan(world)
    world.story.tell(until=at)
    naming.rename_from(session, seed)
    _verify(session, at)
    return _counted(session)


def _verify(session: Session, at: datetime) -> None:
    """As the worker does each night."""
    for community in members.communities(session):
        asked = audit.begin(session, community=community.id, by=Acting(None, community.system_party_id), at=at)
        if asked is not None:
            audit.recompute(session, asked, at=at)


def _counted(session: Session) -> str:
    exchanges, loans, offers = (
        session.scalar(select(func.count()).select_from(model)) for model in (Declaration, Booking, Advert)
    )
    return f"{exchanges} échanges, {loans} réservations, {offers} annonces."


def sign_ins(connection: psycopg.Connection) -> list[str]:
    """One line for each sign-in that a visitor may try, for the terminal; none on a territory of one's own."""
    names = [name for _role, name in VISITORS]
    known = connection.execute("SELECT count(*) FROM sign_ins WHERE user_name = ANY (%s)", [names]).fetchone()
    if known is None or known[0] < len(names):
        return []
    return [
        f"\nPour essayer, avec le mot de passe « {PASSWORD} » :",
        *(f"  {name:<18} {role}" for role, name in VISITORS),
    ]
