"""``marronnier import``: what the wizard does, for whoever is at the machine."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click
from sqlalchemy.orm import Session

from exchange import clock
from exchange.catalogue import operations as catalogue
from exchange.catalogue import policy as figures
from exchange.catalogue import queries as resources_of
from exchange.catalogue.queries import ResourceView
from exchange.db import db, transaction
from exchange.imports import operations, queries, running
from exchange.imports.models import Import
from exchange.imports.plan import Choices, Understood, lines_of, rehearsal, told, understood
from exchange.imports.policy import DryRun, Layout, Reason, RefusedError, mapping_from_json, sentence
from exchange.imports.wording import fold
from exchange.members import queries as members
from exchange.members.queries import PartyView
from exchange.sentences import sentence_of
from ledger.entries import Acting
from ledger.errors import Refused

STANDS = {
    "ready": "prête",
    "warned": "à vérifier",
    "error": "en erreur",
    "repeated": "répétée",
}
BECAME = {
    "created": "créées",
    "changed": "modifiées",
    "unchanged": "inchangées",
    "left-out": "laissées de côté",
    "refused": "refusées",
}
LENDERS = ("organisation", "community", "person")
MOST_NAMED = 10


@click.group("import")
def import_() -> None:
    """Importer des fichiers que l'on a déjà."""


@dataclass(frozen=True)
class Wanted:
    """A file and what the command line says of it."""

    path: Path
    data: bytes
    mapping: str | None
    choices: Choices


@import_.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--lender", required=True, metavar="NOM", help="à qui sont ces salles et ce matériel")
@click.option(
    "--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='quelle colonne contient quoi, en JSON\u00a0: {"kind": "thing", "name": "Objet", "quantity": "Nb"}',
)  # fmt: skip
@click.option(
    "--categories", multiple=True, metavar="NOM", help="une catégorie à importer, répétable\u202f; sinon, toutes"
)
@click.option(
    "--owner", "owners", multiple=True, metavar="MOT", default=("VILLE",), show_default=True,
    help="un mot qui désigne le prêteur dans la colonne du propriétaire",
)  # fmt: skip
@click.option("--encoding", type=click.Choice(["utf-8", "windows-1252", "iso-8859-1"]), help="sinon deviné")
@click.option("--delimiter", type=click.Choice([";", ",", "tab"]), help="sinon deviné")
@click.option("--dry-run", is_flag=True, help="dire ce qui serait fait, sans rien écrire")
@click.option(
    "--capacity", type=click.IntRange(1, 100_000), metavar="N",
    help="la capacité, en personnes, des salles qui n'en ont pas encore",
)  # fmt: skip
@click.option("--publish", is_flag=True, help="publier ce qui a été importé")
def resources(
    file: Path, lender: str, mapping: Path | None, categories: tuple[str, ...], owners: tuple[str, ...],
    encoding: str | None, delimiter: str | None, dry_run: bool, capacity: int | None, publish: bool,
) -> None:  # fmt: skip
    """Importer des salles ou du matériel depuis un tableur CSV.

    Avec --dry-run : une ligne par ligne du fichier, puis le compte. Le code de sortie est 1 si une ligne est en erreur.
    """
    party = _lender(db.session(), lender)
    chosen = Choices((*owners, party.name), None, frozenset(), encoding, {"tab": "\t"}.get(delimiter or "", delimiter))
    try:
        wanted = Wanted(file, file.read_bytes(), mapping.read_text("utf-8") if mapping else None, chosen)
        wanted, run = _rehearsed(party, wanted, categories)
        if dry_run:
            _say_lines(run)
            sys.exit(1 if run.counts.in_error else 0)
        job = _import(party, wanted)
    except (RefusedError, UnicodeDecodeError) as unreadable:
        _stop(sentence(unreadable.reason if isinstance(unreadable, RefusedError) else Reason("mapping-not-json")))
    except Refused as refused:
        _stop(" ".join(filter(None, sentence_of(refused))))
    refused_lines = _say_report(job)
    if capacity is not None or publish:
        refused_lines += _finish(party, job, capacity=capacity, publish=publish)
    sys.exit(1 if refused_lines else 0)


def _stop(why: str) -> NoReturn:
    raise click.ClickException(why)


def _lender(session: Session, name: str) -> PartyView:
    """The party of this name; else the only one that reads so without its accents and capitals."""
    like = [party for kind in LENDERS for party in members.parties_by_name(session, kind, searched=name)[0]]
    exact = [party for party in like if party.name == name]
    found = exact or [party for party in like if fold(party.name) == fold(name)]
    if len(found) == 1:
        return found[0]
    if found:
        _stop(f"Plusieurs prêteurs s’appellent «\u00a0{name}\u00a0»\u00a0: écrivez le nom exactement.")
    others = like or members.parties_by_name(session, "organisation", size=MOST_NAMED)[0]
    known = ", ".join(f"«\u00a0{party.name}\u00a0»" for party in others[:MOST_NAMED])
    _stop(f"Aucun prêteur ne s'appelle «\u00a0{name}\u00a0»." + (f" Il y a\u00a0: {known}." if known else ""))


def _rehearsed(party: PartyView, wanted: Wanted, categories: tuple[str, ...]) -> tuple[Wanted, DryRun]:
    """What the import would do. Raises RefusedError."""
    table = understood(wanted.data, None, wanted.choices).table
    known = understood(wanted.data, operations.remembered(db.session(), party.id, table), wanted.choices)
    if wanted.mapping is not None:
        known = Understood(table, _layout(wanted, wanted.mapping))
    if known.layout is None:
        titles = ", ".join(known.table.header)
        _stop(f"La forme de ce fichier est inconnue. Décrivez ses colonnes avec --mapping\u00a0: {titles}")
    zone = members.territory(db.session()).zone
    run = rehearsal(known, wanted.choices, file_name=wanted.path.name, zone=zone)
    names = {fold(figure.category): figure.category for figure in run.by_category if figure.category}
    unknown = [name for name in categories if fold(name) not in names]
    if unknown:
        _stop(f"Ce fichier n’a pas de catégorie «\u00a0{unknown[0]}\u00a0». Il a\u00a0: {', '.join(names.values())}.")
    kept = frozenset(names[fold(name)] for name in categories) or None
    choices = wanted.choices.having(categories=kept)
    return Wanted(wanted.path, wanted.data, wanted.mapping, choices), run.choosing(categories=kept)


def _layout(wanted: Wanted, mapping: str) -> Layout:
    return mapping_from_json(mapping, understood(wanted.data, None, wanted.choices).table.header)


def _say_lines(run: DryRun) -> None:
    """One line of the file on one line, then the count, last."""
    for note in run.notes:
        click.echo(sentence(note))
    for line in lines_of(run):
        name = line.candidate.name if line.candidate else "(illisible)"
        aside = "" if run.keeps(line) or line.status != "ready" else ", pas choisie"
        why = " ".join(sentence(reason) for reason in told(run, line))
        click.echo(" ".join(filter(None, [f"ligne {line.number}\u00a0: {STANDS[line.status]}{aside}, {name}.", why])))
    click.echo(sentence(run.counts.summary))


def _import(party: PartyView, wanted: Wanted) -> int:
    """Import now, by the same steps as the worker, with progress; return the import's id."""
    at = clock.now()
    zone = members.territory(db.session()).zone
    systems = [community.system_party_id for community in members.communities(db.session())]
    by = Acting(None, systems[0] if systems else party.id)
    with transaction() as session:
        job = operations.receive(
            session, lender=party.id, choices=wanted.choices, file_name=wanted.path.name, data=wanted.data, by=by, at=at
        )
        if wanted.mapping is not None:
            layout = _layout(wanted, wanted.mapping)
            operations.map_columns(session, job, kind=layout.kind, columns=layout.columns)
            operations.choose(session, job, categories=wanted.choices.categories)
        operations.start(session, job, zone=zone, at=at)
        id_, total = job.id, job.total
    with click.progressbar(length=total or 0, label="Import", file=sys.stderr) as bar:
        for progress in running.steps(id_):
            bar.update(progress.done - bar.pos)
    return id_


def _say_report(job: int) -> int:
    """What became of the lines; return how many were refused."""
    session = db.session()
    for row in queries.lines(session, job):
        if row.status == "refused":
            why = " ".join(sentence(Reason(said["code"], said["params"])) for said in row.reasons)
            click.echo(f"ligne {row.line}\u00a0: refusée, {row.name or '(illisible)'}. {why}")
    counts = queries.counts(session, job)
    click.echo("Lignes " + "\u202f; ".join(f"{word}\u00a0: {counts[status]}" for status, word in BECAME.items()) + ".")
    return counts["refused"]


def _finish(party: PartyView, job: int, *, capacity: int | None, publish: bool) -> int:
    """Give the capacity to rooms that have none, publish what can be, and say what can't; return how many can't."""
    made = [row.resource_id for row in queries.lines(db.session(), job) if row.resource_id is not None]
    views = resources_of.views(db.session(), made).values()
    waiting = [view for view in views if view.status in ("incomplete", "ready")]
    by, check = _by_of(db.session(), job), figures.refusal_to_publish if publish else figures.refusal
    refused = 0
    for view in sorted(waiting, key=lambda view: view.sort_name):
        people = view.capacity or (capacity if view.kind == "room" else None)
        if wrong := check(view.kind, capacity=people, legal_max=view.legal_max):
            refused += 1
            click.echo(f"{view.name}\u00a0: {' '.join(filter(None, sentence_of(wrong)))}")
            continue
        with transaction() as session:
            _write(session, party, view, people, publish=publish, by=by)
    if publish:
        click.echo(f"Publiées\u00a0: {len(waiting) - refused}.")
    return refused


def _by_of(session: Session, job: int) -> Acting:
    kept = session.get_one(Import, job)
    return Acting(kept.by_sign_in, kept.by_party, kept.by_mandate)


def _write(
    session: Session, party: PartyView, view: ResourceView, people: int | None, *, publish: bool, by: Acting
) -> None:
    at = clock.now()
    if publish:
        catalogue.publish(session, lender=party.id, capacities={view.id: people}, by=by, at=at)
    elif people != view.capacity and (row := resources_of.row_of(session, party.id, view.token)) is not None:
        catalogue.edit(session, row, {"capacity": people}, by=by, at=at)
