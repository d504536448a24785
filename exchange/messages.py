"""The sentences to translate, collected from the code and the templates into ``exchange/translations``.

They are written in French, so the French catalogue says each one as it is; it exists for its plurals ("0 personne").
English is written by hand, and so are the drafts of other languages, which are offered only when the installer says so.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from exchange.config import ROOT
from exchange.i18n import DRAFTS

TRANSLATIONS = ROOT / "exchange" / "translations"
# N marks a sentence that is translated later, when it is said
KEYWORDS: dict[str, Any] = {
    **DEFAULT_KEYWORDS, "lazy_gettext": None, "lazy_ngettext": (1, 2), "N": None, "elided": None,
}  # fmt: skip
SINCE = datetime(2026, 11, 1, tzinfo=UTC)  # the same in every file, so that only sentences change in them


def found(root: Path = ROOT) -> Catalog:
    """Every sentence of the code and the templates, with the files that say it."""
    with (root / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    catalog = Catalog(project="Marronnier", creation_date=SINCE)
    for folder in ("exchange", "templates"):
        for file, _line, sentence, comments, context in extract_from_dir(
            root / folder, methods, options, KEYWORDS, comment_tags=("Translators:",)
        ):
            catalog.add(sentence, locations=[(f"{folder}/{file}", 0)], auto_comments=comments, context=context)
    return catalog


def brought_up_to(template: Catalog, locale: str) -> Catalog:
    """The catalogue of a language with the sentences of ``template``, keeping what was translated of them."""
    file = TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po"
    catalog = Catalog(locale=locale)
    if file.exists():
        with file.open("rb") as kept:
            catalog = read_po(kept, locale=locale)
    catalog.update(deepcopy(template), no_fuzzy_matching=True)  # a catalogue keeps the very sentences that it is given
    draft = ", a draft that no speaker has reviewed" if locale in DRAFTS else ""
    catalog.header_comment = f"# Marronnier: {locale}{draft}"
    catalog.project, catalog.version, catalog.msgid_bugs_address = "Marronnier", "", ""
    catalog.last_translator = catalog.language_team = "Marronnier"
    catalog.creation_date = catalog.revision_date = SINCE
    catalog.fuzzy = False
    return catalog


def said_as_written(catalog: Catalog) -> Catalog:
    """The catalogue of the language in which the sentences are written."""
    for message in catalog:
        if message.id:
            message.string = message.id
    return catalog


def missing(catalog: Catalog) -> list[str]:
    """The sentences without a translation, in each of their forms."""
    return [forms(message.id)[0] for message in catalog if message.id and not all(forms(message.string))]


def forms(said: Any) -> list[str]:
    """The forms of a sentence: one, or one for each plural; a new one has none yet."""
    return [said or ""] if said is None or isinstance(said, str) else list(said)


def keep(catalog: Catalog) -> None:
    """Write a catalogue, sentences in order, without what is said no more."""
    file = TRANSLATIONS / str(catalog.locale) / "LC_MESSAGES" / "messages.po"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as out:
        write_po(out, catalog, width=120, sort_output=True, ignore_obsolete=True, include_lineno=False)


def collect() -> list[str]:
    """Bring every catalogue up to the code; return the sentences that English lacks."""
    template = found()
    keep(said_as_written(brought_up_to(template, "fr")))
    english = brought_up_to(template, "en")
    keep(english)
    for draft in DRAFTS:
        keep(brought_up_to(template, draft))
    return missing(english)
