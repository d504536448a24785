"""Forms of an import, and what it says in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.file import FileField
from wtforms import SelectField
from wtforms.fields import SelectChoice

from exchange.formats import day
from exchange.forms import Form, KeyedForm
from exchange.imports.policy import SENTENCES, Reason

ENCODINGS = {
    "": lazy_gettext("Deviner"),
    "utf-8": "UTF-8",
    "windows-1252": "Windows-1252",
    "iso-8859-1": "ISO-8859-1",
}
DELIMITERS = {
    "": lazy_gettext("Deviner"),
    ";": lazy_gettext("point-virgule"),
    ",": lazy_gettext("virgule"),
    "tab": lazy_gettext("tabulation"),
}
LAYOUTS = {
    "erp": lazy_gettext("liste de bâtiments recevant du public (ERP)"),
    "scdl-equipements": lazy_gettext("équipements au format national (SCDL)"),
    "things": lazy_gettext("liste de matériel"),
    "mapped": lazy_gettext("colonnes indiquées par vous"),
}
KINDS = {"place-with-room": lazy_gettext("Des lieux et des salles"), "thing": lazy_gettext("Du matériel")}
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "place-with-room": {
        "name": lazy_gettext("Nom"),
        "source_ref": lazy_gettext("Référence dans le fichier"),
        "category": lazy_gettext("Catégorie"),
        "capacity": lazy_gettext("Capacité, en personnes"),
        "address_number": lazy_gettext("Numéro dans la rue"),
        "street": lazy_gettext("Rue"),
        "complement": lazy_gettext("Complément d’adresse"),
        "complement_2": lazy_gettext("Complément d’adresse, suite"),
        "postcode": lazy_gettext("Code postal"),
        "town": lazy_gettext("Commune"),
        "interop_key": lazy_gettext("Clé d’interopérabilité de l’adresse"),
        "latitude": lazy_gettext("Latitude"),
        "longitude": lazy_gettext("Longitude"),
        "owner": lazy_gettext("Propriétaire"),
        "erp_category": lazy_gettext("Catégorie de sécurité (I à V)"),
        "erp_category_words": lazy_gettext("Catégorie de sécurité, en mots"),
        "erp_type": lazy_gettext("Type de bâtiment (lettre)"),
        "erp_type_words": lazy_gettext("Type de bâtiment, en mots"),
        "accessibility": lazy_gettext("Accessibilité"),
        "opening_hours": lazy_gettext("Heures d’ouverture"),
        "phone": lazy_gettext("Téléphone"),
        "email": lazy_gettext("Courriel"),
        "web": lazy_gettext("Site internet"),
        "theme": lazy_gettext("Thème"),
        "collectivity": lazy_gettext("Collectivité"),
        "collectivity_number": lazy_gettext("Numéro SIRET de la collectivité"),
    },
    "thing": {
        "name": lazy_gettext("Nom"),
        "source_ref": lazy_gettext("Référence dans le fichier"),
        "category": lazy_gettext("Catégorie"),
        "quantity": lazy_gettext("Quantité"),
        "inventory": lazy_gettext("Numéros d’inventaire"),
        "place": lazy_gettext("Lieu"),
        "owner": lazy_gettext("Propriétaire"),
        "value": lazy_gettext("Valeur en euros"),
        "photo": lazy_gettext("Adresse de la photo"),
        "acquired_on": lazy_gettext("Date d’achat"),
    },
}


class UploadForm(KeyedForm):
    """A file to import."""

    file = FileField(
        lazy_gettext("Fichier CSV"),
        description=lazy_gettext("5 Mo au plus. Depuis un tableur\u00a0: « Enregistrer sous », puis le format CSV."),
    )

    def given(self) -> tuple[str, bytes] | None:
        """The file's name and content; without one, that is said beside the field."""
        upload = self.file.data
        if not upload or isinstance(upload, str) or not upload.filename:
            self.file.errors = [_("Choisissez un fichier sur votre appareil.")]
            return None
        return upload.filename, upload.read()


class ReadingForm(Form):
    """How a file is read, when the guess is wrong."""

    encoding = SelectField(
        lazy_gettext("Codage des lettres accentuées"), choices=[SelectChoice(*pair) for pair in ENCODINGS.items()]
    )
    delimiter = SelectField(
        lazy_gettext("Séparateur des colonnes"), choices=[SelectChoice(*pair) for pair in DELIMITERS.items()]
    )


class Columns:
    """Which of our fields each column of a file holds, as a person says it: ``colonne-0=name``."""

    def __init__(self, header: Sequence[str], kind: str, chosen: Mapping[str, str]) -> None:
        self.header = header
        self.kind = kind
        self.chosen = chosen  # column -> field
        self.errors: list[str] = []

    @classmethod
    def sent(cls, header: Sequence[str], kind: str, form: Mapping[str, str]) -> Columns:
        """As the form said it; an unknown field is taken for none."""
        said = {column: form.get(f"colonne-{n}", "") for n, column in enumerate(header)}
        return cls(header, kind, {column: name for column, name in said.items() if name in FIELDS[kind]})

    def by_field(self) -> dict[str, str] | None:
        """Our field -> its column; None, with its error, when two columns claim one field or none is the name."""
        columns: dict[str, str] = {}
        for column, name in self.chosen.items():
            if name in columns:
                self.errors.append(
                    _(
                        "Deux colonnes ne peuvent pas donner la même chose : « %(first)s » et « %(second)s ».",
                        first=columns[name], second=column,
                    )
                )  # fmt: skip
            columns.setdefault(name, column)
        if "name" not in columns:
            self.errors.append(in_words(Reason("mapping-name-missing")))
        return None if self.errors else columns


def in_words(reason: Reason | Mapping[str, Any]) -> str:
    """A reason in the language of the page, fresh or as it was kept with a line."""
    code, params = (reason.code, reason.params) if isinstance(reason, Reason) else (reason["code"], reason["params"])
    if "day" in params:
        params = {**params, "day": _day_in_words(params["day"])}
    return str(_(SENTENCES[code], **params)) if code in SENTENCES else str(code)


def _day_in_words(kept: str) -> str:
    try:
        return day(date.fromisoformat(kept), "short")
    except ValueError:
        return kept  # as older reports have it: 28/11/2026
