"""The pages of an import: give a file, check what it would do, choose, follow it, read its report."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency
from exchange.catalogue import queries as catalogue
from exchange.db import db, transaction
from exchange.errors import ImportStarted, NotFound
from exchange.forms import unprintable
from exchange.idempotency import Done
from exchange.imports import operations, queries
from exchange.imports.filling import one_address, references
from exchange.imports.forms import (
    DELIMITERS,
    ENCODINGS,
    FIELDS,
    KINDS,
    LAYOUTS,
    Columns,
    ReadingForm,
    UploadForm,
    in_words,
)
from exchange.imports.models import Import
from exchange.imports.plan import Choices, Understood, lines_of, rehearsal, told, understood
from exchange.imports.policy import DryRun, Line, MappingError, RefusedError, Status, suggested
from exchange.imports.wording import fold
from exchange.paging import page_number
from exchange.security import Office, auth_required, office, territory
from exchange.sentences import sentence_of
from exchange.sheets import sheet
from ledger.errors import Refused

imports = Blueprint("imports", __name__)

PAGE = 50  # lines
MOST_LISTED = 100  # categories or owners
WAITED = timedelta(minutes=1)  # after that, an import that doesn't end may be started again by hand
STEPS = (lazy_gettext("Déposer le fichier"), lazy_gettext("Vérifier et choisir"), lazy_gettext("Importer"))
STANDS = {  # in the order in which they are looked at: first what asks for something
    "error": lazy_gettext("en erreur"),
    "warned": lazy_gettext("à vérifier"),
    "ready": lazy_gettext("prête"),
    "repeated": lazy_gettext("répétée"),
}
BECAME = {
    "created": lazy_gettext("créée"),
    "changed": lazy_gettext("modifiée"),
    "unchanged": lazy_gettext("inchangée"),
    "left-out": lazy_gettext("laissée de côté"),
    "refused": lazy_gettext("refusée"),
}


@imports.app_template_filter("in_words")
def _in_words(reason: Any) -> str:
    return in_words(reason)


@imports.app_template_filter("refusal")
def _refusal(error: Refused) -> str:
    return " ".join(filter(None, sentence_of(error)))


# Giving a file


@imports.get("/preteurs/<lender>/imports")
@auth_required()
def index(lender: str) -> str:
    """Give a file; below, those already given."""
    return _index(office("import.run", lender), UploadForm(formdata=None))


def _index(here: Office, form: UploadForm) -> str:
    given = queries.of_lender(db.session(), here.party.id)
    return render_template("imports/index.html", here=here, form=form, given=given, steps=STEPS)


@imports.post("/preteurs/<lender>/imports")
@auth_required()
def create(lender: str) -> Response | tuple[str, int]:
    """Keep the file, once for one key, if it can be read as a table; else say why and on which line."""
    here, form = office("import.run", lender), UploadForm()
    given = form.given()
    if not form.validate() or given is None:
        if given is None:
            form.file.errors = [_("Choisissez un fichier sur votre appareil.")]
        return _index(here, form), 422
    try:
        return redirect(_receive_once(here, form, *given), 303)
    except RefusedError as unreadable:
        form.file.errors = [in_words(unreadable.reason)]
        return _index(here, form), 422


def _receive_once(here: Office, form: UploadForm, name: str, data: bytes) -> str:
    def receive(session: Session, at: datetime) -> Done:
        job = operations.receive(
            session, lender=here.party.id, choices=Choices(("VILLE", here.party.name)), file_name=name, data=data,
            by=here.by, at=at,
        )  # fmt: skip
        return Done(url_for("imports.show", lender=here.party.token, job=job.token))

    content = idempotency.digest(request.path, {"file": hashlib.sha256(data).hexdigest()})
    return idempotency.once(receive, party=here.party.id, key=form.key.data, content=content).location or "/"


# One import


def _job(lender: str, token: str) -> tuple[Office, Import]:
    here = office("import.run", lender)
    job = queries.within(db.session(), here.party.id, token) if token.isprintable() else None
    if job is None:
        raise NotFound
    return here, job


@imports.get("/preteurs/<lender>/imports/<job>")
@auth_required()
def show(lender: str, job: str) -> Response | str:
    """Where the import stands: columns to say, lines to check, work going on, or its report."""
    here, mine = _job(lender, job)
    if mine.finished_at is not None:
        return _report(here, mine)
    if mine.started_at is not None:
        return _progress(here, mine)
    known = understood(mine.data, mine.mapping, Choices.from_json(mine.choices))
    if known.layout is None:
        return redirect(url_for("imports.columns", lender=lender, job=job), 303)
    return _check_page(here, mine, known)


class Shown(NamedTuple):
    """A line as the page shows it."""

    line: Line
    kept: bool
    ticked: bool
    reasons: list[str]
    where: str


def _check_page(
    here: Office, job: Import, known: Understood, error: Refused | None = None, reading: ReadingForm | None = None
) -> str:
    choices = Choices.from_json(job.choices)
    run = rehearsal(known, choices, file_name=job.file_name, zone=territory().zone)
    status = request.values.get("statut", "")
    status = status if status in STANDS else ""
    lines = [line for stands in STANDS for line in lines_of(run) if line.status == stands and status in ("", stands)]
    pages = max(1, -(-len(lines) // PAGE))
    page = min(_page(), pages)
    return render_template(
        "imports/check.html", here=here, job=job, known=known, run=run, counts=run.counts, choices=choices,
        status=status, stands=STANDS, page=page, pages=pages, error=error,
        shown=[_shown(run, line) for line in lines[(page - 1) * PAGE : page * PAGE]],
        reading=reading or _reading_form(choices), steps=STEPS, layouts=LAYOUTS,
        encodings=ENCODINGS, delimiters=DELIMITERS, categories=run.by_category[:MOST_LISTED],
        owners=_other_owners(run, choices), known_count=_known_count(here, known, run),
    )  # fmt: skip


def _page() -> int:
    return page_number(request.values.get("page", ""))


def _wanted_page() -> tuple[str, int]:
    """Which lines to show once the choices are kept: those of the button that was pressed ("warned 2"), or the same."""
    pressed = request.form.get("vers")
    if pressed is None:
        return request.form.get("statut", ""), _page()
    status, _between, number = pressed.partition(" ")
    return status, page_number(number)


def _shown(run: DryRun, line: Line) -> Shown:
    address = line.candidate.address if line.candidate else None
    reasons = [in_words(reason) for reason in told(run, line)]
    return Shown(line, run.keeps(line), line.number in run.ticked, reasons, one_address(address) if address else "")


def _other_owners(run: DryRun, choices: Choices) -> list[tuple[str, int]]:
    """The owners named in the file that are not the lender's words yet."""
    words = {fold(word) for word in choices.owner_words}
    return [(name, number) for name, number in run.by_owner if name and fold(name) not in words][:MOST_LISTED]


def _known_count(here: Office, known: Understood, run: DryRun) -> int:
    assert known.layout is not None
    refs = references(line.candidate for line in run.chosen if line.candidate)
    return catalogue.count_from(db.session(), lender=here.party.id, source=known.layout.code, refs=refs)


def _reading_form(choices: Choices) -> ReadingForm:
    delimiter = "tab" if choices.delimiter == "\t" else choices.delimiter or ""
    return ReadingForm(formdata=None, encoding=choices.encoding or "", delimiter=delimiter)


@imports.post("/preteurs/<lender>/imports/<job>/lecture")
@auth_required()
def read_as(lender: str, job: str) -> Response | tuple[str, int]:
    """Correct the guess of letters and separator."""
    here, mine = _job(lender, job)
    form = ReadingForm()
    if mine.started_at is None and not form.validate():
        return _unread(here, mine, form), 422
    delimiter = {"tab": "\t"}.get(form.delimiter.data, form.delimiter.data) or None
    try:
        with transaction() as session:
            operations.read_as(session, mine, encoding=form.encoding.data or None, delimiter=delimiter)
    except RefusedError as unreadable:
        form.encoding.errors = [in_words(unreadable.reason)]
        return _unread(here, mine, form), 422
    except ImportStarted:
        pass
    return redirect(url_for("imports.show", lender=lender, job=job), 303)


def _unread(here: Office, job: Import, form: ReadingForm) -> str:
    """The page where it was, read as before, with what is wrong beside its field."""
    known = understood(job.data, job.mapping, Choices.from_json(job.choices))
    if known.layout is None:
        return _columns_page(here, job, known, _suggestion(known), form)
    return _check_page(here, job, known, reading=form)


@imports.get("/preteurs/<lender>/imports/<job>/colonnes")
@auth_required()
def columns(lender: str, job: str) -> Response | str:
    """Say which column holds what; the titles that speak for themselves are filled in."""
    here, mine = _job(lender, job)
    if mine.started_at is not None:
        return redirect(url_for("imports.show", lender=lender, job=job), 303)
    known = understood(mine.data, mine.mapping, Choices.from_json(mine.choices))
    return _columns_page(here, mine, known, _suggestion(known))


def _suggestion(known: Understood) -> Columns:
    """The mapping that there is, else the titles that speak for themselves, of the kind that the address asks for."""
    header = known.table.header
    kind = _asked_kind() or (known.layout.kind if known.layout else _likely_kind(known))
    if known.layout is not None and known.layout.kind == kind:
        found = dict(known.layout.columns)
    else:
        found = suggested(header, kind)  # type: ignore[arg-type]  # one of the two kinds
    return Columns(header, kind, {column: name for name, column in found.items()})


def _columns_page(
    here: Office, job: Import, known: Understood, said: Columns, reading: ReadingForm | None = None
) -> str:
    first = [record.cells for record in known.table.records if not record.is_blank][:50]
    held = ([cell[:40] for cell in cells if cell.strip()] for cells in zip(*first, strict=True))
    examples = [", ".join(dict.fromkeys(cells)) for cells in held] or [""] * len(said.header)
    return render_template(
        "imports/columns.html", here=here, job=job, said=said, fields=FIELDS[said.kind], kinds=KINDS, steps=STEPS,
        examples=[text[:120] for text in examples], table=known.table, encodings=ENCODINGS, delimiters=DELIMITERS,
        reading=reading or _reading_form(Choices.from_json(job.choices)),
    )  # fmt: skip


def _asked_kind() -> str | None:
    asked = request.values.get("genre")
    return asked if asked in KINDS else None


def _likely_kind(known: Understood) -> str:
    """Things, when the titles say more of things than of places."""
    header = known.table.header
    return "thing" if len(suggested(header, "thing")) > len(suggested(header, "place-with-room")) else "place-with-room"


@imports.post("/preteurs/<lender>/imports/<job>/colonnes")
@auth_required()
def map_columns(lender: str, job: str) -> Response | tuple[str, int]:
    """Keep what the columns hold, for this file and its like."""
    here, mine = _job(lender, job)
    known = understood(mine.data, None, Choices.from_json(mine.choices))
    said = Columns.sent(known.table.header, _asked_kind() or "place-with-room", request.form)
    by_field = said.by_field()
    if by_field is None:
        return _columns_page(here, mine, known, said), 422
    try:
        with transaction() as session:
            operations.map_columns(session, mine, kind=said.kind, columns=by_field)
    except MappingError as refused:
        said.errors.append(in_words(refused.reason))
        return _columns_page(here, mine, known, said), 422
    except ImportStarted:
        pass
    return redirect(url_for("imports.show", lender=lender, job=job), 303)


@imports.post("/preteurs/<lender>/imports/<job>/choix")
@auth_required()
def choose(lender: str, job: str) -> Response | tuple[str, int]:
    """Keep the choices; with the button "Importer", start, unless they differ from what the page had counted."""
    here, mine = _job(lender, job)
    if mine.started_at is not None:
        return redirect(url_for("imports.show", lender=lender, job=job), 303)
    before = Choices.from_json(mine.choices)
    wanted = _wanted(mine, before)
    status, page = _wanted_page()
    there = url_for("imports.show", lender=lender, job=job, statut=status or None, page=page,
                    _anchor="lignes" if "vers" in request.form else None)  # fmt: skip
    if wanted != before:
        with transaction() as session:
            operations.choose(session, mine, **_differences(before, wanted))
        if "importer" in request.form:
            flash(_("Vos choix ont changé. Vérifiez ce qui sera importé, puis importez."), "notice")
        return redirect(there, 303)
    if "importer" not in request.form:
        return redirect(there, 303)
    return _start(here, mine)


def _start(here: Office, job: Import) -> Response | tuple[str, int]:
    """Start once: a second press finds the import already started, and follows it."""
    try:
        with transaction() as session:
            operations.start(session, job, zone=territory().zone, at=clock.now())
            operations.later(session, job)
    except ImportStarted:
        pass
    except Refused as error:
        known = understood(job.data, job.mapping, Choices.from_json(job.choices))
        return _check_page(here, job, known, error), 422
    return redirect(url_for("imports.show", lender=here.party.token, job=job.token), 303)


def _differences(before: Choices, after: Choices) -> dict[str, Any]:
    names = ("owner_words", "categories", "ticked")
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


def _wanted(job: Import, before: Choices) -> Choices:
    """The choices as the form says them; ticks of lines that it didn't show stay as they were."""
    form = request.form
    typed = [word.strip()[:200] for word in form.get("owner_words", "").replace("\n", ",").split(",")]
    said = [word for word in (*typed, *form.getlist("owner")) if word and not unprintable(word)]
    words = tuple(dict.fromkeys(said))[:50]
    categories = frozenset(name or None for name in form.getlist("categorie")[:MOST_LISTED] if not unprintable(name))
    shown, ticked = _numbers(form.get("shown", "").split(",")), _numbers(form.getlist("ticked"))
    ticks = (before.ticked - shown) | (ticked & shown)
    if "tick_all" in form:
        run = operations.rehearse(job, zone=territory().zone)
        ticks = frozenset(line.number for line in run.having(Status.WARNED))
    elif "untick_all" in form:
        ticks = frozenset()
    return before.having(owner_words=words, categories=categories or None, ticked=ticks)


def _numbers(given: list[str]) -> frozenset[int]:
    return frozenset(int(text) for text in given if text.isascii() and text.isdigit() and len(text) < 8)


# The work and its report


def _progress(here: Office, job: Import) -> Response:
    """How far it is. The page comes again every three seconds by itself, unless somebody stops that."""
    still = "fixe" in request.args
    late = job.started_at is not None and clock.now() - job.started_at > WAITED
    answer = make_response(
        render_template("imports/progress.html", here=here, job=job, still=still, late=late, steps=STEPS)
    )
    if not still:
        answer.headers["Refresh"] = "3"
    return answer


@imports.post("/preteurs/<lender>/imports/<job>/suite")
@auth_required()
def resume(lender: str, job: str) -> Response:
    """Queue again an import that was interrupted; it goes on where it stopped."""
    _here, mine = _job(lender, job)
    if mine.started_at is not None and mine.finished_at is None:
        with transaction() as session:
            operations.later(session, mine)
        flash(_("L’import va reprendre là où il s’était arrêté."), "success")
    return redirect(url_for("imports.show", lender=lender, job=job), 303)


def _report(here: Office, job: Import) -> str:
    status = request.args.get("resultat", "")
    status = status if status in BECAME else ""
    session = db.session()
    report = queries.report(session, job.id, status=status or None, page=_page(), size=PAGE)
    made = catalogue.views(session, [row.resource_id for row in report.rows if row.resource_id is not None])
    return render_template(
        "imports/report.html", here=here, job=job, report=report, counts=queries.counts(session, job.id), became=BECAME,
        status=status, made=made, steps=STEPS,
    )  # fmt: skip


@imports.get("/preteurs/<lender>/imports/<job>/rapport.csv")
@auth_required()
def export(lender: str, job: str) -> Response:
    """The whole report, as a spreadsheet reads it."""
    _here, mine = _job(lender, job)
    if mine.started_at is None:
        raise NotFound
    return sheet(
        "rapport-import.csv",
        [_("Ligne"), _("Nom"), _("Résultat"), _("Pourquoi")],
        ([row.line, row.name, str(BECAME[row.status]), " ".join(in_words(reason) for reason in row.reasons)]
         for row in queries.lines(db.session(), mine.id)),
    )  # fmt: skip
