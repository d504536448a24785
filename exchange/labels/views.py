"""Pages of labels: which ones, and the sheet to print."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import segno
from flask import Blueprint, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms.fields import SelectChoice

from exchange import paper
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db
from exchange.labels.forms import SheetForm
from exchange.labels.policy import MOST, SHEETS, Label, repeated
from exchange.security import Office, auth_required, office

labels = Blueprint("labels", __name__)
KINDS = {"materiel": ("thing", "pool"), "salles": ("room",), "tout": ("thing", "pool", "room")}


@labels.get("/preteurs/<lender>/etiquettes")
@auth_required()
def index(lender: str) -> str:
    """Say which labels are wanted."""
    here = office("catalogue.manage", lender)
    form = SheetForm(formdata=None, what=request.args.get("quoi"))
    form.what.choices = _choices(here)
    return _page(here, form)


def _page(here: Office, form: SheetForm) -> str:
    return render_template("labels/index.html", here=here, form=form)


def _choices(here: Office) -> list[SelectChoice]:
    """All of a kind, or one thing: for the label that came off."""
    kinds = {"materiel": _("Tout le matériel"), "salles": _("Toutes les salles"), "tout": _("Tout ce que nous prêtons")}
    one = [(it.token, it.name) for it in _all(here)]
    return [SelectChoice(*pair) for pair in (*kinds.items(), *one)]


def _all(here: Office) -> list[ResourceView]:
    return catalogue.of_lender(db.session(), here.party.id, size=MOST).rows


@labels.get("/preteurs/<lender>/etiquettes/planche")
@auth_required()
def sheet(lender: str) -> Response | tuple[str, int]:
    """The sheet as PDF, to print at its own size."""
    here = office("catalogue.manage", lender)
    form = SheetForm(request.args)
    form.what.choices = _choices(here)
    if not form.validate():
        return _page(here, form), 422
    kinds = KINDS.get(form.what.data, ())
    wanted = [it for it in _all(here) if it.kind in kinds or it.token == form.what.data]
    told = repeated([_label(it, here) for it in wanted], form.copies.data or 1)
    made = paper.pdf("labels/sheet", {
        "title": _("Étiquettes : %(name)s", name=here.party.name), "lang": str(get_locale()),
        "sheet": SHEETS[form.sheet.data]._asdict(), "skip": (form.first.data or 1) - 1,
        "labels": [_drawn(label) for label in told],
    })  # fmt: skip
    answer = Response(made, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = 'attachment; filename="etiquettes.pdf"'
    return answer


def _label(it: ResourceView, here: Office) -> Label:
    return Label(it.name, it.inventory_number, here.party.name,
                 url_for("bookings.resource", resource=it.token, _external=True))  # fmt: skip


def _drawn(label: Label) -> dict[str, Any]:
    out = BytesIO()
    segno.make(label.address, error="m", micro=False).save(out, kind="svg", xmldecl=False, border=2)
    said = _("Code à scanner : %(address)s", address=label.address)
    number = _("N° %(number)s", number=label.number) if label.number else ""
    return {"name": label.name, "number": number, "lender": label.lender, "hint": _("À scanner pour réserver"),
            "qr": out.getvalue().decode(), "alt": said}  # fmt: skip
