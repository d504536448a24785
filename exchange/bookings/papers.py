"""The forms of a document: give it, say why it won't do, note that it was seen on paper."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.file import MultipleFileField
from wtforms import HiddenField
from wtforms.validators import DataRequired, Optional

from exchange.forms import MOST_BYTES, DayField, Form, KeyedForm, LongText, say

ACCEPTED = "application/pdf,image/jpeg,image/png,image/webp"
"""Telephones offer their camera for it, or a file."""


class FilesField(MultipleFileField):
    """A PDF, or photographs of a paper, of MOST_BYTES at most each."""

    def __init__(self, label: Any, **more: Any) -> None:
        said = lazy_gettext(
            "Un PDF, ou une photo bien lisible de chaque page. 10\u00a0Mo au plus par fichier. Le lieu et l’heure que"
            " l’appareil y a écrits sont effacés."
        )
        super().__init__(label, description=said, render_kw={"accept": ACCEPTED}, **more)

    def given(self) -> list[bytes]:
        """What was uploaded; empty when nothing was, or when one is too heavy, which is then said beside the field."""
        uploads = [each for each in self.data or () if getattr(each, "filename", "")]
        found = [each.read(MOST_BYTES + 1) for each in uploads]
        if any(len(data) > MOST_BYTES for data in found):
            say(self, _("Ce fichier est trop lourd\u00a0: 10\u00a0Mo au plus. Donnez plutôt une photo de chaque page."))
            return []
        return found


class GiveForm(KeyedForm):
    """A document, and until when it is valid."""

    files = FilesField(lazy_gettext("Le document"))
    valid_until = DayField(
        lazy_gettext("Valable jusqu’au"), validators=[Optional()],
        description=lazy_gettext("La date de fin écrite sur le document."),
    )  # fmt: skip
    booking = HiddenField()  # where to come back to

    def given(self) -> list[bytes]:
        """What was uploaded; when nothing was, that is said beside the field."""
        found = self.files.given()
        if not found and not self.files.errors:
            say(self.files, _("Choisissez un fichier, ou prenez une photo du document."))
        return found


class SeenForm(KeyedForm):
    """The office has it in its hands."""

    valid_until = DayField(lazy_gettext("Valable jusqu’au"), validators=[Optional()])


class RefusalForm(Form):
    """Why a document won't do."""

    document = HiddenField()  # the one that was read: another may have been given meanwhile
    reason = LongText(
        lazy_gettext("Pourquoi ?"), most=400, render_kw={"rows": 3},
        validators=[DataRequired(lazy_gettext("Dites pourquoi, pour que la personne donne le bon document."))],
        description=lazy_gettext("Par exemple : la photo est floue, on ne lit pas la date. La personne le lit."),
    )  # fmt: skip
