"""Pages of circuits, for the office that writes its rules."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.circuits import operations, queries
from exchange.circuits.forms import CircuitForm, SpeakersForm
from exchange.circuits.queries import CircuitView
from exchange.db import db, transaction
from exchange.errors import NotFound, status_of
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.security import Office, auth_required, office, today
from ledger.errors import Refused

circuits = Blueprint("circuits", __name__)
MOST = 1000  # resources in one form


@circuits.get("/preteurs/<lender>/circuits")
@auth_required()
def index(lender: str) -> str:
    """The ways in which this lender's requests are decided."""
    desk, session = office("rules.write", lender), db.session()
    found = queries.of_lender(session, desk.party.id)
    return render_template(
        "circuits/index.html", lender=desk.party, circuits=found,
        officers=members.officers(session, desk.party.id, on=today()),
    )  # fmt: skip


@circuits.get("/preteurs/<lender>/circuits/nouveau")
@auth_required()
def new(lender: str) -> str:
    """The form of a circuit."""
    desk, form = office("rules.write", lender), CircuitForm(formdata=None)
    _offer(desk, form)
    return _page(desk, form, None)


@circuits.get("/preteurs/<lender>/circuits/<circuit>")
@auth_required()
def edit(lender: str, circuit: str) -> str:
    """A circuit, to say who speaks from now on, and what it decides on."""
    desk, kept = _kept(lender, circuit)
    form = SpeakersForm(formdata=None)
    rows = _offer(desk, form)
    for step, fields in zip(kept.steps, form.steps, strict=False):
        fields.speakers.data = [str(id_) for id_ in step.speakers]
    form.resources.data = [row.token for row in rows if row.id in kept.resources]
    return _page(desk, form, kept)


def _kept(lender: str, circuit: str) -> tuple[Office, CircuitView]:
    desk = office("rules.write", lender)
    found = queries.of_token(db.session(), desk.party.id, circuit)
    if found is None:
        raise NotFound
    return desk, found


def _offer(desk: Office, form: SpeakersForm) -> list[ResourceView]:
    """Let the form choose among the officers, and among what one of them has to decide on."""
    session = db.session()
    rows = [row for row in catalogue.of_lender(session, desk.party.id, size=MOST).rows if row.decided_by == "officer"]
    form.offer(members.officers(session, desk.party.id, on=today()), [(row.token, row.name) for row in rows])
    return rows


def _page(desk: Office, form: SpeakersForm, kept: CircuitView | None) -> str:
    steps = form.steps[: len(kept.steps)] if kept else form.steps
    return render_template("circuits/circuit.html", lender=desk.party, form=form, kept=kept, steps=steps)


@circuits.post("/preteurs/<lender>/circuits/nouveau")
@auth_required()
def create(lender: str) -> Response | tuple[str, int]:
    """Write a circuit, once for one key."""
    desk, form = office("rules.write", lender), CircuitForm()
    rows = _offer(desk, form)
    if not form.validate():
        return _page(desk, form, None), 422
    try:
        location = _once(desk, form, rows)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _page(desk, form, None), status_of(error)
    flash(_("Le circuit est enregistré. Les prochaines demandes le suivent."), "success")
    return redirect(location, 303)


def _once(desk: Office, form: CircuitForm, rows: list[ResourceView]) -> str:
    name, steps = form.name.data or "", list(form.written())
    chosen = sorted(row.id for row in rows if row.token in form.chosen())

    def write(session: Session, at: datetime) -> Done:
        made = operations.write(session, lender=desk.party.id, name=name, steps=steps, by=desk.by, at=at)
        operations.decide_on(session, made.id, before=(), after=chosen, by=desk.by, at=at)
        return Done(url_for("circuits.index", lender=desk.party.token))

    said = {"name": name, "steps": [(step, sorted(who)) for step, who in steps], "resources": chosen}
    content = idempotency.digest(request.path, said)
    return idempotency.once(write, party=desk.by.party, key=form.key.data, content=content).location or "/"


@circuits.post("/preteurs/<lender>/circuits/<circuit>")
@auth_required()
def settle(lender: str, circuit: str) -> Response | tuple[str, int]:
    """Say who speaks from now on, and what it decides on."""
    desk, kept = _kept(lender, circuit)
    form = SpeakersForm()
    rows = _offer(desk, form)
    if not form.validate():
        return _page(desk, form, kept), 422
    with transaction() as session:
        operations.settle(
            session, kept, speakers={step.id: form.speakers(step.position) for step in kept.steps},
            resources=[row.id for row in rows if row.token in form.chosen()], by=desk.by, at=clock.now(),
        )  # fmt: skip
    flash(_("C’est enregistré. Les demandes en cours passent par les personnes que vous venez de choisir."), "success")
    return redirect(url_for("circuits.index", lender=lender), 303)
