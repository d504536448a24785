"""An office's pages: changing the same things of many resources at once, chosen on the list, checked, then written."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import hours, idempotency
from exchange.catalogue import operations, policy, queries
from exchange.catalogue.forms import CHANGES, ManyForm
from exchange.catalogue.queries import ResourceView
from exchange.catalogue.views import WITHOUT_CATEGORY, Asked, Filter, catalogue, listed, not_written, rows_of
from exchange.db import db
from exchange.errors import TooManyAtOnce
from exchange.forms import DAYS
from exchange.idempotency import Done
from exchange.security import Office, auth_required, office
from exchange.sentences import sentence_of
from ledger.errors import Refused

__all__ = ["catalogue"]  # with these pages beside those of ``views``

CONSEQUENCES = {  # of an answer, told before and after it is chosen
    "authorised": lazy_gettext("Tant que vous n’y autorisez personne, personne ne peut les demander."),
    "withdrawn": lazy_gettext("Personne ne pourra plus les demander. Les réservations acceptées restent."),
    "retired": lazy_gettext(
        "Cela les sort de vos listes. Les réservations acceptées restent, et vous pourrez revenir en arrière."
    ),
    "restored": lazy_gettext("Seulement ce qui n’était plus prêté."),
}

NOTHING_TICKED = lazy_gettext("Cochez au moins une ligne à modifier.")

Answer = str | Response | tuple[str, int]


@catalogue.get("/preteurs/<lender>/modifications")
@auth_required()
def edit_many(lender: str) -> Answer:
    """What to change of all that a filter shows, on however many pages."""
    here, wanted = office("catalogue.manage", lender), Filter.asked(request.args)
    found = wanted.rows(here.party.id, size=policy.MOST_AT_ONCE + 1).rows
    if not found:
        return _refused(here, wanted, _("Rien ne correspond à ce filtre."))
    return _begin(here, wanted, found)


@catalogue.post("/preteurs/<lender>/modifications/lignes")
@auth_required()
def edit_ticked(lender: str) -> Answer:
    """What to change of the rows that were ticked. Writes nothing."""
    here = office("catalogue.manage", lender)
    wanted = not_written(here, Filter.asked(request.form))
    tokens = list(dict.fromkeys(request.form.getlist("ligne")))
    if not tokens:
        return _refused(here, wanted, str(NOTHING_TICKED))
    return _begin(here, wanted, list(rows_of(here, tokens[: policy.MOST_AT_ONCE + 1]).values()))


def _begin(here: Office, wanted: Filter, rows: list[ResourceView]) -> Answer:
    if len(rows) > policy.MOST_AT_ONCE:
        return _refused(here, wanted, " ".join(sentence_of(TooManyAtOnce(most=policy.MOST_AT_ONCE))))
    tokens = [row.token for row in rows]
    form = ManyForm(formdata=None, among=" ".join(tokens), ligne=tokens)
    return _form_page(here, wanted, form, rows)


def _refused(here: Office, wanted: Filter, why: str) -> tuple[str, int]:
    return listed(here, wanted, Asked(summary=why, typed=dict(wanted.typed))), 422


def _form_page(here: Office, wanted: Filter, form: ManyForm, rows: list[ResourceView]) -> str:
    form.ligne.choices = [(row.token, _called(row)) for row in _in_order(rows)]
    return render_template(
        "catalogue/many.html", here=here, wanted=wanted, form=form, changes=CHANGES, consequences=CONSEQUENCES,
        known=queries.categories(db.session(), lender=here.party.id),
    )  # fmt: skip


def _in_order(rows: list[ResourceView]) -> list[ResourceView]:
    return sorted(rows, key=lambda row: (row.category.casefold(), row.sort_name, row.id))


def _called(row: ResourceView) -> str:
    """The name of a resource, and of its place when that is another."""
    return ", ".join(dict.fromkeys(filter(None, [row.name, row.place_name])))


class Plan(NamedTuple):
    """What a change would do: the rows that change, those that are so already, those that can't be, and why.

    ``parted`` counts, for each thing to change, the rows that it changes; ``detailed`` are those that lose
    opening hours which say more than can be ticked.
    """

    changed: list[ResourceView]
    same: list[ResourceView]
    refused: list[tuple[ResourceView, str]]
    parted: dict[str, int]
    detailed: list[ResourceView]


def _planned(change: policy.Change, rows: list[ResourceView]) -> Plan:
    refused = [(row, " ".join(sentence_of(why)).strip()) for row in rows if (why := change.refusal(row))]
    out = {row.id for row, _why in refused}
    differing = {row.id: change.of(row) for row in rows if row.id not in out}
    kept = [row for row in rows if row.id not in out]
    moved = {row.id for row in kept if change.moves(row)}
    parted = {name: sum(name in each for each in differing.values()) for name in change.facts}
    changed = [row for row in kept if differing[row.id] or row.id in moved]
    same = [row for row in kept if not differing[row.id] and row.id not in moved]
    opened = [row for row in changed if "opening_hours" in differing[row.id]]
    return Plan(
        changed, same, refused, parted | ({"act": len(moved)} if change.act else {}),
        [row for row in opened if hours.understood(row.opening_hours) is None],
    )  # fmt: skip


@catalogue.post("/preteurs/<lender>/modifications/verification")
@auth_required()
def check_many(lender: str) -> Answer:
    """Say what would change, and what stands against it; or show the form again. Writes nothing."""
    here, wanted, form, rows = _sent(lender)
    if not rows:
        return _refused(here, wanted, str(NOTHING_TICKED))
    if "correct" in request.form:
        return _form_page(here, wanted, form, list(rows.values()))
    if not form.validate():
        return _form_page(here, wanted, form, list(rows.values())), 422
    return _check_page(here, wanted, form, rows)


def _sent(lender: str) -> tuple[Office, Filter, ManyForm, dict[str, ResourceView]]:
    """The form, and the rows among which it chose. Raises NotFound, TooManyAtOnce."""
    here, form = office("catalogue.manage", lender), ManyForm()
    tokens = list(dict.fromkeys((form.among.data or "").split()))
    if len(tokens) > policy.MOST_AT_ONCE:
        raise TooManyAtOnce(most=policy.MOST_AT_ONCE)
    rows = rows_of(here, tokens)
    form.ligne.choices = [(token, row.name) for token, row in rows.items()]
    return here, Filter.asked(request.args), form, rows


def _check_page(here: Office, wanted: Filter, form: ManyForm, rows: dict[str, ResourceView]) -> str:
    plan = _planned(form.change, _in_order([rows[token] for token in dict.fromkeys(form.ligne.data)]))
    if plan.refused:  # to go on without them
        form.ligne.data = [row.token for row in (*plan.changed, *plan.same)]
    return render_template(
        "catalogue/check_many.html", here=here, wanted=wanted, form=form, plan=plan, changes=CHANGES,
        consequences=CONSEQUENCES, days=DAYS, week=hours.understood(form.open_hours), called=_called,
    )  # fmt: skip


@catalogue.post("/preteurs/<lender>/modifications")
@auth_required()
def change_many(lender: str) -> Answer:
    """Change them all, once for one key; or none, with what stands against it now."""
    here, wanted, form, rows = _sent(lender)
    if not rows:
        return _refused(here, wanted, str(NOTHING_TICKED))
    if not form.validate():
        return _form_page(here, wanted, form, list(rows.values())), 422
    try:
        done = _change_once(here, wanted, form, sorted({rows[token].id for token in form.ligne.data}))
    except Refused as error:
        if "resource" not in error.facts:
            raise
        return _check_page(here, wanted, form, rows_of(here, list(rows))), 422
    _tell(form, int(done.body or 0))
    return redirect(done.location or "/", 303)


def _change_once(here: Office, wanted: Filter, form: ManyForm, ids: list[int]) -> idempotency.Answer:
    change = form.change

    def write(session: Session, at: datetime) -> Done:
        changed = operations.change(session, lender=here.party.id, ids=ids, change=change, by=here.by, at=at)
        return Done(_shows(wanted, change).address(here.party.token), body=str(len(changed)))

    values = {"ids": ids, **change._asdict()}
    content = idempotency.digest(url_for("catalogue.change_many", lender=here.party.token), values)
    return idempotency.once(write, party=here.by.party, key=form.key.data, content=content)


def _shows(wanted: Filter, change: policy.Change) -> Filter:
    """The filter that shows them once they are changed."""
    if "category" in change.facts:
        wanted = Filter(change.facts["category"] or WITHOUT_CATEGORY, wanted.status, typed=wanted.typed)
    if change.act:
        wanted = wanted._replace(status="retired" if change.act == "retired" else "", page=1)
    return wanted


def _tell(form: ManyForm, number: int) -> None:
    if not number:
        flash(_("Rien n’a changé : tout était déjà ainsi."), "notice")
        return
    names = [str(CHANGES[name]) for name in form.changes.data]
    what = ", ".join(name[0].lower() + name[1:] for name in names)
    said = ngettext("%(num)s ressource est modifiée : %(what)s.", "%(num)s ressources sont modifiées : %(what)s.",
                    number, what=what)  # fmt: skip
    flash(said, "success")
