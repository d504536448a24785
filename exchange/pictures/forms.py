"""The form of a picture."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.file import FileField
from wtforms import StringField
from wtforms.validators import DataRequired
from wtforms.validators import Length as LengthOf

from exchange.forms import KeyedForm

MOST_BYTES = 10 * 1024 * 1024


class PictureForm(KeyedForm):
    """A picture and what it shows."""

    file = FileField(
        lazy_gettext("Photo"),
        description=lazy_gettext(
            "JPEG, PNG ou WebP, 10 Mo au plus. Le lieu et l’heure que l’appareil y a écrits sont effacés."
        ),
        render_kw={"accept": "image/jpeg,image/png,image/webp"},
    )
    words = StringField(
        lazy_gettext("Ce qu’on y voit"),
        description=lazy_gettext("Pour qui ne voit pas la photo. Par exemple\u00a0: la salle vide, la scène au fond."),
        validators=[DataRequired(lazy_gettext("Dites en quelques mots ce qu’on y voit.")), LengthOf(max=200)],
    )

    def given(self) -> bytes | None:
        """What was uploaded; when nothing was, that is said beside the field."""
        upload = self.file.data
        if not upload or isinstance(upload, str) or not upload.filename:
            self.file.errors = [_("Choisissez une photo sur votre appareil.")]
            return None
        data: bytes = upload.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            said = _("Cette photo est trop lourde\u00a0: 10\u00a0Mo au plus. Réduisez-la, ou prenez-la plus petite.")
            self.file.errors = [said]
            return None
        return data
