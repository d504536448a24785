"""Pages of the service itself: home, accessibility, health."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from flask import Flask, Response, current_app, jsonify, render_template
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import text

from exchange import clock
from exchange.adverts import queries as adverts
from exchange.bookings import queries as bookings
from exchange.catalogue import queries as catalogue
from exchange.config import ROOT
from exchange.db import db
from exchange.declarations import queries as declarations
from exchange.members import queries as members
from exchange.members.operations import SESSION_LIVES
from exchange.navigation import offices
from exchange.security import communities, held, own, territory, today
from ledger.store import reading
from ledger.store.reading import AccountView

NEWEST = 3  # of each list on the first page
STATED_ON = date(2026, 11, 22)  # when the statement of accessibility was last read again


class Purse(NamedTuple):
    """One account on the first page: whose, where, and what waits for its holder's word."""

    account: AccountView
    community: members.CommunityView
    holder: members.PartyView


def home() -> str:
    """The first page, for whoever comes."""
    if not current_user.is_authenticated:
        return _for_visitors()
    return _for_people()


def _for_visitors() -> str:
    since = today() - timedelta(days=365)
    return render_template("home.html", figures=members.figures(db.session(), since=since))


def _for_people() -> str:
    """Balances, what waits for an answer, messages, bookings, the doors of one's offices: at most twelve queries."""
    work, scope = db.session(), own("account.read")
    accounts = sorted(reading.accounts_of(work, scope.parties), key=lambda account: account.kind != "person")
    waiting = declarations.waiting(work, [account.id for account in accounts]) if accounts else []
    talks, _older = adverts.threads(work, own("thread.write").parties, size=NEWEST)
    holders = reading.parties_of(work, [a for each in waiting for a in (each.giver_account, each.receiver_account)])
    spoken = {party for talk in talks for party in (talk.thread.author_party, talk.thread.asking_party)}
    people = members.parties(work, {*holders.values(), *spoken, *(account.party_id for account in accounts)})
    by_id = {community.id: community for community in communities("member.read")}
    mine = {account.id for account in accounts}
    coming = bookings.coming(work, own("booking.read").parties, at=clock.now())
    admitting = [mandate.party_id for mandate in held() if mandate.role == "administrator"]
    return render_template(
        "home.html",
        purses=[Purse(each, by_id[each.community_id], people[each.party_id]) for each in accounts],
        to_answer=[each for each in waiting if each.receiver_account in mine],
        expected=[each for each in waiting if each.receiver_account not in mine],
        talks=talks, mine=set(scope.parties), holders=holders, people=people, communities=by_id,
        offices=offices(held()), coming=coming, lent=catalogue.views(work, [each.resource_id for each in coming]),
        applications=members.waiting_number(work, [c.id for c in by_id.values() if c.party_id in admitting])
        if admitting else 0,
    )  # fmt: skip


def accessibility() -> str:
    """The operator's statement of accessibility, on the official French model."""
    return render_template("accessibility.html", contact=contact(), established=STATED_ON, operator=operator())


def legal_notice() -> str:
    """Who answers for this service, as the law on digital services wants it said; what the installer left out, too."""
    said = {name: current_app.config.get(name.upper()) for name in ("operator_address", "publisher", "hosting")}
    return render_template("legal_notice.html", contact=contact(), operator=operator(), **said)


def privacy() -> str:
    """What is kept about people, and for how long: what the tables and the tasks really do, nothing better."""
    return render_template("privacy.html", contact=contact(), operator=operator(), days=SESSION_LIVES.days)


def operator() -> str:
    """Who runs this install."""
    return current_app.config.get("OPERATOR") or _("L’organisme qui exploite ce service à %(place)s",
                                                   place=territory().name)  # fmt: skip


def contact() -> str:
    """Where to write to the operator of this install."""
    return str(current_app.config.get("CONTACT") or current_app.config.get("MAIL_DEFAULT_SENDER") or "")


def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


def newest_migration() -> str:
    """The migration that this code expects."""
    return max(file.name.split("_")[0] for file in Path(ROOT / "migrations/versions").glob("[0-9]*.py"))


def readyz() -> tuple[Response, int]:
    """The database answers and has the tables that this code expects."""
    at = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar()
    ready = at == newest_migration()
    return jsonify(status="ok" if ready else "migrations-missing", migration=at), 200 if ready else 503


def init(app: Flask) -> None:
    """Bind to the application."""
    app.add_url_rule("/", "home", home)
    app.add_url_rule("/accessibilite", "accessibility", accessibility)
    app.add_url_rule("/mentions-legales", "legal_notice", legal_notice)
    app.add_url_rule("/confidentialite", "privacy", privacy)
    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)
