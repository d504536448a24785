"""The forms of a hand-over and of a return: one quantity for each thing, filled in with what is expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from wtforms import BooleanField, Field, RadioField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional

from exchange.bookings import policy
from exchange.bookings.policy import Back, Handed
from exchange.bookings.queries import BookingView, ItemView
from exchange.catalogue.queries import ResourceView
from exchange.forms import Form, LongText, PictureForm, Text, Whole
from exchange.keys.queries import Given, KeyView
from ledger.errors import Refused

MANY = NumberRange(min=0, max=100_000, message=lazy_gettext("Écrivez un nombre entre 0 et 100 000."))
BECAME = {
    "back": lazy_gettext("Revenu en bon état"),
    "broken": lazy_gettext("Revenu abîmé : il ne se prête plus avant réparation"),
    "lost": lazy_gettext("Perdu"),
    "still": lazy_gettext("Pas encore revenu"),
}
OF_A_ROOM = {"back": lazy_gettext("Rendue"), "still": lazy_gettext("Pas encore rendue")}
MOMENTS = {"out": lazy_gettext("Au départ"), "back": lazy_gettext("Au retour")}
NOTE = "note_"


class Counted(Form):
    """What is said of all of it."""

    remarks = LongText(lazy_gettext("Remarques sur l’ensemble"), validators=[Optional()])

    def of(self, prefix: str, it: ResourceView) -> Field | None:
        """The field of a resource, when it has one."""
        return self._fields.get(f"{prefix}_{it.token}")

    def value(self, prefix: str, it: ResourceView) -> Any:
        """What was typed of a resource; None when there is no such field, or nothing in it."""
        field = self.of(prefix, it)
        return None if field is None else field.data

    def note(self, it: ResourceView) -> str:
        """What was remarked of a resource."""
        return str(self.value("note", it) or "")

    def noted(self, resources: dict[int, ResourceView]) -> bool:
        """Whether something is remarked of one of them, or wrong in what is."""
        return any(self.says(it, "note") for it in resources.values())

    def says(self, it: ResourceView, *prefixes: str) -> bool:
        """Whether something is typed, or wrong, in one of these fields of a resource."""
        fields = [self.of(prefix, it) for prefix in prefixes]
        return any(field is not None and (field.data or field.errors) for field in fields)

    def refuse_of(self, error: Refused, resources: dict[int, ResourceView], *prefixes: str) -> None:
        """Show a domain error, beside the field of the resource that it names."""
        it = resources.get(error.facts.get("resource", 0))
        found = next((f"{prefix}_{it.token}" for prefix in prefixes if it and self.of(prefix, it)), None)
        if found:
            error.facts["field"] = found
        self.refuse(error)


def _ticks(label: Any, keys: Sequence[tuple[str, str]], default: Sequence[str] = ()) -> SelectMultipleField:
    choices = [SelectChoice(token, name) for token, name in keys]
    return SelectMultipleField(label, choices=choices, default=list(default))


def _note(it: ResourceView) -> Text:
    return Text(_("Remarque : %(name)s", name=it.name), most=400, validators=[Optional()])


# -- what leaves


def out_form(
    view: BookingView, resources: dict[int, ResourceView], keys: Sequence[KeyView], **given: Any
) -> Counted:
    """What leaves: so many of each pool, each other thing or not, and the keys that are there."""
    fields: dict[str, Any] = {}
    for item in view.items:
        it = resources[item.resource_id]
        if it.kind == "pool":
            hint = ngettext("%(num)s réservé", "%(num)s réservés", item.quantity)
            fields[f"out_{it.token}"] = Whole(it.name, default=item.quantity, description=hint, validators=[MANY])
        elif len(view.items) > 1:
            fields[f"out_{it.token}"] = BooleanField(it.name, default=True)
        fields[f"{NOTE}{it.token}"] = _note(it)
    places = {it.place_id for it in resources.values()}
    near = [key for key in keys if key.opens_any(resources.keys(), places)]
    for name, label, some in (
        ("keys", _("Quelles clés remettez-vous ?"), near),
        ("other_keys", _("Une autre clé"), [key for key in keys if key not in near]),
    ):
        if some:
            fields[name] = _ticks(label, [(key.token, _labelled(key)) for key in some])
    form: Counted = type("OutForm", (Counted,), fields)(**given)
    return form


def _labelled(key: KeyView) -> str:
    return _("%(label)s (%(note)s)", label=key.label, note=key.note) if key.note else key.label


def handed(form: Counted, view: BookingView, resources: dict[int, ResourceView]) -> dict[int, Handed]:
    """What leaves, as it was typed; what has no field leaves as it was booked."""
    found = {}
    for item in view.items:
        it, typed = resources[item.resource_id], form.value("out", resources[item.resource_id])
        found[it.id] = Handed(item.quantity if typed is None else int(typed), form.note(it))
    return found


def given_keys(form: Counted) -> list[str]:
    """The keys that are ticked."""
    return [token for name in ("keys", "other_keys") if name in form for token in form[name].data or ()]


# -- what comes back


def back_form(
    view: BookingView, resources: dict[int, ResourceView], keys: Sequence[Given], *, people: bool, **given: Any
) -> Counted:
    """What comes back of what is out: filled in as if all of it did, in good order; and how many ``people`` came."""
    fields: dict[str, Any] = {}
    out = [item for item in view.items if item.still_out]
    held = [(key.token, key.label) for key in keys if key.outcome is None]
    for item in out:
        fields |= _of_one(item, resources[item.resource_id], alone=len(out) == 1 and not held)
    if held:
        fields["keys"] = _ticks(_("Clés rendues"), held, [token for token, _name in held])
        fields["lost_keys"] = _ticks(_("Clés perdues"), held)
    if people:
        fields["people"] = Whole(
            _("Combien de personnes sont venues ?"), validators=[Optional(), MANY],
            description=_("%(num)s étaient prévues.", num=view.people) if view.people else "",
        )  # fmt: skip
    form: Counted = type("BackForm", (Counted,), fields)(**given)
    return form


def _of_one(item: ItemView, it: ResourceView, *, alone: bool) -> dict[str, Any]:
    note = {f"{NOTE}{it.token}": _note(it)}
    if it.kind == "pool":
        hint = ngettext("%(num)s est sorti", "%(num)s sont sortis", item.still_out)
        return {
            f"back_{it.token}": Whole(_("Rendus en bon état"), default=item.still_out, description=hint,
                                      validators=[Optional(), MANY]),
            f"broken_{it.token}": Whole(_("Rendus abîmés"), validators=[Optional(), MANY]),
            f"lost_{it.token}": Whole(_("Perdus"), validators=[Optional(), MANY]),
        } | note  # fmt: skip
    if it.kind == "room" and alone:
        return note
    words = OF_A_ROOM if it.kind == "room" else BECAME
    choices = [SelectChoice(value, said) for value, said in words.items() if value != "still" or not alone]
    required = InputRequired(_("Choisissez une réponse."))
    return {f"back_{it.token}": RadioField(it.name, choices=choices, default="back", validators=[required])} | note


def came_back(form: Counted, view: BookingView, resources: dict[int, ResourceView]) -> dict[int, Back]:
    """What comes back, as it was typed."""
    found = {}
    for item in view.items:
        it = resources[item.resource_id]
        if item.still_out:
            found[it.id] = _counts(form, item, it)._replace(remarks=form.note(it))
    return found


def _counts(form: Counted, item: ItemView, it: ResourceView) -> Back:
    if it.kind == "pool":
        back, broken, lost = (form.value(name, it) or 0 for name in ("back", "broken", "lost"))
        return Back(back, broken, lost)
    became = form.value("back", it) or "back"
    return policy.became(became, item.still_out)


def ticked(form: Counted, name: str) -> list[str]:
    """The keys that are ticked in a list; none when there is no such list."""
    return list(form[name].data or ()) if name in form else []


class InventoryPictureForm(PictureForm):
    """A picture of what left, or of what came back."""

    moment = RadioField(
        lazy_gettext("Quand ?"), choices=[SelectChoice(value, said) for value, said in MOMENTS.items()],
        validators=[InputRequired(lazy_gettext("Choisissez une réponse."))],
    )  # fmt: skip


class PeopleForm(Form):
    """How many people came."""

    people = Whole(
        lazy_gettext("Combien de personnes sont venues ?"),
        validators=[InputRequired(lazy_gettext("Écrivez un nombre, même zéro.")), MANY],
    )
