"""Pages of a lender's office: who may borrow what is reserved."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency
from exchange.authorisations import operations, queries
from exchange.authorisations.forms import AuthorisationForm
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db, transaction
from exchange.errors import NotFound
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.security import Office, auth_required, office, today
from ledger.errors import Refused

authorisations = Blueprint("authorisations", __name__)


@authorisations.get("/preteurs/<lender>/ressources/<resource>/autorisations")
@auth_required()
def index(lender: str, resource: str) -> str:
    """Who may borrow something that is reserved, and the form that lets somebody else."""
    desk, it = _asked(lender, resource)
    return _page(desk, it, AuthorisationForm(formdata=None))


def _asked(lender: str, resource: str) -> tuple[Office, ResourceView]:
    desk = office("catalogue.manage", lender)
    found = catalogue.mine_by_token(db.session(), desk.party.id, resource)
    if found is None:
        raise NotFound
    return desk, found


def _page(desk: Office, it: ResourceView, form: AuthorisationForm) -> str:
    session = db.session()
    found = queries.of_resource(session, it.id, on=today())
    return render_template(
        "authorisations/index.html", here=desk, resource=it, form=form, found=found,
        parties=members.parties(session, [each.party_id for each in found]),
        names=members.sign_in_names(session, [each.by_sign_in for each in found]),
    )  # fmt: skip


@authorisations.post("/preteurs/<lender>/ressources/<resource>/autorisations")
@auth_required()
def give(lender: str, resource: str) -> Response | tuple[str, int]:
    """Let somebody borrow it, once for one key."""
    desk, it = _asked(lender, resource)
    form = AuthorisationForm()
    if not form.validate():
        return _page(desk, it, form), 422
    named = members.parties_called(db.session(), form.who.data)
    if len(named) != 1:
        several = _("Plusieurs portent ce nom : écrivez le nom d’utilisateur.")
        form.who.errors = [several if named else _("Personne ne s’appelle ainsi.")]
        return _page(desk, it, form), 422

    def write(session: Session, at: datetime) -> Done:
        operations.give(session, it, named[0].id, until=form.until.data, today=today(), by=desk.by, at=at)
        return Done(url_for("authorisations.index", lender=lender, resource=resource))

    content = idempotency.digest(request.path, {"party": named[0].id, "until": form.until.data})
    try:
        done = idempotency.once(write, party=desk.party.id, key=form.key.data, content=content)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _page(desk, it, form), 422
    flash(_("%(name)s y est autorisé.", name=named[0].name), "success")
    return redirect(done.location or "/", 303)


@authorisations.post("/preteurs/<lender>/autorisations/<authorisation>/retrait")
@auth_required()
def withdraw(lender: str, authorisation: str) -> Response:
    """Let them borrow it no more."""
    desk = office("catalogue.manage", lender)
    with transaction() as session:
        ended = operations.withdraw(session, authorisation, lender=desk.party.id, by=desk.by, at=clock.now())
        resource = catalogue.views(session, [ended.resource_id])[ended.resource_id].token
    flash(_("L’autorisation est retirée. Ce qui était accepté le reste."), "success")
    return redirect(url_for("authorisations.index", lender=lender, resource=resource), 303)
