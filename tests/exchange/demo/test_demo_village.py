"""Saint-Marron has every state of every object, and books that are right."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from exchange import demo
from exchange.audit import queries as audit
from exchange.db import Base, db
from tests.databases import Postgres
from tests.exchange.demo.conftest import TODAY, Village, count, settle

ACCOUNT_OF = "SELECT a.* FROM books.accounts a JOIN parties p ON p.id = a.party_id WHERE "
DECLARED = "SELECT d.* FROM declarations d LEFT JOIN declaration_answers a ON a.declaration_id = d.id WHERE "
BOOKED = """
    SELECT b.id FROM bookings b
      LEFT JOIN booking_decisions d ON d.booking_id = b.id
      LEFT JOIN booking_cancellations c ON c.booking_id = b.id
      LEFT JOIN hand_overs h ON h.booking_id = b.id
      LEFT JOIN returns r ON r.booking_id = b.id
     WHERE """
OF_KIND = """EXISTS (SELECT FROM booking_items i JOIN resources x ON x.id = i.resource_id
                     WHERE i.booking_id = b.id AND x.kind = """
NOBODY_SIGNS_IN = "NOT EXISTS (SELECT FROM mandates m WHERE m.party_id = p.id)"

# everything that somebody may meet, and the rows that show it
STATES = {
    "a declaration that waits": f"{DECLARED} a.answer IS NULL AND d.answer_before > :now",
    "a declaration confirmed by the other": f"{DECLARED} a.answer = 'confirmed' AND a.by_sign_in <> d.by_sign_in",
    "a declaration refused with a reason": f"{DECLARED} a.answer = 'refused' AND a.reason <> ''",
    "a declaration that expired": f"{DECLARED} a.answer = 'expired'",
    "a declaration of a service": f"{DECLARED} d.nature = 'service'",
    "a declaration of knowledge": f"{DECLARED} d.nature = 'knowledge'",
    "a declaration of goods": f"{DECLARED} d.nature = 'goods'",
    "a declaration keyed at the counter for somebody without internet": f"""{DECLARED} d.by_mandate IN
        (SELECT id FROM mandates WHERE role = 'facilitator') AND d.by_party IN
        (SELECT p.id FROM parties p WHERE {NOBODY_SIGNS_IN})""",
    "a late slip with its number": f"{DECLARED} d.slip IS NOT NULL AND d.declared_at::date - d.happened_on > 45",
    "an entry reversed with a reason": """SELECT e.id FROM books.entries e JOIN books.notes n ON n.fact_id = e.id
        WHERE e.kind = 'correction' AND e.reverses_id IS NOT NULL""",
    "a member at the floor": f"{ACCOUNT_OF} a.balance = a.floor AND a.balance = -2000",
    "a hoarder above the ceiling": f"{ACCOUNT_OF} a.balance > a.ceiling AND a.kind = 'person'",
    "months that are closed, and entries that came late": "SELECT id FROM books.months WHERE late > 0",
    **{
        f"a picture of a {kind}": f"""SELECT p.id FROM pictures p JOIN resources r ON r.id = p.resource_id
            WHERE r.kind = '{kind}'"""
        for kind in ("room", "thing")
    },
    "a leaver whose account is closed": f"{ACCOUNT_OF} a.closed_at IS NOT NULL AND a.balance = 0 AND a.seq > 0",
    "an exception to the limits with its reason and its end": f"""{ACCOUNT_OF} a.balance < -2000 AND a.id IN
        (SELECT account_id FROM books.limits WHERE ends_at > :now AND id IN (SELECT fact_id FROM books.notes))""",
    "a household with two sign-ins": """SELECT m.party_id FROM mandates m JOIN parties p ON p.id = m.party_id
        WHERE m.role = 'member' AND p.kind = 'person' GROUP BY 1 HAVING count(DISTINCT m.sign_in_id) = 2""",
    "two people who share an e-mail": "SELECT email FROM sign_ins GROUP BY 1 HAVING count(email) = 2",
    "somebody who signs in without an e-mail": "SELECT id FROM sign_ins WHERE email IS NULL",
    "a member who doesn't sign in": f"{ACCOUNT_OF} p.kind = 'person' AND {NOBODY_SIGNS_IN}",
    "an application that waits": """SELECT id FROM applications
        WHERE id NOT IN (SELECT application_id FROM application_decisions)""",
    "an application declined with a reason": """SELECT * FROM application_decisions
        WHERE verdict = 'declined' AND reason <> ''""",
    "an application accepted": """SELECT * FROM application_decisions
        WHERE verdict = 'accepted' AND by_sign_in IS NOT NULL""",
    **{
        f"{'an open' if is_open else 'a closed'} {kind} of {nature}":
            f"""SELECT id FROM adverts WHERE kind = '{kind}' AND nature = '{nature}'
                AND (closed_at IS NULL) = {is_open}"""
        for kind in ("offer", "want") for nature in ("service", "knowledge", "goods") for is_open in (True, False)
    },
    "an advert that was edited": "SELECT * FROM advert_changes WHERE kind = 'edited'",
    "an advert published at the counter": """SELECT id FROM adverts
        WHERE by_mandate IN (SELECT id FROM mandates WHERE role = 'facilitator')""",
    "a thread in which both wrote": """SELECT thread_id FROM messages
        GROUP BY 1 HAVING count(*) >= 3 AND count(DISTINCT by_party) = 2""",
    "somebody who may borrow what is reserved": """SELECT a.id FROM authorisations a JOIN resources r
        ON r.id = a.resource_id WHERE r.reserved AND a.until > :now""",
    "a deposit that is missing": """SELECT booking_id FROM booking_dues WHERE kind = 'deposit' AND booking_id NOT IN
        (SELECT booking_id FROM euro_receipts)""",
    "a fee in euros": "SELECT booking_id FROM booking_dues WHERE kind = 'fee'",
    "a deposit without which nothing leaves": "SELECT booking_id FROM booking_dues WHERE first",
    "a deposit given back": "SELECT receipt_id FROM euro_receipt_ends WHERE outcome = 'returned'",
    "a deposit kept in part, for a reason": "SELECT receipt_id FROM euro_receipt_ends WHERE outcome = 'kept'",
    "a circuit of two steps": "SELECT circuit_id FROM circuit_steps GROUP BY 1 HAVING count(*) = 2",
    "a request that waits for the technical service": """SELECT b.booking_id FROM booking_circuits b
        WHERE NOT EXISTS (SELECT FROM booking_opinions o WHERE o.booking_id = b.booking_id)
          AND NOT EXISTS (SELECT FROM booking_decisions d WHERE d.booking_id = b.booking_id)""",
    "an opinion before the decision": """SELECT booking_id FROM booking_opinions o
        WHERE NOT EXISTS (SELECT FROM booking_decisions d WHERE d.booking_id = o.booking_id)""",
    "a document that is asked": "SELECT id FROM document_versions WHERE asked AND verified",
    **{f"a request whose document is {state}": f"SELECT booking_id FROM booking_papers WHERE state = '{state}'"
       for state in ("lacking", "unverified", "good")},
    "a charter that is asked": "SELECT id FROM charter_versions WHERE asked",
    "a charter that somebody accepted": "SELECT version_id FROM charter_acceptances",
    "a template of agreements": "SELECT id FROM agreement_versions WHERE covers = 'chosen'",
    "an agreement accepted by both": "SELECT agreement_id FROM agreement_signatures GROUP BY 1 HAVING count(*) = 2",
    "an agreement that waits for its borrower": """SELECT agreement_id FROM agreement_signatures
        GROUP BY 1 HAVING count(*) = 1""",
    "an agreement that nobody accepted yet": """SELECT id FROM agreements
        WHERE id NOT IN (SELECT agreement_id FROM agreement_signatures)""",
    "something lent in slots": "SELECT id FROM resources WHERE slots LIKE '%,%'",
    "something lent by the day": "SELECT id FROM resources WHERE slots = '00:00-24:00'",
    "a change that waits, of a booking that stands": """SELECT b.id FROM bookings b
        LEFT JOIN booking_decisions d ON d.booking_id = b.id
        LEFT JOIN booking_cancellations c ON c.booking_id = b.changes_id
        WHERE b.changes_id IS NOT NULL AND d.booking_id IS NULL AND c.booking_id IS NULL""",
    "a series that was accepted": """SELECT b.series_id FROM bookings b JOIN booking_decisions d ON d.booking_id = b.id
        WHERE d.verdict = 'accepted' GROUP BY 1 HAVING count(b.series_id) > 5""",
    "a series that waits": """SELECT b.series_id FROM bookings b LEFT JOIN booking_decisions d ON d.booking_id = b.id
        WHERE d.booking_id IS NULL AND b.starts_at > :now GROUP BY 1 HAVING count(b.series_id) > 5""",
    "an option that somebody else waits for": """SELECT b.id FROM bookings b JOIN option_calls c ON c.booking_id = b.id
        WHERE b.held_until > :now""",
    "something that is held for who waited": """SELECT b.id FROM bookings b JOIN wish_turns t ON t.booking_id = b.id
        WHERE b.held_until > :now""",
    "a request that waits": f"{BOOKED} d.verdict IS NULL AND c.booking_id IS NULL AND b.starts_at > :now",
    "a priced request that waits": f"{BOOKED} d.verdict IS NULL AND c.booking_id IS NULL AND b.minutes > 0",
    "an accepted booking to come": f"{BOOKED} d.verdict = 'accepted' AND c.booking_id IS NULL AND b.starts_at > :now",
    "a booking of today": f"{BOOKED} d.verdict = 'accepted' AND b.starts_at::date = :today",
    "minutes set aside": f"""{BOOKED} d.hold_id IS NOT NULL AND d.hold_id NOT IN
        (SELECT hold_id FROM books.hold_resolutions)""",
    **{
        f"a request declined on the ground of {ground}": f"{BOOKED} d.ground = '{ground}' AND d.text <> ''"
        for ground in ("property", "services", "order", "rule", "other")
    },
    "a request that expired": f"{BOOKED} d.verdict = 'expired'",
    "a booking cancelled in time, its minutes given back": f"""{BOOKED} c.in_time AND d.hold_id IN
        (SELECT hold_id FROM books.hold_resolutions WHERE kind = 'released')""",
    "a booking cancelled late, its minutes due": f"""{BOOKED} NOT c.in_time AND d.hold_id IN
        (SELECT hold_id FROM books.hold_resolutions WHERE kind = 'posted')""",
    "a thing handed over": f"{BOOKED} h.booking_id IS NOT NULL AND r.booking_id IS NULL AND b.ends_at > :now",
    "a loan that nobody came for, its minutes given back": f"""{BOOKED} b.id IN (SELECT booking_id FROM no_shows)
        AND d.hold_id IN (SELECT hold_id FROM books.hold_resolutions WHERE kind = 'released')""",
    "a loan that came back in part": f"""{BOOKED} r.booking_id IS NULL
        AND b.id IN (SELECT booking_id FROM return_parts)""",
    "something broken in a loan": "SELECT item_id FROM return_items WHERE broken > 0",
    "a damage that waits": "SELECT id FROM damages WHERE id NOT IN (SELECT damage_id FROM damage_answers)",
    "a damage contested": "SELECT damage_id FROM damage_answers WHERE answer = 'contested'",
    "a key that is out": "SELECT key_id FROM keys_out",
    "a key that is lost": "SELECT id FROM keys WHERE lost_at IS NOT NULL",
    "a picture of an inventory": "SELECT id FROM inventory_pictures",
    "more time that waits": """SELECT id FROM extensions
        WHERE id NOT IN (SELECT extension_id FROM extension_decisions)""",
    "people who came": "SELECT booking_id FROM attendances",
    "a loan overdue": f"{BOOKED} h.booking_id IS NOT NULL AND r.booking_id IS NULL AND b.ends_at < :now",
    "a thing brought back, with a remark": f"{BOOKED} r.remarks <> ''",
    "a past free booking": f"""{BOOKED} d.verdict = 'accepted' AND c.booking_id IS NULL AND b.minutes = 0
        AND b.ends_at < :now""",
    "a past priced booking, settled": f"""{BOOKED} b.minutes > 0 AND c.booking_id IS NULL AND d.hold_id IN
        (SELECT hold_id FROM books.hold_resolutions WHERE kind = 'posted')""",
    "a hall with chairs in one request": f"{BOOKED} {OF_KIND} 'room') AND {OF_KIND} 'pool')",
    "the SEL as a borrower": f"{BOOKED} b.party_id IN (SELECT party_id FROM communities) AND d.verdict = 'accepted'",
    "a loan asked for at the counter": f"{BOOKED} b.by_mandate IN (SELECT id FROM mandates WHERE role = 'facilitator')",
    "a territory with its outline": "SELECT id FROM territory WHERE outline IS NOT NULL",
    "a place on the map": """SELECT p.id FROM places p JOIN parties l ON l.id = p.lender_id
        WHERE p.latitude IS NOT NULL AND l.kind = 'organisation'""",
    "a room published": "SELECT id FROM resources WHERE kind = 'room' AND published_at IS NOT NULL",
    "a room whose capacity is missing": "SELECT id FROM resources WHERE kind = 'room' AND capacity IS NULL",
    "a room withdrawn": "SELECT resource_id FROM resource_acts WHERE act = 'withdrawn'",
    "a resource edited": "SELECT resource_id FROM resource_acts WHERE act = 'edited'",
    "a room retired": "SELECT id FROM resources WHERE kind = 'room' AND retired_at IS NOT NULL",
    "a hall of two halves": "SELECT resource_id FROM resource_units GROUP BY 1 HAVING count(*) = 2",
    "a pool": "SELECT id FROM resources WHERE kind = 'pool' AND quantity > 100",
    "a thing": "SELECT id FROM resources WHERE kind = 'thing' AND published_at IS NOT NULL",
    "a thing that an inhabitant lends": """SELECT r.id FROM resources r JOIN parties p ON p.id = r.lender_id
        WHERE p.kind = 'person'""",
    "an inhabitant who made themselves a lender, and whose neighbour waits for an answer": """SELECT b.id
        FROM bookings b JOIN resources r ON r.lender_id = b.lender_id
        JOIN mandates m ON m.party_id = b.lender_id AND m.role = 'officer' AND m.granted_by = m.sign_in_id
        WHERE b.answer_before > :now AND b.id NOT IN (SELECT booking_id FROM booking_decisions)""",
    "a thing that nobody has to decide about": "SELECT id FROM resources WHERE decided_by = 'nobody'",
    "a tariff of zero from the town": """SELECT r.id FROM rules r JOIN organisations o ON o.party_id = r.lender_id
        WHERE o.kind = 'authority' AND r.minutes = 0""",
    "a tariff by the hour from a firm": """SELECT r.id FROM rules r JOIN organisations o ON o.party_id = r.lender_id
        WHERE o.kind = 'firm' AND r.minutes > 0 AND r.per = 'hour' AND r.ends_on IS NULL""",
    "a tariff for one class": "SELECT id FROM rules WHERE shape = 'tariff' AND class IS NOT NULL AND ends_on IS NULL",
    "a public price and the decision of the council": """SELECT r.id FROM rules r
        JOIN organisations o ON o.party_id = r.lender_id
        WHERE o.kind = 'authority' AND r.minutes > 0 AND r.decision_number <> ''""",
    "a rate that the council voted, and the one before": """SELECT c.id FROM council_rates c JOIN council_rates b
        ON (b.lender_id, b.category) = (c.lender_id, c.category) AND b.starts_on < c.starts_on
        WHERE c.starts_on <= :today""",
    "a loan without a value that was voted": """SELECT i.id FROM hand_overs h JOIN booking_items i USING (booking_id)
        JOIN resources r ON r.id = i.resource_id WHERE r.category = 'Transport'
        AND NOT EXISTS (SELECT FROM council_rates c WHERE c.category = r.category OR c.resource_id = r.id)""",
    "a rule that ended": "SELECT id FROM rules WHERE ends_on < :today",
    "a gate on the balance": "SELECT id FROM rules WHERE gate = 'balance'",
    "a gate on what is overdue": "SELECT id FROM rules WHERE gate = 'nothing-overdue'",
    "an access token": "SELECT id FROM access_tokens WHERE revoked_at IS NULL AND expires_at > :now",
    "an access token revoked": "SELECT id FROM access_tokens WHERE revoked_at IS NOT NULL",
    **{
        f"a mandate of {role}": f"SELECT id FROM mandates WHERE role = '{role}' AND ends_on IS NULL"
        for role in ("member", "delegate", "officer", "facilitator", "treasurer", "auditor", "administrator")
    },
    "a mandate that ended": "SELECT id FROM mandates WHERE ends_on < :today",
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_it_has(state: str, there: Session) -> None:
    assert count(there, STATES[state], now=TODAY, today=TODAY.date()) > 0


def test_ninety_members_exchange_for_two_years(there: Session) -> None:
    assert count(there, "SELECT 1 FROM books.accounts WHERE kind = 'person' AND closed_at IS NULL") == 90
    assert 1500 <= count(there, "SELECT 1 FROM declarations") <= 2500
    assert count(there, "SELECT DISTINCT title FROM adverts") >= 120
    first, last = there.execute(text("SELECT min(happened_on), max(happened_on) FROM declarations")).one()
    assert (TODAY.date() - first).days > 700
    assert (TODAY.date() - last).days < 4


def test_a_few_exchange_much_and_many_a_little(there: Session) -> None:
    lines = sorted(there.scalars(text("SELECT seq FROM books.accounts WHERE kind = 'person'")), reverse=True)
    assert sum(lines[:18]) > 0.4 * sum(lines)
    assert 0 < lines[60] < 25


def test_the_audit_finds_nothing(there: Session) -> None:
    assert [said for finding in audit.checks(there, at=TODAY) for said in finding.wrong] == []


def test_nobody_is_outside_their_limits_but_the_hoarder(there: Session) -> None:
    outside = "SELECT p.name FROM books.accounts a JOIN parties p ON p.id = a.party_id"
    assert there.scalars(text(f"{outside} WHERE a.balance - a.held < a.floor")).all() == []
    assert there.scalars(text(f"{outside} WHERE a.balance > a.ceiling")).all() == ["Bernadette Évain"]


def test_no_letter_of_the_past_waits_to_be_sent(there: Session) -> None:
    assert count(there, "SELECT id FROM outbox") == 0
    assert count(there, "SELECT id FROM procrastinate_jobs") == 0


def test_nothing_was_recorded_after_the_day_when_it_was_loaded(there: Session) -> None:
    assert there.scalar(text("SELECT max(recorded_at) FROM books.entries")) <= TODAY
    assert there.scalar(text("SELECT max(published_at) FROM adverts")) <= TODAY
    assert there.scalar(text("SELECT max(asked_at) FROM bookings")) <= TODAY


def test_everybody_prints_and_signs_in(village: Village) -> None:
    with village.database.connected() as connection:
        printed = "\n".join(demo.sign_ins(connection))
    browser = village.app.test_client()
    village.app.config["WTF_CSRF_ENABLED"] = False
    for role, name in demo.VISITORS:
        assert role in printed
        assert name in printed
        answer = browser.post("/connexion", data={"username": name, "password": demo.PASSWORD})
        assert answer.status_code == 303, name
        browser.post("/deconnexion")


def test_a_territory_of_ones_own_has_no_visitor(postgres: Postgres) -> None:
    database = postgres.copy()
    with database.connected() as connection:
        assert demo.sign_ins(connection) == []
    postgres.drop(database)


def test_the_person_who_waits_is_told_in_two_lines(village: Village) -> None:
    assert len(village.said) == 2
    assert "130 annonces" in village.said[1]


def test_loading_stops_half_way_and_nothing_is_left(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is the first rule, after a month of members, rooms and exchanges."""
    database = postgres.copy()

    def broken(*_given: object, **_named: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(demo.lending, "_rules", broken)
    with database.app().app_context(), pytest.raises(RuntimeError):
        demo.load(database.owner_url, str, at=TODAY)
    with database.connected("owner") as connection:
        assert connection.execute("SELECT count(*) FROM parties").fetchone() == (0,)
    postgres.drop(database)


# what proves who somebody is, and is never the same twice
SECRET = {"password", "fs_uniquifier", "digest", "salt", "note_digest", "secret"}


def rows(session: Session) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the database but the secrets: table -> rows."""
    found = {}
    for table in Base.metadata.sorted_tables:
        columns = [column for column in table.columns if column.name not in SECRET]
        found[table.fullname] = sorted(map(tuple, session.execute(select(*columns))), key=repr)
    return found


def test_the_same_seed_and_day_tell_the_same_life(there: Session, postgres: Postgres) -> None:
    again = settle(postgres, TODAY, "demo_again")
    with again.app.app_context():
        told = rows(db.session())
        db.session.remove()
    first = rows(there)
    assert [name for name in first if first[name] != told[name]] == []
    postgres.drop(again.database)
