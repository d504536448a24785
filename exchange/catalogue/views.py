"""An office's pages: what it lends, adding and editing by hand, publishing many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import format_decimal, lazy_gettext, ngettext
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms.fields import SelectChoice

from exchange import clock, hours, idempotency
from exchange.catalogue import operations, policy, queries
from exchange.catalogue.forms import (
    FORMS,
    NEW_PLACE,
    NotWholeError,
    PartsForm,
    PlaceForm,
    ResourceForm,
    SpecialHoursForm,
    slots_shown,
    ticked,
    whole,
    wrong_number,
)
from exchange.db import db, transaction
from exchange.errors import NotFound
from exchange.formats import length_of_time
from exchange.forms import unprintable
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.paging import page_number
from exchange.security import Office, auth_required, office, today
from exchange.sentences import sentence_of
from ledger.errors import Refused

catalogue = Blueprint("catalogue", __name__)

KINDS = {"salle": "room", "objet": "thing", "lot": "pool"}
STATUSES = {
    "incomplete": lazy_gettext("à publier — capacité à donner"),
    "ready": lazy_gettext("à publier"),
    "published": lazy_gettext("publié"),
    "retired": lazy_gettext("plus prêté"),
}
CAPACITY = "capacite-"  # before the token of a room: the field of its capacity
WITHOUT_CATEGORY = "-"  # in an address, where nothing means every category


class Filter(NamedTuple):
    """What an officer looks at, as the address says it."""

    category: str = ""
    status: str = ""
    text: str = ""
    page: int = 1
    typed: tuple[tuple[str, str], ...] = ()  # capacities that aren't written yet, by the token of their room

    @classmethod
    def asked(cls, given: Any) -> Filter:
        """From an address or from the hidden fields of a form; anything odd is left aside."""
        status = given.get("etat", "")
        return cls(
            _printable(given.get("categorie", ""))[:80],
            status if status in STATUSES else "",
            _printable(given.get("q", ""))[:100],
            page_number(given.get("page", "")),
            tuple(capacities_typed(given))[: queries.PAGE],
        )

    def address(self, lender: str, page: int | None = None, *, to: str = "catalogue.index") -> str:
        """The page that shows this, or another that comes back to it."""
        number = page or self.page
        said = {"categorie": self.category, "etat": self.status, "q": self.text, "page": number if number > 1 else ""}
        kept: dict[str, Any] = {name: value for name, value in said.items() if value}
        kept |= {f"{CAPACITY}{token}": value for token, value in self.typed}
        return url_for(to, lender=lender, **kept)

    def rows(self, lender: int, *, page: int = 1, size: int = queries.PAGE) -> queries.Listing:
        """What answers it, of what a lender has."""
        category = "" if self.category == WITHOUT_CATEGORY else self.category or None
        return queries.of_lender(db.session(), lender, category=category, status=self.status or None,
                                 text=self.text or None, page=page, size=size)  # fmt: skip


def _printable(text: str) -> str:
    return "" if unprintable(text) else text.strip()


def capacities_typed(given: Any) -> Iterator[tuple[str, str]]:
    """The token of each room beside which a capacity was typed, and what was."""
    for name, value in given.items():
        if name.startswith(CAPACITY) and name.isprintable() and 0 < len(value) <= len("100 000"):
            yield name.removeprefix(CAPACITY), _printable(value)


class Asked(NamedTuple):
    """What was asked of the list: rows ticked, capacities typed, and what is wrong beside each, by token."""

    ticked: frozenset[str] = frozenset()
    typed: dict[str, str] = {}
    errors: dict[str, str] = {}
    summary: str = ""
    names: dict[str, str] = {}  # of what is wrong, which may be on another page


@catalogue.get("/preteurs/<lender>/ressources")
@auth_required()
def index(lender: str) -> str:
    """What a lender has, by category, with what is missing before it can be published."""
    wanted = Filter.asked(request.args)
    return listed(office("catalogue.manage", lender), wanted, Asked(typed=dict(wanted.typed)))


def listed(here: Office, wanted: Filter, asked: Asked) -> str:
    """The list, with what was asked of it."""
    session = db.session()
    return render_template(
        "catalogue/index.html", here=here, wanted=wanted, asked=asked, statuses=STATUSES,
        listing=wanted.rows(here.party.id, page=wanted.page), counts=queries.counts(session, here.party.id),
        categories=queries.categories(session, lender=here.party.id), without_category=WITHOUT_CATEGORY,
        limit_of=limit_in_words, access_of=access_in_words, most_at_once=policy.MOST_AT_ONCE,
    )  # fmt: skip


@catalogue.post("/preteurs/<lender>/publications")
@auth_required()
def publish(lender: str) -> Response | tuple[str, int]:
    """Publish the rows that are ticked, each room with the capacity typed beside it: all of them, or none."""
    here, wanted = office("catalogue.manage", lender), Filter.asked(request.form)
    boxes = [(name, value) for name, value in request.form.items() if name.startswith(CAPACITY)]
    typed = {name.removeprefix(CAPACITY): value for name, value in boxes}
    ticked = list(dict.fromkeys(request.form.getlist("ligne")))[: queries.PAGE]
    rows = {
        token: row for token, row in rows_of(here, ticked).items() if row.status != "published" or token in typed
    }  # fmt: skip
    capacities, errors = _understood(rows, typed)
    if errors or not rows:
        summary = "" if errors else str(_("Cochez au moins une ligne à publier."))
        names = {token: rows[token].name for token in errors}
        return listed(here, wanted, Asked(frozenset(ticked), typed, errors, summary, names)), 422
    with transaction() as session:
        operations.publish(session, lender=here.party.id, capacities=capacities, by=here.by, at=clock.now())
    flash(ngettext("%(num)s ressource est publiée.", "%(num)s ressources sont publiées.", len(rows)), "success")
    return redirect(not_written(here, wanted, besides=rows).address(lender), 303)


def not_written(here: Office, wanted: Filter, *, besides: Collection[str] = ()) -> Filter:
    """The filter with what was typed beside rooms that still have another capacity, but these."""
    rows = queries.mine_by_tokens(db.session(), here.party.id, [token for token, _value in wanted.typed])
    known = {token: str(row.capacity or "") for token, row in rows.items() if token not in besides}
    return wanted._replace(typed=tuple(each for each in wanted.typed if known.get(each[0], each[1]) != each[1]))


def rows_of(here: Office, tokens: list[str]) -> dict[str, queries.ResourceView]:
    """What a lender has, by token. Raises NotFound when one of them is nobody's, or another's."""
    if not all(token.isprintable() for token in tokens):
        raise NotFound
    rows = queries.mine_by_tokens(db.session(), here.party.id, tokens)
    if len(rows) != len(tokens):
        raise NotFound
    return rows


def _understood(
    rows: dict[str, queries.ResourceView], typed: dict[str, str]
) -> tuple[dict[int, int | None], dict[str, str]]:
    """The capacities by id, and by token what stands against publishing with them."""
    capacities: dict[int, int | None] = {}
    errors: dict[str, str] = {}
    for token, row in rows.items():
        try:
            capacities[row.id] = capacity = whole(typed.get(token, "")) if row.kind == "room" else None
        except NotWholeError:
            errors[token] = wrong_number()
            continue
        given = capacity or (row.capacity if token not in typed else None)
        if refused := policy.refusal_to_publish(row.kind, capacity=given, legal_max=row.legal_max):
            errors[token] = " ".join(filter(None, sentence_of(refused)))
    return capacities, errors


# By hand


@catalogue.get("/preteurs/<lender>/ressources/ajout/<kind>")
@auth_required()
def new(lender: str, kind: str) -> str:
    """The form of a room, a thing or a pool."""
    here = office("catalogue.manage", lender)
    return _form_page(here, _kind(kind), FORMS[_kind(kind)](formdata=None))


@catalogue.post("/preteurs/<lender>/ressources/ajout/<kind>")
@auth_required()
def create(lender: str, kind: str) -> Response | tuple[str, int]:
    """Add it, once for one key; with its place, when that is new."""
    here, of_kind = office("catalogue.manage", lender), _kind(kind)
    form = FORMS[of_kind]()
    form.place.choices = _places(here)
    if not (form.validate() & _new_place_named(form)):
        return _form_page(here, of_kind, form), 422
    try:
        token = _create_once(here, of_kind, form)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _form_page(here, of_kind, form), 422
    flash(_("« %(name)s » est ajouté. Publiez-le quand il est prêt.", name=form.name.data), "success")
    return redirect(url_for("catalogue.edit", lender=lender, resource=token), 303)


def _create_once(here: Office, kind: str, form: ResourceForm) -> str:
    def create(session: Session, at: datetime) -> Done:
        made = operations.add_resource(
            session, lender=here.party.id, kind=kind, by=here.by, at=at, **_facts(here, form, kind, at)
        )
        return Done(url_for("catalogue.edit", lender=here.party.token, resource=made.token), body=made.token)

    values = {field.name: field.data for field in form if field.name not in ("key", "csrf_token")}
    content = idempotency.digest(request.path, values)
    return idempotency.once(create, party=here.party.id, key=form.key.data, content=content).body or ""


def _facts(here: Office, form: Any, kind: str, at: Any) -> dict[str, Any]:
    """What a valid form says, as the catalogue keeps it; a place described in it is added."""
    names = ("name", "category", "description", "conditions", "decided_by", "photo_address")
    facts = {name: form[name].data or "" for name in names}
    facts |= {"reserved": bool(form.reserved.data), "opening_hours": form.open_hours}
    facts |= {"buffer_minutes": form.buffer_minutes.data}
    facts |= {name: form[name].data for name in policy.Terms._fields if name != "slots"}
    facts["slots"] = form.kept_slots
    facts |= {"option_days": form.option_days.data, "turn_hours": form.turn_hours.data}
    facts["option_call_days"] = form.option_call_days.data or policy.CALLED
    if kind == "room":
        facts["capacity"] = form.capacity.data
    if kind == "thing":
        facts["inventory_number"] = form.inventory_number.data or ""
    if kind == "pool":
        facts["quantity"] = form.quantity.data
    if kind != "room":
        facts["value_cents"] = form.value.data
    if form.place.data == NEW_PLACE:
        facts["place_id"] = operations.add_place(db.session(), lender=here.party.id, at=at, **_place_facts(form)).id
    else:
        place = queries.place_by_token(db.session(), here.party.id, form.place.data) if form.place.data else None
        facts["place_id"] = place.id if place else None
    return facts


def _place_facts(form: Any) -> dict[str, Any]:
    legal_min, legal_max = policy.LEGAL_LIMITS[form.erp_category.data]
    return {
        "name": form.place_name.data, "address": form.address.data or "", "postcode": form.postcode.data or "",
        "town": form.town.data or "", "erp_category": form.erp_category.data, "legal_min": legal_min,
        "legal_max": legal_max, "access": form.access.data, "access_note": form.access_note.data or "",
    }  # fmt: skip


def _new_place_named(form: Any) -> bool:
    if form.place.data != NEW_PLACE or form.place_name.data:
        return True
    form.place_name.errors = [*form.place_name.errors, _("Donnez un nom à ce lieu.")]
    return False


def _kind(word: str) -> str:
    if word not in KINDS:
        raise NotFound
    return KINDS[word]


def _places(here: Office) -> list[tuple[str, Any]]:
    known = [(place.token, place.name) for place in queries.places_of(db.session(), here.party.id)]
    return [("", _("Sans lieu")), *known, (NEW_PLACE, _("Un nouveau lieu, à décrire ici"))]


def _form_page(here: Office, kind: str, form: ResourceForm, resource: queries.ResourceView | None = None) -> str:
    form.place.choices = _places(here)
    known = queries.categories(db.session(), lender=here.party.id)
    return render_template(
        "catalogue/new.html", here=here, kind=kind, form=form, resource=resource, new_place=NEW_PLACE, known=known
    )


@catalogue.get("/preteurs/<lender>/ressources/<resource>")
@auth_required()
def edit(lender: str, resource: str) -> str:
    """One resource: its form, whether it is published, what it is made of, who did what."""
    here, shown = _shown(lender, resource)
    return _edit_page(here, shown, _filled(shown))


@catalogue.post("/preteurs/<lender>/ressources/<resource>")
@auth_required()
def update(lender: str, resource: str) -> Response | tuple[str, int]:
    """Change it; a published room keeps a capacity."""
    here, shown = _shown(lender, resource)
    form = FORMS[shown.kind]()
    form.place.choices, form.photo_kept = _places(here), shown.photo_address
    _offer_kept(form, shown)
    if not (form.validate() & _new_place_named(form)):
        return _edit_page(here, shown, form), 422
    try:
        with transaction() as session:
            at, row = clock.now(), queries.row_of(session, here.party.id, resource)
            assert row is not None, "it was shown a moment ago, and resources are never deleted"
            operations.edit(session, row, _facts(here, form, shown.kind, at), by=here.by, at=at)
    except Refused as error:
        form.refuse(error)
        return _edit_page(here, shown, form), 422
    flash(_("C’est enregistré."), "success")
    return redirect(url_for("catalogue.edit", lender=lender, resource=resource), 303)


def _filled(shown: queries.ResourceView) -> ResourceForm:
    known = shown._asdict() | ticked(shown.opening_hours)
    known |= {"place": shown.place_token or "", "value": shown.value_cents, **slots_shown(shown.slots)}
    form = FORMS[shown.kind](formdata=None, data=known)
    form.access.data, form.erp_category.data = "unknown", ""  # of a new place, should one be described
    form.address.data = form.postcode.data = form.town.data = form.access_note.data = form.place_name.data = ""
    _offer_kept(form, shown)
    return form


def _offer_kept(form: ResourceForm, shown: queries.ResourceView) -> None:
    """The times that it has now stay offered, whoever gave them."""
    for field, kept, minutes in (
        (form.buffer_minutes, shown.buffer_minutes, shown.buffer_minutes),
        (form.notice_hours, shown.notice_hours, 60 * shown.notice_hours),
        (form.turn_hours, shown.turn_hours, 60 * shown.turn_hours),
    ):
        if kept not in {choice.value for choice in field.choices}:
            field.choices = [*field.choices, SelectChoice(kept, length_of_time(minutes))]


def _shown(lender: str, resource: str) -> tuple[Office, queries.ResourceView]:
    here = office("catalogue.manage", lender)
    shown = queries.mine_by_token(db.session(), here.party.id, resource) if resource.isprintable() else None
    if shown is None:
        raise NotFound
    return here, shown


def _edit_page(
    here: Office, shown: queries.ResourceView, form: ResourceForm, parts: PartsForm | None = None, wrong: str = ""
) -> str:
    session = db.session()
    form.place.choices = _places(here)
    acts = queries.acts(session, shown.id)
    around = queries.neighbours(session, shown)
    units = queries.units_of(session, [shown.id])[shown.id]
    parts = parts or PartsForm(formdata=None, parts=[room.token for room in around if room.id in units])
    parts.parts.choices = [(room.token, room.name) for room in around]
    return render_template(
        "catalogue/edit.html", here=here, resource=shown, form=form, acts=acts, parts=parts, around=around, units=units,
        names=members.sign_in_names(session, [act.by_sign_in for act in acts]), statuses=STATUSES, wrong=wrong,
        may_part=shown.kind == "room" and around and not queries.was_published(session, shown.id),
        limit_of=limit_in_words, access_of=access_in_words, new_place=NEW_PLACE,
        known=queries.categories(session, lender=here.party.id),
    )  # fmt: skip


@catalogue.post("/preteurs/<lender>/ressources/<resource>/publication")
@auth_required()
def publish_one(lender: str, resource: str) -> Response | tuple[str, int]:
    """Publish one, with the capacity that it has."""
    here, shown = _shown(lender, resource)
    try:
        with transaction() as session:
            operations.publish(session, lender=here.party.id, capacities={shown.id: None}, by=here.by, at=clock.now())
    except Refused as error:
        form = _filled(shown)
        form.refuse(error)
        return _edit_page(here, shown, form), 422
    flash(_("« %(name)s » est publié.", name=shown.name), "success")
    return redirect(url_for("catalogue.edit", lender=lender, resource=resource), 303)


@catalogue.post("/preteurs/<lender>/ressources/<resource>/parties")
@auth_required()
def make_of(lender: str, resource: str) -> Response | tuple[str, int]:
    """Say which rooms a hall is made of."""
    here, shown = _shown(lender, resource)
    around = {room.token: room.id for room in queries.neighbours(db.session(), shown)}
    form = PartsForm()
    form.parts.choices = list(around.items())
    if not form.validate():
        raise NotFound
    try:
        with transaction() as session:
            row = queries.row_of(session, here.party.id, resource)
            assert row is not None, "it was shown a moment ago, and resources are never deleted"
            wanted = [around[token] for token in form.parts.data or ()]
            operations.make_of(session, row, wanted, by=here.by, at=clock.now())
    except Refused as error:
        form.refuse(error)
        return _edit_page(here, shown, _filled(shown), form), 422
    flash(_("C’est enregistré."), "success")
    return redirect(url_for("catalogue.edit", lender=lender, resource=resource), 303)


@catalogue.get("/preteurs/<lender>/ressources/<resource>/heures")
@auth_required()
def special_hours(lender: str, resource: str) -> str:
    """The days that have hours of their own, and the form of one more."""
    here, shown = _shown(lender, resource)
    return _special_page(here, shown, SpecialHoursForm(formdata=None))


def _special_page(here: Office, shown: queries.ResourceView, form: SpecialHoursForm) -> str:
    specials = [each for each in hours.specials_of(shown.opening_hours)[1] if each.day >= today()]
    return render_template("catalogue/hours.html", here=here, resource=shown, form=form, specials=specials)


@catalogue.post("/preteurs/<lender>/ressources/<resource>/heures")
@auth_required()
def add_special_hours(lender: str, resource: str) -> Response | tuple[str, int]:
    """Give a day hours of its own, in place of those that it may have."""
    here, shown = _shown(lender, resource)
    form = SpecialHoursForm()
    if not form.validate():
        return _special_page(here, shown, form), 422
    assert form.special is not None
    if form.special.day < today():
        form.day.errors = [_("Ce jour est passé.")]
        return _special_page(here, shown, form), 422
    if not _rewrite_hours(here, resource, form.special.day, form.special):
        form.day.errors = [_("Il y a déjà beaucoup de jours particuliers : attendez qu’ils passent, ou retirez-en.")]
        return _special_page(here, shown, form), 422
    flash(_("C’est enregistré."), "success")
    return redirect(url_for("catalogue.special_hours", lender=lender, resource=resource), 303)


@catalogue.post("/preteurs/<lender>/ressources/<resource>/heures/<day>/suppression")
@auth_required()
def remove_special_hours(lender: str, resource: str, day: str) -> Response:
    """Give a day its usual hours again."""
    here, _shown_now = _shown(lender, resource)
    try:
        when = date.fromisoformat(day)
    except ValueError as wrong:
        raise NotFound from wrong
    _rewrite_hours(here, resource, when, None)
    flash(_("Ce jour reprend ses heures habituelles."), "success")
    return redirect(url_for("catalogue.special_hours", lender=lender, resource=resource), 303)


def _rewrite_hours(here: Office, resource: str, day: date, special: hours.Special | None) -> bool:
    """Write the hours of one day, or take them away, and forget days that are over; whether there was room."""
    with transaction() as session:
        row = queries.row_of(session, here.party.id, resource)
        assert row is not None, "it was shown a moment ago, and resources are never deleted"
        weekly, specials = hours.specials_of(row.opening_hours)
        kept = [each for each in specials if each.day >= today() and each.day != day]
        written = hours.with_specials(weekly, [*kept, special] if special else kept)
        if len(written) > policy.MOST_WRITTEN:
            return False
        operations.edit(session, row, {"opening_hours": written}, by=here.by, at=clock.now())
    return True


STATES = {
    "retrait": (operations.withdraw, lazy_gettext("Ce n’est plus publié. Les réservations acceptées restent.")),
    "fin": (operations.retire, lazy_gettext("Ce n’est plus prêté. Les réservations acceptées restent.")),
    "reprise": (operations.restore, lazy_gettext("C’est de nouveau dans vos listes, à publier.")),
}


@catalogue.post("/preteurs/<lender>/ressources/<resource>/<any(retrait, fin, reprise):act>")
@auth_required()
def change_state(lender: str, resource: str, act: str) -> Response:
    """Withdraw, retire or restore."""
    here, _shown_now = _shown(lender, resource)
    do, said = STATES[act]
    with transaction() as session:
        row = queries.row_of(session, here.party.id, resource)
        assert row is not None, "it was shown a moment ago, and resources are never deleted"
        do(session, row, by=here.by, at=clock.now())
    flash(str(said), "success")
    return redirect(url_for("catalogue.edit", lender=lender, resource=resource), 303)


# Places


@catalogue.get("/preteurs/<lender>/lieux/<place>")
@auth_required()
def edit_place(lender: str, place: str) -> str:
    """What is known of a building, for all its rooms."""
    here, row = _place(lender, place)
    form = PlaceForm(formdata=None, obj=row, place_name=row.name)
    return render_template("catalogue/place.html", here=here, site=row, form=form)


@catalogue.post("/preteurs/<lender>/lieux/<place>")
@auth_required()
def update_place(lender: str, place: str) -> Response | tuple[str, int]:
    """Change it; the legal limit follows the safety category."""
    here, row = _place(lender, place)
    form = PlaceForm()
    if not form.validate():
        return render_template("catalogue/place.html", here=here, site=row, form=form), 422
    facts = _place_facts(form)
    if facts["erp_category"] == row.erp_category:
        facts["legal_min"], facts["legal_max"] = row.legal_min, row.legal_max
    with transaction() as session:
        operations.edit_place(session, row, facts)
    flash(_("C’est enregistré."), "success")
    return redirect(url_for("catalogue.index", lender=lender), 303)


def _place(lender: str, token: str) -> tuple[Office, Any]:
    here = office("catalogue.manage", lender)
    row = queries.place_by_token(db.session(), here.party.id, token) if token.isprintable() else None
    if row is None:
        raise NotFound
    return here, row


# In words


def limit_in_words(shown: queries.ResourceView) -> str:
    """The legal limit of the whole building, or nothing when it is not known."""
    least, most = (None if bound is None else format_decimal(bound) for bound in (shown.legal_min, shown.legal_max))
    if least is not None and most is not None:
        return str(_("limite légale du bâtiment : %(least)s à %(most)s personnes", least=least, most=most))
    if most is not None:
        return str(_("limite légale du bâtiment : jusqu’à %(most)s personnes", most=most))
    if least is not None:
        return str(_("limite légale du bâtiment : %(least)s personnes ou plus", least=least))
    if shown.erp_category:
        return str(_("5e catégorie : la loi ne donne pas de chiffre"))
    return str(_("limite légale du bâtiment inconnue")) if shown.place_id else ""


def access_in_words(shown: queries.ResourceView) -> str:
    """Accessibility for what it is: only what is declared compliant is accessible."""
    if shown.place_id is None:
        return ""
    if shown.access == "accessible":
        return shown.access_note or str(_("conforme"))
    if shown.access == "works-needed":
        return shown.access_note or str(_("travaux à prévoir"))
    return shown.access_note or str(_("inconnue"))
