"""T4: processes of the web are killed while neighbours declare; whatever was acknowledged is there, once.

The real service, in gunicorn as in production, on a durable server. A service that answers before it has committed, and
one that forgets the keys it was given, must then fail.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.crashes.processes import PATIENCE
from tests.crashes.town import Act, Crowd, Neighbour, Town
from tests.databases import Database
from tests.proofs import figure, proving, record, seeded

pytestmark = pytest.mark.campaign
KILLS = figure(100, 1000)


def kill_a_worker(town: Town, crowd: Crowd, chance: random.Random) -> int:
    """Let people work for a moment, then kill one of the two workers; the other goes on."""
    crowd.work(chance.randint(1, 4))
    time.sleep(chance.uniform(0, 0.02))
    return town.served.kill_worker(chance)


def test_whatever_was_acknowledged_before_a_worker_was_killed_is_there_once(town: Town) -> None:
    chance = seeded()
    with proving("T4", "kills of web workers", goal=KILLS) as proof:
        with town.crowd(chance) as crowd:
            while proof.reached < KILLS:
                proof.reached += kill_a_worker(town, crowd, chance)
        proof.note(f"{len(crowd.acknowledged):,} exchanges acknowledged, {crowd.cut:,} requests cut and sent again")
        assert crowd.cut > KILLS // 10
        assert crowd.refusals == []
        assert town.faults(crowd) == []


def test_control_a_service_that_answers_before_it_has_committed_loses_what_it_said(
    kept: Database, tmp_path: Path
) -> None:
    town, chance, lost = Town(kept, tmp_path, "tests.crashes.hasty:app"), seeded(), False
    town.served.start()
    try:
        with town.crowd(chance) as crowd:
            for _kill in range(100):
                kill_a_worker(town, crowd, chance)
                if lost := any("acknowledged and is there 0 times" in fault for fault in town.lost_or_doubled(crowd)):
                    break
    finally:
        town.served.stop()
    assert lost


def cut_after_the_commit(town: Town, *, program: bool) -> tuple[Neighbour, Act]:
    """Alice declares, it is committed, and no answer reaches her."""
    alice = town.neighbour(town.cast.alice, random.Random(), program=program)
    alice.enter()
    act = alice.act()
    method, path, sent = alice.request(act)
    alice.caller.send(method, path, **sent)
    until = time.monotonic() + PATIENCE
    while town.written(act) == 0:
        assert time.monotonic() < until
        time.sleep(0.01)
    alice.caller.leave()
    return alice, act


def test_an_answer_cut_after_the_commit_is_given_again_after_a_restart(town: Town) -> None:
    cut = [cut_after_the_commit(town, program=program) for program in (False, True)]
    town.served.kill()
    town.served.start()
    for alice, act in cut:
        answer = alice.ask(act)
        assert answer.status == (201 if alice.program else 303)
        assert alice.ask(act).location == answer.location
        assert town.written(act) == 1
        assert alice.ask(act._replace(minutes=act.minutes + 1)).status == 409
        alice.caller.leave()
        record("T7", "answers cut after the commit, given again after a restart", goal=1, reached=1)


def test_control_a_service_that_forgets_its_keys_writes_twice_what_was_cut(town: Town) -> None:
    with town.database.connected("superuser") as superuser:
        superuser.execute(FORGETFUL)
    alice, act = cut_after_the_commit(town, program=False)
    alice.ask(act)
    alice.caller.leave()
    assert town.written(act) == 2


FORGETFUL = """
    CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.key := gen_random_uuid()::text; RETURN NEW; END $$;
    CREATE TRIGGER forget BEFORE INSERT ON kept_answers FOR EACH ROW EXECUTE FUNCTION forget();
"""
