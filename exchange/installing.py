"""``marronnier install``: what only the installer does, from an empty database to the first person who signs in.

The territory, a community, the first organisations and people, and their mandates. Everything after that has its page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo, available_timezones

import click
from flask import current_app
from flask_security.recoverable import generate_reset_link
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange import clock
from exchange.errors import NotInstalled, OutlineWrong
from exchange.members import operations as members
from exchange.members import outlines, queries
from exchange.members.queries import CommunityView, PartyView
from exchange.organisations import operations as organisations
from exchange.sentences import sentence_of
from exchange.sign_in import LINK_LIVES
from ledger.errors import Refused
from ledger.store import writing

KINDS = ("association", "firm", "school", "authority", "social-centre")
CLASSES = ("town", "local-association", "firm", "outside")
LAST_DAY = date(2199, 12, 31)  # further, the books have no day
OF_ORGANISATIONS = ("delegate", "officer")
OF_COMMUNITIES = ("facilitator", "treasurer", "auditor", "administrator")
_TERRITORY = text(
    "INSERT INTO territory (id, name, zone, school_zone) VALUES (1, :name, :zone, :schools)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, zone = excluded.zone, school_zone = excluded.school_zone"
)


_OUTLINE = text("UPDATE territory SET outline = CAST(:outline AS jsonb)")


@contextmanager
def as_owner() -> Iterator[Session]:
    """All or nothing, as the owner of the tables: no page makes a community."""
    engine = create_engine(current_app.config["OWNER_URL"], poolclass=NullPool)
    try:
        with Session(engine) as session, session.begin():
            yield session
    except NotInstalled as missing:
        raise click.ClickException("Nommez d'abord le territoire : marronnier install territory.") from missing
    except Refused as refused:
        raise click.ClickException(f"{refused.rule} : {refused.facts}") from refused
    except DBAPIError as refused:
        if getattr(refused.orig, "sqlstate", "") != "42501":
            raise
        said = "La base le refuse à ce rôle : indiquez MARRONNIER_OWNER_URL, l'adresse de celui qui possède les tables."
        raise click.ClickException(said) from refused


@click.group()
def install() -> None:
    """Nommer le territoire, ouvrir une communauté, ajouter les premières structures et personnes."""


@install.command()
@click.argument("name")
@click.option("--zone", default="Europe/Paris", show_default=True, help="fuseau horaire")
@click.option("--school-zone", type=click.Choice(["A", "B", "C"]), help="zone des vacances scolaires")
def territory(name: str, zone: str, school_zone: str | None) -> None:
    """Dire ce que sert cette installation ; redit, cela remplace."""
    if zone not in available_timezones():
        raise click.ClickException(f"« {zone} » n'est pas un fuseau horaire, comme Europe/Paris ou Indian/Reunion.")
    with as_owner() as session:
        session.execute(_TERRITORY, {"name": _said(name), "zone": zone, "schools": school_zone})
    click.echo(f"Ce service est celui de {name.strip()}.")


@install.command()
@click.argument("file", type=click.File("rb"))
def outline(file: BinaryIO) -> None:
    """Importer le contour du territoire, que les cartes dessinent ; redit, cela remplace.

    FILE est du GeoJSON en WGS 84 : un Polygon, un MultiPolygon, ou un Feature ou une FeatureCollection qui en contient.
    """
    try:
        drawn = outlines.outline_of(file.read(outlines.LARGEST + 1))
    except OutlineWrong as wrong:
        raise click.ClickException(" ".join(filter(None, sentence_of(wrong)))) from wrong
    with as_owner() as session:
        queries.territory(session)
        session.execute(_OUTLINE, {"outline": json.dumps(drawn)})
    rings = [ring for polygon in drawn["coordinates"] for ring in polygon]
    click.echo(f"Le contour est dessiné avec {sum(map(len, rings))} positions.")


@install.command()
@click.argument("name")
@click.option("--unit", nargs=2, default=("marron", "marrons"), show_default=True, help="une minute, des minutes")
def community(name: str, unit: tuple[str, str]) -> None:
    """Ouvrir une communauté d'échange, avec son compte et ses limites par défaut."""
    with as_owner() as session:
        if any(known.name == name.strip() for known in queries.communities(session)):
            raise click.ClickException(f"Une communauté s'appelle déjà « {name.strip()} ».")
        members.open_community(session, name=_said(name), system_name="Marronnier", unit=unit, at=clock.now())
    click.echo(f"« {name.strip()} » est ouverte. Ajoutez-lui un administrateur, un trésorier et un vérificateur.")


@install.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="ce que c'est")
@click.option("--class", "class_", type=click.Choice(CLASSES), required=True, help="ce dont dépendent ses tarifs")
@click.option("--in", "joins", help="la communauté où elle a un compte, si elle en a un")
def organisation(name: str, kind: str, class_: str, joins: str | None) -> None:
    """Ajouter une ville, une association, une entreprise, une école, un centre social."""
    at = clock.now()
    with as_owner() as session:
        _check_new(session, name)
        added = organisations.add(session, name=_said(name), kind=kind, class_=class_, at=at)
        if joins is not None:
            account = "authority" if kind == "authority" else "organisation"
            _open_account(session, added, joins, account, at)
    click.echo(f"« {added.name} » est ajoutée.")


@install.command()
@click.argument("name")
@click.option("--e-mail", help="où lui écrire ; plusieurs personnes peuvent partager une adresse")
@click.option("--in", "joins", help="la communauté où cette personne a un compte, si elle en a un")
def person(name: str, e_mail: str | None, joins: str | None) -> None:
    """Ajouter une personne, et donner le lien où elle choisit son mot de passe."""
    at = clock.now()
    with as_owner() as session:
        added = members.add_party(session, kind="person", name=_said(name), at=at)
        if joins is not None:
            _open_account(session, queries.parties(session, [added.id])[added.id], joins, "person", at)
        user_name = members.free_user_name(session, name)
        sign_in = members.add_sign_in(session, user_name=user_name, email=e_mail, at=at)
        today = clock.local_date(at, queries.territory(session).zone)
        members.grant(session, sign_in=sign_in.id, party=added.id, role="member", starts_on=today, granted_by=None,
                      at=at)  # fmt: skip
        link, _token = generate_reset_link(sign_in)
    click.echo(f"Nom d'utilisateur : {user_name}\nMot de passe à choisir dans les {LINK_LIVES} jours : {link}")


@install.command()
@click.argument("user_name")
@click.argument("role", type=click.Choice([*OF_ORGANISATIONS, *OF_COMMUNITIES]))
@click.argument("of")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="le dernier jour, s'il y en a un")
def mandate(user_name: str, role: str, of: str, until: datetime | None) -> None:
    """Laisser quelqu'un agir pour une structure ou une communauté, dans un rôle, dès aujourd'hui."""
    at = clock.now()
    with as_owner() as session:
        sign_in = queries.sign_in_named(session, user_name)
        if sign_in is None:
            raise click.ClickException(f"Personne ne se connecte sous le nom « {user_name} ».")
        party = _organisation(session, of).id if role in OF_ORGANISATIONS else _community(session, of).party_id
        today = clock.local_date(at, queries.territory(session).zone)
        last = until.replace(tzinfo=ZoneInfo("UTC")).date() if until else None
        if last is not None and not today <= last <= LAST_DAY:
            raise click.ClickException(f"Le dernier jour va d'aujourd'hui au {LAST_DAY:%d/%m/%Y}.")
        members.grant(session, sign_in=sign_in.id, party=party, role=role, starts_on=today, ends_on=last,
                      granted_by=None, at=at)  # fmt: skip
    click.echo(f"{user_name} : {role}, pour « {of} ».")


def _said(name: str) -> str:
    if not name.strip() or len(name.strip()) > 200 or not name.isprintable():
        raise click.ClickException("Donnez un nom, de 200 caractères au plus.")
    return name.strip()


def _check_new(session: Session, name: str) -> None:
    if queries.parties_called(session, name.strip()):
        raise click.ClickException(f"Quelqu'un s'appelle déjà « {name.strip()} ».")


def _community(session: Session, name: str) -> CommunityView:
    for known in queries.communities(session):
        if known.name == name:
            return known
    raise click.ClickException(f"Aucune communauté ne s'appelle « {name} ».")


def _organisation(session: Session, name: str) -> PartyView:
    found = [party for party in queries.parties_called(session, name) if party.kind == "organisation"]
    if len(found) != 1:
        raise click.ClickException(f"Aucune structure ne s'appelle « {name} ».")
    return found[0]


def _open_account(session: Session, party: PartyView, joins: str, kind: str, at: datetime) -> None:
    of = _community(session, joins)
    writing.open_account(session, community=of.id, party=party.id, kind=kind, holder=party.name, at=at)
