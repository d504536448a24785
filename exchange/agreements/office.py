"""Pages of the lender's office: its templates, and the agreement of each loan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency
from exchange.agreements import operations, policy, queries, telling
from exchange.agreements.forms import COVERS, FIRST, MakingForm, PaperForm, TemplateForm
from exchange.agreements.queries import VersionView
from exchange.agreements.telling import Loan, examples, loans
from exchange.agreements.views import agreements
from exchange.blocks import Block, read
from exchange.bookings import queries as bookings
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db, transaction
from exchange.errors import NotFound, status_of
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.paging import older_than
from exchange.security import Office, auth_required, office, today
from ledger.errors import Refused

__all__ = ["agreements"]  # with these pages beside those of ``views``

PAGE = 25
MOST = 500  # resources to choose from
EXAMPLES = 20  # loans with which a template can be looked at


@agreements.get("/preteurs/<lender>/conventions")
@auth_required()
def index(lender: str) -> str:
    """The templates of a lender, and the agreements that were made from them, the last first."""
    desk, session = office("booking.decide", lender), db.session()
    made = queries.of_lender(session, desk.party.id, before=older_than(), size=PAGE + 1)
    views = bookings.views(session, {each.booking_id for each in made[:PAGE]}, at=clock.now())
    told = {loan.booking.id: loan for loan in loans(session, views)}
    return render_template(
        "agreements/index.html", lender=desk.party, templates=queries.templates(session, desk.party.id),
        made=[(each, told[each.booking_id]) for each in made[:PAGE]], covers=COVERS, firsts=FIRST,
        older=made[PAGE - 1].id if len(made) > PAGE else None,
    )  # fmt: skip


# -- templates


@agreements.get("/preteurs/<lender>/conventions/nouveau")
@auth_required()
def new_template(lender: str) -> str:
    """The form of a template, which begins with an example to change."""
    desk = office("rules.write", lender)
    return _template_page(desk, TemplateForm(formdata=None, title=_("Convention de prêt"), text=_example()), None)


def _example() -> str:
    return "\n\n".join([
        "# " + _("Convention de prêt {numero}"),
        _("Entre {preteur}, prêteur, et {demandeur}, représenté par {representant}."),
        "## " + _("Ce qui est prêté"),
        _("{quoi}, {lieu}, du {du} au {au}, pour : {objet}. Personnes attendues : {personnes}."),
        "## " + _("Conditions"),
        "- " + _("Prix : {prix}. Redevance : {redevance}. Caution : {caution}."),
        "- " + _("Assurance : {assurance}."),
        "- " + _("Usage : {conditions}"),
        _("Fait le {fait_le}."),
    ])  # fmt: skip


@agreements.get("/preteurs/<lender>/conventions/<template>")
@auth_required()
def edit_template(lender: str, template: str) -> str:
    """A template, to write its next version."""
    desk, kept = _kept(lender, template)
    rows = _rows(desk)
    tokens = [it.token for it in rows if it.id in kept.resources]
    form = TemplateForm(formdata=None, title=kept.title, text=kept.text, covers=kept.covers, first=kept.first,
                        automatic=kept.automatic, resources=tokens, version=str(kept.number))  # fmt: skip
    return _template_page(desk, form, kept, rows)


def _rows(desk: Office) -> list[ResourceView]:
    return catalogue.of_lender(db.session(), desk.party.id, size=MOST).rows


def _kept(lender: str, template: str) -> tuple[Office, VersionView]:
    desk = office("rules.write", lender)
    found = queries.template(db.session(), desk.party.id, template)
    if found is None:
        raise NotFound
    return desk, found


def _template_page(
    desk: Office, form: TemplateForm, kept: VersionView | None, rows: Sequence[ResourceView] | None = None, *,
    preview: list[Block] | None = None,
) -> str:  # fmt: skip
    session = db.session()
    form.resources.choices = [(row.token, row.name) for row in rows or _rows(desk)]
    form.booking.choices = [
        (each.booking.token, f"{each.what} – {each.party.name}") for each in _loans_to_show(session, desk)
    ]
    return render_template(
        "agreements/template.html", lender=desk.party, form=form, kept=kept, preview=preview, examples=examples(),
        names=members.sign_in_names(session, [kept.by_sign_in] if kept else []),
    )  # fmt: skip


def _loans_to_show(session: Session, desk: Office) -> list[Loan]:
    """Real ones, of this lender, the last decided first."""
    return loans(session, bookings.decided(session, desk.party.id, at=clock.now(), size=EXAMPLES))


@agreements.post("/preteurs/<lender>/conventions/nouveau")
@auth_required()
def write_template(lender: str) -> Response | tuple[str, int] | str:
    """Write a template, once for one key; or show what it would give."""
    return _written(office("rules.write", lender), None)


@agreements.post("/preteurs/<lender>/conventions/<template>")
@auth_required()
def rewrite_template(lender: str, template: str) -> Response | tuple[str, int] | str:
    """Write its next version, once for one key; or show what it would give."""
    return _written(*_kept(lender, template))


def _written(desk: Office, kept: VersionView | None) -> Response | tuple[str, int] | str:
    form = TemplateForm()
    if not form.validate():
        return _template_page(desk, form, kept), 422
    try:
        if "preview" in request.form:
            return _template_page(desk, form, kept, preview=_previewed(desk, form))
        done = _once(desk, form, kept)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _template_page(desk, form, kept), status_of(error)
    flash(_("Le modèle est enregistré. Il sert pour les conventions à venir."), "success")
    return redirect(done, 303)


def _once(desk: Office, form: TemplateForm, kept: VersionView | None) -> str:
    wording = form.wording({row.token: row.id for row in _rows(desk)})
    after = kept._replace(number=_number(form, kept)) if kept else None

    def write(session: Session, at: datetime) -> Done:
        operations.write_template(session, wording, lender=desk.party.id, after=after, by=desk.by, at=at)
        return Done(url_for("agreements.index", lender=desk.party.token))

    content = idempotency.digest(request.path, wording._asdict())
    return idempotency.once(write, party=desk.by.party, key=form.key.data, content=content).location or "/"


def _number(form: TemplateForm, kept: VersionView) -> int:
    """The version that the person read; one that no page wrote is none."""
    said = form.version.data or ""
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 7 else 0


def _previewed(desk: Office, form: TemplateForm) -> list[Block]:
    """What the text would give for the loan that was chosen, or with the names of the fields."""
    session, at = db.session(), clock.now()
    text = form.text.data or ""
    policy.check(text)
    found = bookings.of_lender(session, form.booking.data or "", desk.party.id, at=at)
    values = telling.values_of(session, loans(session, [found])[0], at=at) if found else {
        field: f"[{said}]" for field, said in examples().items()}  # fmt: skip
    return read(policy.filled(text, values))


# -- the agreement of a loan


@agreements.get("/preteurs/<lender>/reservations/<booking>/convention")
@auth_required()
def of_loan(lender: str, booking: str) -> str:
    """The agreement of a loan: the one that it has, or what would be made."""
    desk, loan = loan_of(lender, booking)
    return _loan_page(desk, loan, MakingForm(formdata=None), PaperForm(formdata=None, signed_on=today()))


def loan_of(lender: str, booking: str) -> tuple[Office, Loan]:
    """A loan of a lender, for its office. Raises NotFound, NotAllowed."""
    desk = office("booking.decide", lender)
    found = bookings.of_lender(db.session(), booking, desk.party.id, at=clock.now())
    if found is None:
        raise NotFound
    return desk, loans(db.session(), [found])[0]


def _loan_page(desk: Office, loan: Loan, form: MakingForm, paper: PaperForm) -> str:
    session, at = db.session(), clock.now()
    made = queries.all_of(session, loan.booking.id)
    template = queries.template_for(session, desk.party.id, loan.lent)
    stands = loan.booking.state in operations.STANDS
    preview = None
    if template and stands and not made:
        preview = read(policy.filled(template.text, telling.values_of(session, loan, at=at)))
    return render_template(
        "agreements/of_loan.html", lender=desk.party, loan=loan, booking=loan.booking, made=made,
        agreement=made[0] if made else None, template=template, stands=stands, preview=preview, form=form, paper=paper,
        refused=paper if paper.errors else form,
    )  # fmt: skip


@agreements.post("/preteurs/<lender>/reservations/<booking>/convention")
@auth_required()
def make(lender: str, booking: str) -> Response | tuple[str, int]:
    """Make the agreement of a loan, or another in its place, once for one key."""
    desk, loan = loan_of(lender, booking)
    form = MakingForm()
    if not form.validate():
        return _loan_page(desk, loan, form, PaperForm(formdata=None, signed_on=today())), 422
    content = idempotency.digest(request.path, {"insurance": form.insurance.data})

    def write(session: Session, at: datetime) -> Done:
        made = telling.make(session, loan, insurance=form.insurance.data or "", by=desk.by, at=at,
                            replaces=queries.of_booking(session, loan.booking.id))  # fmt: skip
        return Done(url_for("agreements.show", agreement=made.token))

    try:
        done = idempotency.once(write, party=desk.by.party, key=form.key.data, content=content)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        desk, loan = loan_of(lender, booking)
        return _loan_page(desk, loan, form, PaperForm(formdata=None, signed_on=today())), status_of(error)
    flash(_("La convention est faite."), "success")
    return redirect(done.location or "/", 303)


@agreements.post("/preteurs/<lender>/reservations/<booking>/convention/papier")
@auth_required()
def note_paper(lender: str, booking: str) -> Response | tuple[str, int]:
    """The borrower signed on paper."""
    desk, loan = loan_of(lender, booking)
    form, agreement = PaperForm(), queries.of_booking(db.session(), loan.booking.id)
    if agreement is None:
        raise NotFound
    if not form.validate():
        return _loan_page(desk, loan, MakingForm(formdata=None), form), 422
    said = telling.sentence("borrower", loan, agreement.called, form.name.data)
    try:
        with transaction() as session:
            at = clock.now()
            operations.note_paper(session, agreement, name=form.name.data, sentence=said, on=form.signed_on.data,
                                  today=today(), by=desk.by, at=at)  # fmt: skip
            telling.write(session, loan, at=at)
    except Refused as error:
        form.refuse(error)
        desk, loan = loan_of(lender, booking)
        return _loan_page(desk, loan, MakingForm(formdata=None), form), status_of(error)
    flash(_("C’est noté."), "success")
    return redirect(url_for("agreements.show", agreement=agreement.token), 303)

