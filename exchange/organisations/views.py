"""The public pages of organisations."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from exchange.db import db, transaction
from exchange.errors import NotFound
from exchange.members.queries import party_by_token
from exchange.organisations import operations, queries
from exchange.organisations.forms import OrganisationForm
from exchange.security import auth_required, own

organisations = Blueprint("organisations", __name__)

KINDS = {
    "association": lazy_gettext("Association"),
    "firm": lazy_gettext("Entreprise"),
    "school": lazy_gettext("École"),
    "authority": lazy_gettext("Collectivité"),
    "social-centre": lazy_gettext("Centre social"),
}


@organisations.get("/structures")
def index() -> str:
    """The organisations of the territory by name."""
    work = db.session()
    searched, given = request.args.get("q", "").strip()[:100], request.args.get("apres", "")
    after = party_by_token(work, given) if given and given.isprintable() else None
    found, following = queries.organisations(work, searched=searched, after=after)
    return render_template("organisations/index.html", organisations=found, after=following, searched=searched,
                           kinds=KINDS)  # fmt: skip


def _found(token: str) -> queries.OrganisationView:
    found = queries.organisation(db.session(), token)
    if found is None:
        raise NotFound
    return found


@organisations.get("/structures/<party>")
def show(party: str) -> str:
    """What an organisation says of itself."""
    found = _found(party)
    mine = found.party.id in own("organisation.edit").parties
    return render_template("organisations/show.html", organisation=found, kinds=KINDS, mine=mine)


@organisations.route("/structures/<party>/modifier", methods=["GET", "POST"])
@auth_required()
def edit(party: str) -> Response | str | tuple[str, int]:
    """Change it, by its delegates and officers."""
    found = _found(party)
    if found.party.id not in own("organisation.edit").parties:
        raise NotFound
    form = OrganisationForm(data={"about": found.about, "contact": found.contact})
    if request.method == "POST" and form.validate():
        with transaction() as work:
            operations.edit(work, found.party.id, about=form.about.data or "", contact=form.contact.data or "")
        flash(_("C’est enregistré."), "success")
        return redirect(url_for("organisations.show", party=party), 303)
    page = render_template("organisations/edit.html", form=form, organisation=found)
    return page if request.method != "POST" else (page, 422)
