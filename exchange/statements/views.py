"""The statement of an account: its balance, what waits, what moved."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from exchange.db import db
from exchange.declarations import queries as declarations
from exchange.errors import NotFound
from exchange.members import queries as members
from exchange.paging import older_than
from exchange.security import acts_for, auth_required, community_of, counters, own, territory, today
from exchange.sheets import sheet
from exchange.statements import pictures, queries
from ledger.store import reading, sealing
from ledger.store.reading import AccountView

statements = Blueprint("statements", __name__)


def _account(token: str, permission: str) -> AccountView:
    scope = own(permission)
    account = reading.account_within(db.session(), token, parties=scope.parties, communities=scope.communities)
    if account is None:
        raise NotFound
    return account


@statements.get("/comptes")
@auth_required()
def mine() -> Response | str:
    """One's own statement; with several accounts, a choice."""
    found = counters("account.read")
    if len(found) == 1:
        return redirect(url_for("statements.show", account=found[0].account.token), 303)
    return render_template("declarations/accounts.html", counters=found, endpoint="statements.show",
                           title=_("Mes comptes"))  # fmt: skip


@statements.get("/comptes/<account>")
@auth_required()
def show(account: str) -> str:
    """Balance first, then what waits for somebody's word, then what moved."""
    session, mine = db.session(), _account(account, "account.read")
    waiting = declarations.waiting(session, [mine.id])
    sides = (account for each in waiting for account in (each.giver_account, each.receiver_account))
    holders = members.holders(session, [mine.id, *sides])
    served = not acts_for(mine.party_id)
    return render_template(
        "statements/show.html",
        account=mine,
        community=members.community(session, mine.community_id),
        holder=holders[mine.id],
        served=served, signs_in=served and members.reads_letters(session, mine.party_id, on=today()),
        page=queries.page(session, mine.id, before=older_than()),
        waiting=waiting,
        holders=holders,
        done=_just_declared(mine),
        head=sealing.last_head(session),
    )  # fmt: skip


def _just_declared(mine: AccountView) -> object:
    token = request.args.get("fait", "")
    return declarations.within(db.session(), token, [mine.id]) if token else None


@statements.get("/comptes/<account>/annee")
@auth_required()
def year(account: str) -> str:
    """A year of the account in pictures, each with its table."""
    mine = _account(account, "account.read")
    found = pictures.of_account(db.session(), mine.id, seq=mine.seq, today=today(), zone=territory().zone)
    return render_template(
        "statements/year.html", account=mine, year=found, holder=members.holders(db.session(), [mine.id])[mine.id],
        community=members.community(db.session(), mine.community_id),
    )  # fmt: skip


@statements.get("/communautes/<community>/annee")
@auth_required()
def community_year(community: str) -> str:
    """What a community exchanged in a year, for its members; nobody is named."""
    found = community_of("member.read", community)
    flows, shares = pictures.of_community(db.session(), found.id, today=today())
    return render_template("statements/community_year.html", community=found, flows=flows, shares=shares)


@statements.get("/comptes/<account>/releve.csv")
@auth_required()
def export(account: str) -> Response:
    """The whole statement as a spreadsheet reads it, oldest first."""
    session, mine = db.session(), _account(account, "account.export")
    page = queries.page(session, mine.id, size=100_000)
    return sheet(
        "releve.csv",
        [_("Numéro"), _("Jour"), _("Enregistré le"), _("Avec"), _("Quoi"), _("Minutes"), _("Solde en minutes")],
        ([row.line.seq, row.line.happened_on.isoformat(), row.line.recorded_at.isoformat(timespec="seconds"),
          row.other.name, row.declaration.description if row.declaration else "", row.line.minutes, row.line.balance]
         for row in reversed(page.rows)),
    )  # fmt: skip
