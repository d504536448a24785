"""A town whose neighbours declare exchanges while things break, and what must be true of it afterwards.

Each neighbour notes what was acknowledged to them, and asks again with the same key for what was cut or put off. What
they did is then compared with what is in the database, and the books with themselves.
"""

from __future__ import annotations

import html
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange import clock
from exchange.audit import queries as auditing
from exchange.db import db
from exchange.members import operations as members
from ledger.limits import Limits
from ledger.store import writing
from tests.cast import PASSWORD, Cast, Person, committed
from tests.crashes.books import sealed_and_verified
from tests.crashes.processes import PATIENCE
from tests.crashes.serving import Answer, Caller, Cut, Served
from tests.databases import Database

PAUSE = 0.12  # seconds between two requests of a program: one person's programs may ask 600 times a minute
UNAVAILABLE = "Le service ne répond pas en ce moment. Rien n’a été enregistré."
IN_DOUBT = "Le service s’est interrompu pendant l’enregistrement\xa0: nous ne savons pas s’il a eu lieu."


class Act(NamedTuple):
    """An exchange that somebody declares; its description tells it from every other."""

    description: str
    key: str
    direction: str
    other: str
    minutes: int


class Refusal(NamedTuple):
    """An answer 503, and when it came."""

    at: float
    status: int
    location: str
    body: str


Told = Answer | Refusal


def sentence(answer: Told) -> str:
    """What an error says, in a page or in a problem."""
    if answer.body.startswith("{"):
        problem = json.loads(answer.body)
        return str(problem.get("detail", problem))
    found = re.search(r'<p class="lede">(.*?)</p>', answer.body) if answer.status != 422 else None
    found = found or re.search(r'<div class="error-summary".*?<li>(.*?)</li>', answer.body, re.DOTALL)
    return html.unescape(found[1]) if found else f"{answer.status}: {answer.body[:300]}"


def wait_is_asked(answer: Told) -> bool:
    """Whether an answer says, in its one clear sentence, to come back."""
    return answer.status == 503 and sentence(answer).startswith((UNAVAILABLE, IN_DOUBT))


@dataclass
class Neighbour:
    """Somebody who declares one exchange after another, by the pages or through a program."""

    caller: Caller
    person: Person
    others: list[str]  # the tokens of parties
    chance: random.Random
    program: bool
    acknowledged: dict[str, tuple[Act, str]] = field(default_factory=dict)  # by description, with the exchange's token
    tried: set[str] = field(default_factory=set)
    cut: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    wrong: list[Answer] = field(default_factory=list)
    _csrf: str = ""

    def enter(self) -> None:
        """Sign in, and open the form once."""
        if self.program:
            return
        assert self.person.sign_in is not None
        given = {"username": self.person.sign_in.user_name, "password": PASSWORD}
        answer = self.caller.ask("POST", "/connexion", form=given | {"csrf_token": self._token("/connexion")})
        assert answer.status == 303, answer
        self._csrf = self._token(f"/comptes/{self._account}/echanges/nouveau")

    @property
    def _account(self) -> str:
        assert self.person.account is not None
        return self.person.account.token

    def _token(self, path: str) -> str:
        page = self.caller.ask("GET", path).body
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, page[:500]
        return found[1]

    def act(self) -> Act:
        """What comes to their mind: they were helped, and the minutes move now; or they helped, and it waits."""
        name = f"{self.chance.getrandbits(64):016x}"
        direction = self.chance.choice(("received", "received", "given"))
        other, minutes = self.chance.choice(self.others), self.chance.randint(1, 5)
        return Act(f"Arrosage {name}", name, direction, other, minutes)

    def request(self, act: Act) -> tuple[str, str, dict[str, Any]]:
        """How they ask for it: method, path, what is sent."""
        day = (clock.now() - timedelta(days=1)).date().isoformat()
        said = {"direction": act.direction, "other": act.other, "happened_on": day, "description": act.description}
        if self.program:
            body = {**said, "minutes": act.minutes}
            return "POST", f"/api/v1/accounts/{self._account}/declarations", {"body": body, "key": act.key}
        form = {**said, "csrf_token": self._csrf, "key": act.key, "minutes": f"{act.minutes} min", "nature": "service"}
        return "POST", f"/comptes/{self._account}/declarations", {"form": form}

    def ask(self, act: Act) -> Answer:
        """Ask once, and note what was answered. Raises Cut."""
        self.tried.add(act.description)
        method, path, sent = self.request(act)
        answer = self.caller.ask(method, path, **sent)
        if answer.status == (201 if self.program else 303):
            self.acknowledged[act.description] = act, re.split(r"[/=]", answer.location)[-1]
        elif answer.status == 503:
            self.refusals.append(Refusal(time.monotonic(), *answer))
        else:
            self.wrong.append(answer)
        return answer

    def declare(self, act: Act) -> None:
        """Ask until it is acknowledged, always with the same key."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self.program:
                time.sleep(PAUSE)
            try:
                if self.ask(act).status != 503:
                    return
                time.sleep(0.1)
            except Cut:
                self.cut += 1
                time.sleep(0.02)
        self.wrong.append(Answer(0, "", f"never acknowledged: {act}"))


@dataclass
class Crowd:
    """Several neighbours at work, each in a thread."""

    neighbours: list[Neighbour]
    stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> list[threading.Thread]:
        """Everybody begins."""
        for neighbour in self.neighbours:
            neighbour.enter()
        threads = [threading.Thread(target=self._live, args=(neighbour,)) for neighbour in self.neighbours]
        for thread in threads:
            thread.start()
        return threads

    def _live(self, neighbour: Neighbour) -> None:
        while not self.stop.is_set():
            neighbour.declare(neighbour.act())
        neighbour.caller.leave()

    @property
    def acknowledged(self) -> dict[str, tuple[Act, str]]:
        """Everything that was acknowledged to anybody."""
        return {said: told for each in self.neighbours for said, told in each.acknowledged.copy().items()}

    def work(self, acts: int) -> None:
        """Wait until so many more were acknowledged."""
        def many() -> int:
            return sum(len(each.acknowledged) for each in self.neighbours)

        wanted, until = many() + acts, time.monotonic() + PATIENCE
        while many() < wanted:
            assert time.monotonic() < until, f"nothing is acknowledged any more: {self.wrong[:3]}"
            time.sleep(0.005)

    @property
    def cut(self) -> int:
        """How many requests got no whole answer."""
        return sum(each.cut for each in self.neighbours)

    @property
    def refusals(self) -> list[Refusal]:
        """Every answer 503."""
        return [refusal for each in self.neighbours for refusal in each.refusals]

    @property
    def wrong(self) -> list[Answer]:
        """The answers that nobody should ever get."""
        return [answer for each in self.neighbours for answer in each.wrong]


class Town:
    """The cast on a database, the service in front of it, and the neighbours."""

    def __init__(self, database: Database, folder: Path, application: str = "wsgi:app") -> None:
        self.database, self.folder = database, folder
        self.served = Served(database, folder, application)
        self.app: Flask = database.app(SEAL_KEY=str(folder / "seal.pem"))
        self.cast: Cast = committed(self.app, at=clock.now() - timedelta(days=2))
        self._tokens = self._make_tokens()

    @property
    def people(self) -> list[Person]:
        """Those who have an account and a sign-in."""
        return [self.cast.alice, self.cast.bruno, self.cast.chloe, self.cast.fanny, self.cast.tibo, self.cast.aicha]

    def _make_tokens(self) -> dict[int, str]:
        """A token for each one's program; and limits so far that nobody who pays for long reaches them."""
        engine, made, at = create_engine(self.database.web_url, poolclass=NullPool), {}, clock.now()
        with Session(engine) as session:
            writing.set_limit(session, Limits(-(10**9)), community=self.cast.community.id, kind="person", starts_at=at,
                              reason="Long work", by=self.cast.system, at=at)  # fmt: skip
            for person in self.people:
                assert person.sign_in is not None
                _row, made[person.party.id] = members.create_access_token(
                    session, sign_in=person.sign_in.id, name="essai", days=30, at=clock.now()
                )
            session.commit()
        return made

    def token(self, person: Person) -> str:
        """The token of somebody's program."""
        return self._tokens[person.party.id]

    def neighbour(self, person: Person, chance: random.Random, *, program: bool) -> Neighbour:
        """Somebody, ready to enter."""
        caller = Caller(self.served.port, self.token(person) if program else None)
        others = [other.party.token for other in self.people if other is not person]
        return Neighbour(caller, person, others, random.Random(chance.getrandbits(64)), program)

    @contextmanager
    def crowd(self, chance: random.Random) -> Iterator[Crowd]:
        """Four neighbours declare, by the pages or through programs, until the end of the block.

        Each then finishes what they had begun: the service must be there again.
        """
        at_work = Crowd([
            self.neighbour(person, chance, program=program)
            for person, program in zip(self.people, (False, True, False, True), strict=False)
        ])  # fmt: skip
        threads = at_work.start()
        try:
            yield at_work
        finally:
            at_work.stop.set()
            for thread in threads:
                thread.join()

    def faults(self, crowd: Crowd) -> list[str]:
        """What is wrong of all that must hold, in words: nothing, unless something was lost, doubled or torn."""
        found = [*self.lost_or_doubled(crowd), *(f"{answer.status}: {sentence(answer)}" for answer in crowd.wrong)]
        with self.app.app_context():
            for finding in auditing.checks(db.session(), at=clock.now()):
                found += finding.wrong
            db.session.rollback()
            found += sealed_and_verified(self.folder)
        return found

    def written(self, act: Act) -> int:
        """How many times an exchange is there."""
        with self.database.connected("superuser") as superuser:
            return sum(row[0] == act.description for row in superuser.execute(_WRITTEN).fetchall())

    def lost_or_doubled(self, crowd: Crowd) -> list[str]:
        """Compare what was acknowledged with the rows."""
        with self.database.connected("superuser") as superuser:
            rows = superuser.execute(_WRITTEN).fetchall()
            told = superuser.execute(_LETTERS).fetchall()
        found, counts = [], Counter(row[0] for row in rows)
        kept = {description: row for description, *row in rows}
        for description, (act, token) in crowd.acknowledged.items():
            if counts[description] != 1:
                found.append(f"{act} was acknowledged and is there {counts[description]} times")
            elif kept[description] != [token, act.minutes, act.minutes if act.direction == "received" else None]:
                found.append(f"{act} was acknowledged as {token}; {kept[description]} is there")
        tried = {description for each in crowd.neighbours for description in each.tried}
        found += [f"{description} is there {number} times" for description, number in counts.items() if number > 1]
        found += [f"{description} is there and nobody asked for it" for description in counts.keys() - tried]
        if told != [(len(rows), len(rows))]:
            found.append(f"{len(rows)} exchanges were declared; letters written, and queued: {told}")
        return found


_WRITTEN = """
    SELECT d.description, d.token, d.minutes, t.minutes FROM declarations d
      LEFT JOIN books.entries e ON e.cause_kind = 'declaration' AND e.cause_id = d.id
      LEFT JOIN books.transfers t ON t.entry_id = e.id
"""
_LETTERS = """
    SELECT (SELECT count(*) FROM outbox),
           (SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_letter')
"""
