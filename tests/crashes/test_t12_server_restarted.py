"""T12: the database is restarted while neighbours declare and read: they are told to wait, and nothing else happens.

No error of ours reaches anybody, whatever the restart interrupts; five seconds after the database is back nobody is put
off any more; what was acknowledged is there, once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

import pytest

from tests.crashes.processes import Mortal
from tests.crashes.serving import Answer, Cut
from tests.crashes.town import Neighbour, Told, Town, sentence, wait_is_asked
from tests.proofs import figure, proving, seeded

pytestmark = pytest.mark.campaign
RESTARTS = figure(4, 40)
SETTLED = 5  # seconds after which nobody is put off any more


@contextmanager
def reading(neighbour: Neighbour) -> Iterator[list[Answer]]:
    """Somebody opens one page after another; what they read, of which only 200 and 503 are expected."""
    neighbour.enter()
    assert neighbour.person.account is not None
    read: list[Answer] = []
    stop = threading.Event()
    pages = cycle(("/", f"/comptes/{neighbour.person.account.token}", "/salles", "/livre", "/readyz"))

    def read_on() -> None:
        while not stop.is_set():
            try:
                read.append(neighbour.caller.ask("GET", next(pages)))
            except Cut:
                read.append(Answer(0, "", "cut"))
            time.sleep(0.05)
        neighbour.caller.leave()

    thread = threading.Thread(target=read_on)
    thread.start()
    try:
        yield read
    finally:
        stop.set()
        thread.join()


def test_while_the_database_is_restarted_people_are_told_to_wait_and_nothing_else_happens(
    server: Mortal, town: Town
) -> None:
    chance, first = seeded(), []
    reader = town.neighbour(town.cast.tibo, random.Random(1), program=False)
    with proving("T12", "restarts of the database under load", goal=RESTARTS) as proof:
        with reading(reader) as read, town.crowd(chance) as crowd:
            for turn in range(RESTARTS):
                crowd.work(chance.randint(5, 20))
                server.stop("immediate" if turn % 2 else "fast")
                time.sleep(chance.uniform(0, 0.5))
                server.start()
                back = time.monotonic()
                crowd.work(1)
                first.append(time.monotonic() - back)
                time.sleep(max(0, back + SETTLED - time.monotonic()))
                crowd.work(4)
                assert [refusal for refusal in crowd.refusals if refusal.at > back + SETTLED] == []
                proof.reached += 1
        put_off = [answer for answer in read if answer.status != 200]
        assert put_off
        told: list[Told] = [*put_off, *crowd.refusals]
        assert [sentence(answer) for answer in told if not wait_is_asked(answer)] == []
        assert crowd.cut == 0
        assert town.faults(crowd) == []
        proof.note(f"{len(crowd.acknowledged):,} acknowledged, {len(crowd.refusals):,} put off and sent again")
        proof.note(f"the first one {max(first):.1f} s after a restart at most")
