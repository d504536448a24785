"""The verbs of an import: receive a file, say how to read it, choose, start, and import its lines by small steps.

Each step is one transaction of its own and counts in ``done`` the lines that it wrote, so that an import interrupted
goes on where it stopped. A line is written in a savepoint: in error, it leaves nothing and stops nobody.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from exchange import jobs
from exchange.catalogue import operations as catalogue
from exchange.db import signed
from exchange.errors import ImportStarted, NothingChosen, QuantityBooked
from exchange.imports.filling import Facts, Filling, Merged, fillings, merge, references
from exchange.imports.models import Import, ImportLine, ImportMapping, ImportOrigin
from exchange.imports.plan import Choices, Understood, lines_of, rehearsal, still_mapped, told, understood
from exchange.imports.policy import (
    DryRun,
    Line,
    MappingError,
    Reason,
    RefusedError,
    Status,
    Table,
    fingerprint,
    mapped,
    sentence,
)
from exchange.imports.wording import fold, one_line, without_invisible
from ledger.entries import Acting
from ledger.errors import Refused

STEP = 50
"""Lines in one transaction."""


def receive(
    session: Session, *, lender: int, choices: Choices, file_name: str, data: bytes, by: Acting, at: datetime
) -> Import:
    """Keep a file that can be read as a table, with the mapping that this lender gave to its like, if any.

    Raises ReadError, and then nothing is kept.
    """
    table = understood(data, None, choices).table
    job = Import(
        token=secrets.token_urlsafe(16), lender_id=lender, file_name=_tidy(file_name), data=data,
        sha256=hashlib.sha256(data).digest(), mapping=remembered(session, lender, table),
        choices=choices.as_json(), **signed(by), uploaded_at=at,
    )  # fmt: skip
    session.add(job)
    session.flush()
    return job


def remembered(session: Session, lender: int, table: Table) -> dict[str, Any] | None:
    """What a lender said once of files with these titles, if it still holds."""
    known = session.scalar(
        select(ImportMapping.mapping).where(
            ImportMapping.lender_id == lender, ImportMapping.fingerprint == fingerprint(table.header)
        )
    )
    return known if still_mapped(table, known) else None


def _tidy(file_name: str) -> str:
    name = one_line(without_invisible(file_name)).replace("\\", "/").rpartition("/")[2]
    return name[-200:] or "fichier.csv"


def read_as(session: Session, job: Import, *, encoding: str | None, delimiter: str | None) -> None:
    """Correct how a file is read; None guesses again. Raises ReadError, ImportStarted."""
    _not_started(session, job)
    choices = Choices.from_json(job.choices).having(encoding=encoding, delimiter=delimiter, ticked=frozenset())
    table = understood(job.data, None, choices).table
    job.choices = choices.as_json()
    if not still_mapped(table, job.mapping):
        job.mapping = None
    session.flush()


def map_columns(session: Session, job: Import, *, kind: str, columns: Mapping[str, str]) -> None:
    """Say which column holds what, and remember it for this lender's files with the same titles.

    Raises MappingError, ImportStarted.
    """
    _not_started(session, job)
    table = understood(job.data, None, Choices.from_json(job.choices)).table
    layout = mapped(columns, table.header, kind=kind)  # type: ignore[arg-type]  # an unknown kind has no field: refused
    mapping = {"kind": layout.kind, "columns": dict(layout.columns)}
    job.mapping = mapping
    job.choices = Choices.from_json(job.choices).having(categories=None, ticked=frozenset()).as_json()
    row = {"lender_id": job.lender_id, "fingerprint": fingerprint(table.header), "mapping": mapping}
    session.execute(
        insert(ImportMapping)
        .values(row)
        .on_conflict_do_update(index_elements=["lender_id", "fingerprint"], set_={"mapping": mapping})
    )
    session.flush()


def choose(session: Session, job: Import, **changes: Any) -> None:
    """Change what is chosen: owner_words, categories (None: all), ticked. Raises ImportStarted."""
    _not_started(session, job)
    job.choices = Choices.from_json(job.choices).having(**changes).as_json()
    session.flush()


def start(session: Session, job: Import, *, zone: str, at: datetime) -> None:
    """Start the import, once; the worker goes on from here, see ``later``.

    Raises ImportStarted, NothingChosen, and ReadError or MappingError when its columns are not known.
    """
    _not_started(session, job)
    run = rehearse(job, zone=zone)
    if not run.counts.chosen:
        raise NothingChosen
    job.total, job.started_at = len(lines_of(run)), at
    session.flush()


def later(session: Session, job: Import) -> None:
    """Queue the work of a started import; twice does no harm."""
    jobs.defer(session, "import_resources", import_=job.id)


def rehearse(job: Import, *, zone: str) -> DryRun:
    """What the import would do as it is chosen now. Raises ReadError, MappingError."""
    choices = Choices.from_json(job.choices)
    return rehearsal(_with_layout(job, choices), choices, file_name=job.file_name, zone=zone)


def _with_layout(job: Import, choices: Choices) -> Understood:
    known = understood(job.data, job.mapping, choices)
    if known.layout is None:
        raise MappingError(Reason("mapping-name-missing"))
    return known


def _not_started(session: Session, job: Import) -> None:
    """The row's lock makes two browsers come one after the other."""
    session.refresh(job, with_for_update=True)
    if job.started_at is not None:
        raise ImportStarted


# The work itself


@dataclass(frozen=True)
class Work:
    """A started import, read once for all its steps."""

    import_id: int
    lender: int
    source: str
    lines: tuple[Line, ...]
    run: DryRun
    by: Acting


class Progress(NamedTuple):
    """Lines done, of a total."""

    done: int
    total: int


def prepare(session: Session, import_id: int, *, zone: str, at: datetime) -> Work | None:
    """Read a started import to work on it; None when there is nothing (left) to do, or when it can't be read."""
    job = session.get(Import, import_id)
    if job is None or job.started_at is None or job.finished_at is not None:
        return None
    choices = Choices.from_json(job.choices)
    try:
        known = _with_layout(job, choices)
        run = rehearsal(known, choices, file_name=job.file_name, zone=zone)
    except RefusedError as unreadable:
        job.failure, job.finished_at = sentence(unreadable.reason), at
        return None
    assert known.layout is not None
    by = Acting(job.by_sign_in, job.by_party, job.by_mandate)
    return Work(job.id, job.lender_id, known.layout.code, lines_of(run), run, by)


def step(session: Session, work: Work, *, at: datetime, most: int = STEP) -> Progress:
    """Import the next lines, in the caller's transaction: as many as ``most``, counted in ``done`` with them.

    The row's lock lets two workers take turns; the lender's lock makes two imports of one lender come one after the
    other, so that the second finds what the first created.
    """
    job = session.get_one(Import, work.import_id, with_for_update=True, populate_existing=True)
    _one_at_a_time(session, work.lender)
    lines = work.lines[job.done : job.done + most]
    known = _Known.of(session, work, lines)
    catalogue.lock_pools(session, (row.id for row in known.rows.resources.values() if row.kind == "pool"))
    for line in lines:
        session.add(_imported(session, work, known, line, at=at))
    job.done += len(lines)
    if job.done >= len(work.lines):
        job.finished_at = job.finished_at or at
    session.flush()
    return Progress(job.done, len(work.lines))


def _one_at_a_time(session: Session, lender: int) -> None:
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("import", lender))))


class _Known:
    """What the lender already has of these lines, and what the last file said of it."""

    def __init__(self, rows: catalogue.Known, origins: dict[int, ImportOrigin]) -> None:
        self.rows = rows
        self.origins = origins

    @classmethod
    def of(cls, session: Session, work: Work, lines: Iterable[Line]) -> _Known:
        refs = references(line.candidate for line in lines if line.candidate and work.run.keeps(line))
        rows = catalogue.known_from(session, lender=work.lender, source=work.source, refs=refs)
        ids = [row.id for row in rows.resources.values()]
        origins = session.scalars(select(ImportOrigin).where(ImportOrigin.resource_id.in_(ids))) if ids else ()
        return cls(rows, {origin.resource_id: origin for origin in origins})


class _Outcome(NamedTuple):
    status: str
    reasons: tuple[Reason, ...] = ()
    resource: int | None = None


class _KindDiffers(Exception):
    """The reference is known, for something of another kind: what is booked of it would lose its meaning."""


def _imported(session: Session, work: Work, known: _Known, line: Line, *, at: datetime) -> ImportLine:
    """The report of one line, once it is imported or left."""
    outcome = _outcome(session, work, known, line, at=at)
    reasons = [asdict(reason) for reason in (*outcome.reasons, *told(work.run, line))]
    name = line.candidate.name if line.candidate else ""
    return ImportLine(
        import_id=work.import_id, line=line.number, name=name, status=outcome.status, reasons=reasons,
        resource_id=outcome.resource,
    )  # fmt: skip


def _outcome(session: Session, work: Work, known: _Known, line: Line, *, at: datetime) -> _Outcome:
    if line.status is Status.ERROR:
        return _Outcome("refused")
    if not work.run.keeps(line) or line.candidate is None:
        return _Outcome("left-out")
    try:
        with session.begin_nested():
            filled = [_fill(session, work, known, filling, at=at) for filling in fillings(line.candidate)]
    except _KindDiffers:
        return _Outcome("refused", (Reason("kind-differs"),))
    except QuantityBooked as booked:
        facts = {"peak": str(booked.facts["peak"]), "day": booked.facts["day"]}
        return _Outcome("refused", (Reason("quantity-booked", facts),))
    except (Refused, DataError, IntegrityError):
        return _Outcome("refused", (Reason("line-not-kept"),))
    strongest = next(status for status in ("created", "changed", "unchanged") if status in {f.status for f in filled})
    said = dict.fromkeys(reason for one in filled for reason in one.reasons)
    return _Outcome(strongest, tuple(said), filled[0].resource)


def _fill(session: Session, work: Work, known: _Known, filling: Filling, *, at: datetime) -> _Outcome:
    row = known.rows.resources.get(filling.ref)
    if row is None:
        return _create(session, work, known, filling, at=at)
    return _change(session, work, known, filling, at=at)


def _create(session: Session, work: Work, known: _Known, filling: Filling, *, at: datetime) -> _Outcome:
    """A new resource, and its place unless the lender has it; never published: that is the officer's word."""
    source, place_id = (work.source, filling.ref), None
    if (place := known.rows.places.get(filling.ref)) is not None:
        place_id = place.id
    elif filling.place:
        place_id = catalogue.add_place(session, lender=work.lender, at=at, source=source, **filling.place).id
    elif filling.place_name:
        place_id = catalogue.place_named(session, lender=work.lender, name=filling.place_name, at=at).id
    resource = catalogue.add_resource(
        session, lender=work.lender, kind=filling.kind, place_id=place_id, source=source, by=work.by, at=at,
        **filling.resource,
    )  # fmt: skip
    session.add(ImportOrigin(resource_id=resource.id, said=filling.said))
    session.flush()
    return _Outcome("created", (), resource.id)


def _change(session: Session, work: Work, known: _Known, filling: Filling, *, at: datetime) -> _Outcome:
    """Take up what the file says anew, and leave what somebody has edited since the last one."""
    row, now = known.rows.resources[filling.ref], dict(filling.resource)
    if row.kind == "pool" and filling.kind == "thing":
        now["quantity"] = 1
    elif row.kind != filling.kind:
        raise _KindDiffers
    origin = known.origins.get(row.id) or ImportOrigin(resource_id=row.id, said={})
    before = origin.said
    place = known.rows.places.get(filling.ref)
    on_place = _place_merged(before.get("place", {}), filling.place, place)
    moved = _move_merged(session, work, known, before.get("where", {}), filling, at=at)
    own = merge(before.get("resource", {}), now, {name: getattr(row, name) for name in now})
    changed = place is not None and catalogue.edit_place(session, place, on_place.changes)
    changed |= catalogue.edit(session, row, own.changes | moved.changes, by=work.by, at=at)
    origin.said = {part: {**before.get(part, {}), **said} for part, said in filling.said.items()}
    session.add(origin)
    session.flush()
    kept = own.kept or on_place.kept or moved.kept
    return _Outcome("changed" if changed else "unchanged", tuple(_remarks(row, place, edited=bool(kept))), row.id)


def _remarks(row: Any, place: Any, *, edited: bool) -> Iterator[Reason]:
    if edited:
        yield Reason("edited-since")
    if row.retired_at is not None:
        yield Reason("retired-since")
    if place is not None and row.capacity and place.legal_max is not None and row.capacity > place.legal_max:
        yield Reason("limit-lowered", {"limit": str(place.legal_max), "capacity": str(row.capacity)})


def _place_merged(before: Facts, now: Facts, place: Any) -> Merged:
    return merge(before, now, {name: getattr(place, name) for name in now}) if place is not None else Merged({}, [])


def _move_merged(
    session: Session, work: Work, known: _Known, before: Facts, filling: Filling, *, at: datetime
) -> Merged:
    """Where a thing is kept, when its file names the place: another name is another place."""
    if not filling.place_name:
        return Merged({}, [])
    place_id = known.rows.resources[filling.ref].place_id
    current = {"name": fold(known.rows.place_of[place_id].name) if place_id is not None else ""}
    merged = merge(before, {"name": fold(filling.place_name)}, current)
    if not merged.changes:
        return merged
    there = catalogue.place_named(session, lender=work.lender, name=filling.place_name, at=at)
    return Merged({"place_id": there.id}, merged.kept)
