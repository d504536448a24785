"""Pages of the books for treasurers, auditors and administrators: read everything, change nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from exchange import clock
from exchange.audit import operations, queries
from exchange.audit.forms import ACCOUNT_KINDS, KINDS, DateForm, EntriesForm
from exchange.audit.wording import CHECKED
from exchange.db import db, transaction, unhurried
from exchange.errors import NotFound
from exchange.formats import local
from exchange.members import queries as members
from exchange.paging import older_than, page_number
from exchange.security import OFFICES, auth_required, held, office, territory
from exchange.sheets import sheet
from exchange.statements import queries as statements
from ledger.entries import Acting
from ledger.store import browsing, reading
from ledger.store.browsing import Sought

audit = Blueprint("audit", __name__)

MOST_EXPORTED = 200_000  # entries in one file
PAGE = 40  # accounts


class Desk(NamedTuple):
    """The community whose books are open, and what the person may do besides reading."""

    community: members.CommunityView
    by: Acting
    corrects: bool
    administers: bool


def _desk(token: str, permission: str = "books.read") -> Desk:
    """Raises NotAllowed without the mandate, NotFound when the party is no community."""
    held_by = office(permission, token)
    community = members.community_by_token(db.session(), token)
    if community is None:
        raise NotFound
    roles = {mandate.role for mandate in held() if mandate.party_id == community.party_id}
    return Desk(community, held_by.by, bool(roles & OFFICES["books.correct"]), "administrator" in roles)


def _start(day: date) -> datetime:
    """Midnight of a day on the clocks of the territory."""
    return datetime.combine(day, datetime.min.time(), ZoneInfo(territory().zone))


# -- every account


@audit.get("/administration/<community>/comptes")
@auth_required()
def trial_balance(community: str) -> str | tuple[str, int]:
    """Every account with its balance, now or on an evening past; and their sum, which is zero."""
    desk, form = _desk(community), DateForm(request.args)
    valid = form.validate()
    balance = queries.trial_balance(db.session(), desk.community.id, before=_evening(form) if valid else None)
    last = max(1, -(-len(balance.rows) // PAGE))
    number = min(last, page_number(request.args.get("page", "")))
    whole = "tout" in request.args
    page = render_template(
        "audit/trial_balance.html", desk=desk, form=form, balance=balance, kinds=ACCOUNT_KINDS, number=number,
        last=1 if whole else last, rows=balance.rows if whole else balance.rows[PAGE * (number - 1) : PAGE * number],
        narrowed={"le": form.le.data.isoformat()} if valid and form.le.data else {},
    )  # fmt: skip
    return page if valid else (page, 422)


def _evening(form: DateForm) -> datetime | None:
    return _start(form.le.data + timedelta(days=1)) if form.le.data else None


@audit.get("/administration/<community>/comptes.csv")
@auth_required()
def trial_balance_sheet(community: str) -> Response:
    """The same for a spreadsheet."""
    desk, form = _desk(community), DateForm(request.args)
    before = _evening(form) if form.validate() else None
    unhurried(db.session())
    balance = queries.trial_balance(db.session(), desk.community.id, before=before)
    return sheet(
        "balance.csv",
        [_("Compte de"), _("Genre"), _("Solde en minutes"), _("Minutes réservées"), _("Limite basse"),
         _("Limite haute"), _("Ouvert le"), _("Clos le")],
        ([row.holder.name, str(ACCOUNT_KINDS[row.standing.kind]), row.standing.balance, row.standing.held,
          row.standing.floor, row.standing.ceiling, _day(row.standing.opened_at), _day(row.standing.closed_at)]
         for row in balance.rows),
    )  # fmt: skip


def _day(at: datetime | None) -> str:
    return local(at).date().isoformat() if at else ""


@audit.get("/administration/<community>/comptes/<account>")
@auth_required()
def account(community: str, account: str) -> str:
    """The whole life of an account: opened, limits, every movement, closed."""
    desk, session = _desk(community), db.session()
    found = reading.account_within(session, account, parties=[], communities=[desk.community.id])
    if found is None:
        raise NotFound
    life = browsing.life(session, found.id)
    return render_template(
        "audit/account.html", desk=desk, account=found, life=life, now=clock.now(),
        holder=members.parties(session, [found.party_id])[found.party_id], kinds=ACCOUNT_KINDS, entry_kinds=KINDS,
        signers=members.signers(session, [happening.by_sign_in for happening in life]),
        page=statements.page(session, found.id, before=older_than()),
    )  # fmt: skip


# -- every entry


def _sought(form: EntriesForm) -> Sought | None:
    """What the form narrows to; None when it names a sign-in that nobody has."""
    sign_in = None
    if form.par.data:
        found = members.sign_in_named(db.session(), form.par.data)
        if found is None:
            return None
        sign_in = found.id
    return Sought(
        kind=form.nature.data or None,
        by_sign_in=sign_in,
        mandates=queries.mandates_for_others(db.session()) if form.pour.data else None,
        since=_start(form.le.data) if form.le.data else None,
        until=_start(form.le.data + timedelta(days=1)) if form.le.data else None,
    )


@audit.get("/administration/<community>/ecritures")
@auth_required()
def entries(community: str) -> str | tuple[str, int]:
    """Every entry, newest first, narrowed by kind, by who typed it, by day."""
    desk, form = _desk(community), EntriesForm(request.args)
    valid = form.validate()
    sought = _sought(form) if valid else None
    page = queries.Page([], newer=False, older=None)
    if sought is not None:
        page = queries.entries(db.session(), desk.community.id, sought, before=older_than())
    narrowed = {name: value for name, value in request.args.items() if name in form and value}
    shown = render_template("audit/entries.html", desk=desk, form=form, page=page, kinds=KINDS, narrowed=narrowed)
    return shown if valid else (shown, 422)


@audit.get("/administration/<community>/ecritures.csv")
@auth_required()
def entries_sheet(community: str) -> Response:
    """Every movement for a spreadsheet, oldest first, narrowed as the page is."""
    desk, form = _desk(community), EntriesForm(request.args)
    sought = _sought(form) if form.validate() else None
    told: Iterable[queries.Told] = []
    if sought is not None:
        unhurried(db.session())
        told = reversed(queries.entries(db.session(), desk.community.id, sought, size=MOST_EXPORTED).told)
    return sheet(
        "ecritures.csv",
        [_("Écriture"), _("Enregistrée le"), _("Jour"), _("Nature"), _("De"), _("À"), _("Minutes"), _("Saisie par"),
         _("Pour"), _("Corrige"), _("Corrigée par"), _("Origine"), _("Mots"), _("Identifiant")],
        ([one.written.id, one.written.recorded_at.isoformat(timespec="seconds"), one.written.happened_on.isoformat(),
          str(KINDS[one.written.kind]), one.parties[move.from_party].name, one.parties[move.to_party].name,
          move.minutes, one.typed_by.name if one.typed_by else "", one.acting, one.written.corrects,
          one.written.corrected_by,
          " ".join(map(str, filter(None, (one.written.cause_kind, one.written.cause_id)))),
          one.written.note or one.cause or "", one.typed_by.user_name if one.typed_by else ""]
         for one in told for move in one.written.moved),
    )  # fmt: skip


@audit.get("/administration/<community>/ecritures/<int:entry>")
@auth_required()
def entry(community: str, entry: int) -> str:
    """One entry: what moved, who wrote it and for whom, what it comes from, what corrects it."""
    desk = _desk(community)
    told = queries.entry(db.session(), desk.community.id, entry) if entry < 2**63 else None
    if told is None:
        raise NotFound
    return render_template("audit/entry.html", desk=desk, told=told, kinds=KINDS)


@audit.get("/administration/<community>/exceptions")
@auth_required()
def exceptions(community: str) -> str:
    """What is out of the ordinary: exceptions to the limits, accounts outside theirs, the last corrections."""
    desk, session, at = _desk(community), db.session(), clock.now()
    found = browsing.exceptions(session, desk.community.id, at=at)
    balance = queries.trial_balance(session, desk.community.id)
    return render_template(
        "audit/exceptions.html", desk=desk, exceptions=found, now=at, outside=balance.outside,
        rows={row.standing.account: row for row in balance.rows},
        signers=members.signers(session, [each.by_sign_in for each in found]),
        corrections=queries.entries(session, desk.community.id, Sought(kind="correction"), size=10).told,
    )  # fmt: skip


# -- the checks, and the letters


@audit.get("/administration/<community>/verification")
@auth_required()
def verification(community: str) -> Response:
    """What the last recomputing found. While one is awaited, the page comes again until somebody stops that."""
    desk, session = _desk(community), db.session()
    last, asked = queries.recomputed(session, desk.community.id), queries.recomputing(session, desk.community.id)
    still = "fixe" in request.args
    answer = make_response(render_template(
        "audit/verification.html", desk=desk, last=last, asked=asked, still=still, checked=CHECKED,
        signers=members.signers(session, [last.by_sign_in] if last and last.by_sign_in else []),
    ))  # fmt: skip
    if asked and not still:
        answer.headers["Refresh"] = "3"
    return answer


@audit.post("/administration/<community>/verification")
@auth_required()
def recompute(community: str) -> Answer:
    """Have everything recomputed from the entries, by the worker."""
    desk = _desk(community)
    with transaction() as session:
        operations.ask(session, community=desk.community.id, by=desk.by, at=clock.now())
    return redirect(url_for("audit.verification", community=community), 303)


@audit.get("/administration/<community>/lettres")
@auth_required()
def letters(community: str) -> str:
    """The letters to the people of a community, and whether they left.

    Their words are shown only where no mail leaves: a letter may carry the link that opens somebody's sign-in.
    """
    desk = _desk(community, "community.letters")
    found = queries.letters(db.session(), desk.community.id, before=older_than(), size=26)
    shown, more = found[:25], len(found) > 25
    here = url_for("audit.letters", community=community)
    return render_template(
        "audit/letters.html", desk=desk, letters=shown, readable=current_app.config["MAIL_BACKEND"] != "smtp",
        newer=here if older_than() else None, older=f"{here}?avant={shown[-1].id}" if more else None,
    )  # fmt: skip
