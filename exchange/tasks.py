"""What the worker does. Each task is also a command: see ``exchange.cli``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from flask_mailman import EmailMessage
from procrastinate import JobContext, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Status
from sqlalchemy.orm import Session

from exchange import clock, forgetting, sealing
from exchange.agreements import telling as agreements
from exchange.audit import operations as audit
from exchange.audit import telling as mismatch
from exchange.bookings import extending, filing, options, telling, waiting, wishes
from exchange.bookings import operations as bookings
from exchange.db import transaction
from exchange.declarations import operations as declarations
from exchange.imports import queries as imports
from exchange.imports import running
from exchange.jobs import app, defer
from exchange.members import queries as members
from exchange.outbox import Letter
from exchange.seals import telling as heads
from exchange.security import today
from ledger.entries import Acting

PATIENCE = RetryStrategy(max_attempts=8, exponential_wait=5)  # seconds, five times longer each time: about a day in all


@app.task(name="send_letter", retry=PATIENCE)
def send_letter(letter: int) -> None:
    """Send one letter of the outbox, once; a failure is kept beside it and tried again."""
    try:
        _send(letter)
    except OSError as failed:  # the network, or what the mail server answers: smtplib's errors are OSErrors
        with transaction() as session:
            session.get_one(Letter, letter).failure = str(failed)[:500]
        raise


def _send(letter: int) -> None:
    with transaction() as session:
        kept = session.get(Letter, letter, with_for_update=True)
        if kept is None or kept.sent_at is not None:
            return
        EmailMessage(kept.subject, kept.body, to=[kept.recipient]).send()
        kept.sent_at = clock.now()
        kept.failure = None


@app.task(name="import_resources", retry=PATIENCE)
def import_resources(import_: int) -> None:
    """Import a file by small steps; begun again after an interruption, it goes on where it stopped."""
    for _progress in running.steps(import_):
        pass


@app.periodic(cron="*/2 * * * *")
@app.task(name="resume_imports", queueing_lock="resume_imports", pass_context=False)
def resume_imports(timestamp: int) -> None:
    """Take up the imports whose worker was killed; one that still works at it loses nothing, they take turns."""
    with transaction() as session:
        interrupted = imports.interrupted(session, before=clock.now() - timedelta(minutes=2))
    for import_ in interrupted:
        import_resources(import_)


@app.periodic(cron="* * * * *")
@app.task(name="take_up", queueing_lock="take_up", pass_context=True)
async def take_up(context: JobContext, timestamp: int) -> None:
    """Queue again what a worker was doing when it was killed. What comes back by itself is not awaited twice."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs():
        if job.queueing_lock:
            await manager.finish_job(job, status=Status.ABORTED, delete_job=True)
        else:
            await manager.retry_job(job)


@app.periodic(cron="7 * * * *")
@app.task(name="expire_declarations", queueing_lock="expire_declarations", pass_context=False)
def expire_declarations(timestamp: int) -> None:
    """Close the declared exchanges that nobody answered in time: nothing moved, nothing moves."""
    at = clock.now()
    with transaction() as session:
        for community in members.communities(session):
            by = Acting(None, community.system_party_id)
            declarations.expire(session, by=by, community=community.id, at=at)


@app.periodic(cron="* * * * *")
@app.task(name="seal", queueing_lock="seal", pass_context=False)
def seal(timestamp: int = 0) -> None:
    """Seal what was written. While people write, it comes back in seconds; when nobody does, in a minute."""
    if sealing.seal_now(at=clock.now()) is not None:
        with suppress(AlreadyEnqueued), transaction() as session:
            defer(session, "seal", seconds=2)


@app.periodic(cron="3 * * * *")
@app.task(name="ask_witness", queueing_lock="ask_witness", pass_context=False)
def ask_witness(timestamp: int) -> None:
    """Have the newest head countersigned, where a witness is configured."""
    sealing.ask_witness(at=clock.now())


@app.periodic(cron="41 5 * * 1")
@app.task(name="mail_heads", queueing_lock="mail_heads", pass_context=False)
def mail_heads(timestamp: int) -> None:
    """Send the newest head to those who audit: kept elsewhere, it shows whether the books are rewritten."""
    with transaction() as session:
        heads.mail(session, at=clock.now())


@app.task(name="recompute", retry=PATIENCE)
def recompute(verification: int) -> None:
    """Recompute the books of a community from their entries; when they disagree, say so to everybody who reads them."""
    at = clock.now()
    with transaction() as session:
        done = audit.recompute(session, verification, at=at)
        if done is not None and any(finding["wrong"] for finding in done.findings or []):
            mismatch.write_mismatch(session, done, at=at)


@app.periodic(cron="13 4 * * *")
@app.task(name="recompute_all", queueing_lock="recompute_all", pass_context=False)
def recompute_all(timestamp: int) -> None:
    """Have the books of each community recomputed, each night."""
    with transaction() as session:
        for community in members.communities(session):
            audit.ask(session, community=community.id, by=Acting(None, community.system_party_id), at=clock.now())


@app.periodic(cron="23 3 * * *")
@app.task(name="forget", queueing_lock="forget", pass_context=False)
def forget(timestamp: int) -> None:
    """Forget what is kept for some time only."""
    with transaction() as session:
        forgetting.forget(session, at=clock.now())


@app.periodic(cron="*/5 * * * *")
@app.task(name="follow_bookings", queueing_lock="follow_bookings", pass_context=False)
def follow_bookings(timestamp: int) -> None:
    """Close what nobody decided in time and what nobody came for, count the rooms whose use has started, and follow
    what is out: its place when it is late, and the letters.
    """
    at = clock.now()
    with transaction() as session:
        systems = {each.id: Acting(None, each.system_party_id) for each in members.communities(session)}
        bookings.expire(session, by=next(iter(systems.values()), None), at=at)
    for community, by in systems.items():
        _one_by_one(partial(bookings.settle_started, community=community, by=by, at=at, most=1))
    _one_by_one(partial(_close_uncollected, systems=systems, at=at))
    _keep_late_places(at)
    _one_by_one(partial(_remind, at=at))
    _one_by_one(partial(filing.remind_incomplete, at=at))
    _one_by_one(partial(filing.remind_expiring, at=at))


@app.periodic(cron="* * * * *")
@app.task(name="follow_waiting", queueing_lock="follow_waiting", pass_context=False)
def follow_waiting(timestamp: int) -> None:
    """Close the options whose day has passed, hold what is free for who waits for it, and write to those concerned."""
    at = clock.now()
    with transaction() as session:
        by = next((Acting(None, each.system_party_id) for each in members.communities(session)), None)
        options.lapse_due(session, by=by, at=at)
        lenders = waiting.lenders(session, at=at)
    for lender in lenders:
        with transaction() as session:
            turns = wishes.give_turns(session, lender, by=by, at=at, today=today())
            telling.write_turns(session, turns, at=at)
    _one_by_one(partial(_write_of_option, at=at))


def _write_of_option(session: Session, *, at: datetime) -> int:
    """Write one letter about an option that ends soon, or is over; 0 when there is none."""
    due = options.remind(session, at=at)
    if due is not None:
        telling.write_option(session, due, at=at)
    return int(due is not None)


def _one_by_one(do: Callable[[Session], int]) -> None:
    """Do something in a transaction for each, until there is nothing left to do."""
    left = 1
    while left:
        with transaction() as session:
            left = do(session)


def _keep_late_places(at: datetime) -> None:
    """What is out beyond its end keeps its place: nobody may ask for it meanwhile. A loan at a time."""
    last: int | None = 0
    while last is not None:
        with transaction() as session:
            last = extending.keep_places(session, at=at, after=last)


def _remind(session: Session, *, at: datetime) -> int:
    """Write one letter about a loan that ends soon, or is late; 0 when there is none."""
    due = extending.remind(session, at=at)
    if due is not None:
        telling.write_reminder(session, due, at=at)
    return int(due is not None)


def _close_uncollected(session: Session, *, systems: Mapping[int, Acting], at: datetime) -> int:
    """Close one loan that nobody came for, and tell both sides; 0 when there is none."""
    closed = bookings.close_uncollected(session, systems=systems, at=at, most=1)
    for view in closed:
        telling.write_no_show(session, view, at=at)
    return len(closed)


@app.periodic(cron="* * * * *")
@app.task(name="make_agreements", queueing_lock="make_agreements", pass_context=False)
def make_agreements(timestamp: int) -> None:
    """Make the agreements that are made by themselves, of the loans that were accepted since."""
    at, seen = clock.now(), 0
    while True:
        with transaction() as session:
            seen = agreements.make_awaited(session, at=at, after=seen)
        if not seen:
            return
