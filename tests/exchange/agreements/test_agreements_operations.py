"""Olga makes agreements from the town's template; both sides accept them in turn, and nothing is ever rewritten."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.agreements import operations, policy, queries, telling
from exchange.agreements.models import AgreementText, SignatureName
from exchange.agreements.operations import Wording
from exchange.blocks import read, written
from exchange.bookings import changes
from exchange.bookings import operations as bookings
from exchange.errors import (
    AgreementExists,
    AgreementVoid,
    AlreadyAnswered,
    AnotherText,
    FieldUnknown,
    Invalid,
    NotYourTurn,
    TemplateChanged,
    TemplateMissing,
    WrongState,
    refusal_of,
)
from ledger.entries import Acting
from tests.cast import NOON, SATURDAY, Cast
from tests.databases import as_owner
from tests.exchange.agreements.conftest import TEXT, Borrow, accepted, loan_of, made
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.lent import Lent


def test_an_agreement_says_the_loan_in_the_words_of_the_template(
    session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    found = made(session, cast, borrow())
    assert found.called == "C-2026-0001"
    assert found.text == written(read(
        "# Convention C-2026-0001\n\nEntre Ville de Saint-Marron et Alice, pour Fête : Salle des fêtes, "
        "du samedi 28 novembre 2026 à 12\u00a0h au samedi 28 novembre 2026 à 16\u00a0h.\n\n## Conditions\n\n"
        "- attestation d’assurance à remettre avant le prêt\n- Prix : gratuit\n"
    ))  # fmt: skip
    assert found.digest == policy.digest(found.text or "")


def test_numbers_follow_each_other_by_lender_and_year(
    session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    loans = [borrow(days=day) for day in range(3)]
    assert [made(session, cast, loan).called for loan in loans[:2]] == ["C-2026-0001", "C-2026-0002"]
    version = queries.templates(session, cast.town.id)[0]
    values = dict.fromkeys(policy.FIELDS, "x")
    next_year = operations.make(session, loans[2].booking, version, values, year=2027, by=cast.olga.by, at=NOON)
    assert (next_year.year, next_year.number) == (2027, 1)


@pytest.mark.parametrize("number", [1, 3, 7])
def test_the_database_refuses_a_number_that_is_not_the_next(
    session: Session, cast: Cast, borrow: Borrow, template: str, number: int
) -> None:
    made(session, cast, borrow())
    loan = borrow(days=1)
    with pytest.raises(DBAPIError, match="not the next number"):
        session.execute(
            text("INSERT INTO agreements (token, lender_id, booking_id, version_id, year, number, digest, by_party,"
                 " made_at) SELECT 'x', lender_id, :booking, version_id, year, :number, digest, by_party, made_at"
                 " FROM agreements LIMIT 1"), {"booking": loan.booking.id, "number": number},
        )  # fmt: skip


def test_the_lender_accepts_then_the_borrower(session: Session, cast: Cast, borrow: Borrow, template: str) -> None:
    agreement = made(session, cast, borrow())
    with pytest.raises(NotYourTurn) as refused, session.begin_nested():
        accepted(session, cast, agreement, "borrower")
    assert refused.value.facts == {"first": "lender"}
    agreement = accepted(session, cast, agreement, "lender")
    assert (agreement.state(None), agreement.turn) == ("open", "borrower")
    agreement = accepted(session, cast, agreement, "borrower")
    assert (agreement.state(None), agreement.turn) == ("signed", None)
    assert {side: (each.name, each.sentence, each.how) for side, each in agreement.signatures.items()} == {
        "lender": ("Olga", "Moi, Olga.", "online"), "borrower": ("Alice", "Moi, Alice.", "online"),
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _as_transaction_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the database refuses is named as ``transaction`` does it, so that tests say the rule."""
    sign = operations._sign

    def named(session: Session, *given: object, **more: object) -> None:
        try:
            sign(session, *given, **more)  # type: ignore[arg-type]
        except DBAPIError as refused:
            raise refusal_of(refused) or refused from refused

    monkeypatch.setattr(operations, "_sign", named)


def test_the_template_may_want_the_borrower_first(session: Session, cast: Cast, borrow: Borrow) -> None:
    operations.write_template(session, Wording("Convention", TEXT, first="borrower"), lender=cast.town.id,
                              by=cast.olga.by, at=NOON)  # fmt: skip
    agreement = made(session, cast, borrow())
    with pytest.raises(NotYourTurn), session.begin_nested():
        accepted(session, cast, agreement, "lender")
    assert accepted(session, cast, agreement, "borrower").turn == "lender"


def test_nobody_accepts_twice(session: Session, cast: Cast, borrow: Borrow, template: str) -> None:
    agreement = accepted(session, cast, made(session, cast, borrow()), "lender")
    with pytest.raises(AlreadyAnswered), session.begin_nested():
        accepted(session, cast, agreement, "lender")


def test_another_text_is_not_accepted(session: Session, cast: Cast, borrow: Borrow, template: str) -> None:
    agreement = made(session, cast, borrow())
    with pytest.raises(AnotherText):
        operations.accept(session, agreement, "lender", digest=b"other", name="Olga", sentence="Oui", on=SATURDAY,
                          by=cast.olga.by, at=NOON)  # fmt: skip


def test_who_has_no_sign_in_signs_on_paper(session: Session, cast: Cast, borrow: Borrow, template: str) -> None:
    agreement = accepted(session, cast, made(session, cast, borrow()), "lender")
    note = {"name": "Denise", "sentence": "Moi, Denise.", "today": SATURDAY, "by": cast.olga.by, "at": NOON}
    with pytest.raises(Invalid):
        operations.note_paper(session, agreement, on=SATURDAY + timedelta(days=1), **note)
    operations.note_paper(session, agreement, on=date(2026, 11, 19), **note)
    found = queries.by_token(session, agreement.token)
    assert found is not None
    kept = found.signatures["borrower"]
    assert (kept.how, kept.signed_on, kept.name, kept.by_sign_in) == (
        "paper", date(2026, 11, 19), "Denise", cast.olga.by.sign_in)  # fmt: skip


def test_a_loan_has_one_agreement_and_another_takes_its_place(
    session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    loan = borrow()
    first = made(session, cast, loan)
    with pytest.raises(AgreementExists):
        telling.make(session, loan, by=cast.olga.by, at=NOON)
    second = made(session, cast, loan, again=True)
    old = queries.by_token(session, first.token)
    assert old is not None
    assert (old.state(None), old.replaced_by, second.called) == ("superseded", second.token, "C-2026-0002")
    with pytest.raises(AgreementVoid), session.begin_nested():
        accepted(session, cast, first, "lender")
    with pytest.raises(AgreementExists):
        telling.make(session, loan, replaces=first, by=cast.olga.by, at=NOON)


def test_a_loan_that_is_cancelled_voids_its_agreement(
    session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    loan = borrow()
    agreement = made(session, cast, loan)
    bookings.cancel(session, loan.booking.token, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=NOON)
    loan = loan_of(session, loan.booking.id)
    assert agreement.state(loan.cancelled) == "void"
    with pytest.raises(AgreementVoid), session.begin_nested():
        accepted(session, cast, agreement, "lender")
    with pytest.raises(WrongState):
        telling.make(session, loan, replaces=agreement, by=cast.olga.by, at=NOON)


def test_a_loan_that_is_changed_has_a_new_one(session: Session, cast: Cast, borrow: Borrow, template: str) -> None:
    loan = borrow()
    agreement = made(session, cast, loan)
    wish = wanting(cast.alice.party.id, *loan.resources.values(), starts=NEXT_WEEK + timedelta(hours=1))
    changed = changes.change(session, loan.booking.token, wish, parties=[cast.alice.party.id], by=cast.alice.by,
                             at=NOON)  # fmt: skip
    assert agreement.state(loan_of(session, loan.booking.id).cancelled) == "open"  # it stands until the answer
    bookings.accept(session, changed.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    assert agreement.state(loan_of(session, loan.booking.id).cancelled) == "superseded"
    assert made(session, cast, loan_of(session, changed.id)).called == "C-2026-0002"


def test_what_is_not_accepted_has_none(session: Session, cast: Cast, lent: Lent, template: str) -> None:
    asked = bookings.ask(session, wanting(cast.alice.party.id, lent.hall), zone="Europe/Paris", by=cast.alice.by,
                         at=NOON)  # fmt: skip
    with pytest.raises(WrongState):
        telling.make(session, loan_of(session, asked.id), by=cast.olga.by, at=NOON)


# -- templates


def test_a_template_with_an_unknown_field_is_not_written(session: Session, cast: Cast) -> None:
    with pytest.raises(FieldUnknown):
        operations.write_template(session, Wording("Convention", "Pour {demandeuse}"), lender=cast.town.id,
                                  by=cast.olga.by, at=NOON)  # fmt: skip
    assert queries.templates(session, cast.town.id) == []


def test_a_new_version_leaves_what_was_made_as_it_is(
    session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    before = made(session, cast, borrow())
    read = queries.templates(session, cast.town.id)[0]
    operations.write_template(session, Wording("Accord", "Bref : {demandeur}"), lender=cast.town.id, after=read,
                              by=cast.olga.by, at=NOON)  # fmt: skip
    assert queries.by_token(session, before.token) == before
    assert made(session, cast, borrow(days=1)).text == "Bref : Alice\n"
    with pytest.raises(TemplateChanged):
        operations.write_template(session, Wording("Autre", "x"), lender=cast.town.id, after=read, by=cast.olga.by,
                                  at=NOON)  # fmt: skip


def test_the_template_that_names_the_resource_comes_before_the_one_for_all(
    session: Session, cast: Cast, lent: Lent, borrow: Borrow, template: str
) -> None:
    def write(title: str, covers: str, *resources: int) -> None:
        operations.write_template(session, Wording(title, title, covers, resources), lender=cast.town.id,
                                  by=cast.olga.by, at=NOON)  # fmt: skip

    write("Perceuse", "chosen", lent.drill.id)
    write("Plus rien", "none")
    assert made(session, cast, borrow(lent.drill)).title == "Perceuse"
    assert made(session, cast, borrow(lent.hall, days=1)).title == "Convention"


def test_without_a_template_there_is_no_agreement(
    session: Session, cast: Cast, lent: Lent, borrow: Borrow
) -> None:
    operations.write_template(session, Wording("Perceuse", "x", "chosen", [lent.drill.id]), lender=cast.town.id,
                              by=cast.olga.by, at=NOON)  # fmt: skip
    with pytest.raises(TemplateMissing):
        telling.make(session, borrow(lent.hall), by=cast.olga.by, at=NOON)


def test_those_that_are_automatic_are_made_once_for_what_was_accepted_since(
    session: Session, cast: Cast, borrow: Borrow
) -> None:
    borrow(at=NOON - timedelta(hours=1))
    operations.write_template(session, Wording("Convention", TEXT, automatic=True), lender=cast.town.id,
                              by=cast.olga.by, at=NOON)  # fmt: skip
    loan, gone = borrow(days=1), borrow(days=2)
    bookings.cancel(session, gone.booking.token, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=NOON)
    assert telling.make_awaited(session, at=NOON, after=0) == loan.booking.id
    found = queries.of_booking(session, loan.booking.id)
    assert found is not None
    assert (found.called, found.by_sign_in) == ("C-2026-0001", None)
    assert telling.make_awaited(session, at=NOON, after=0) == 0


# -- what the database keeps


@pytest.mark.parametrize(
    "statement",
    ["UPDATE agreements SET number = 9", "DELETE FROM agreements", "UPDATE agreement_versions SET text = 'x'",
     "UPDATE agreement_signatures SET side = 'lender'", "DELETE FROM agreement_signatures",
     "UPDATE agreement_texts SET text = 'x'", "UPDATE agreement_names SET name = 'x'"],
)  # fmt: skip
def test_even_the_owner_of_the_tables_rewrites_nothing(
    session: Session, cast: Cast, borrow: Borrow, template: str, statement: str
) -> None:
    accepted(session, cast, made(session, cast, borrow()), "lender")
    with as_owner(session), pytest.raises(DBAPIError, match="written-once"), session.begin_nested():
        session.execute(text(statement))


@pytest.mark.parametrize("table", ["agreement_texts", "agreement_names"])
def test_the_web_role_erases_no_words(
    session: Session, cast: Cast, borrow: Borrow, template: str, table: str
) -> None:
    accepted(session, cast, made(session, cast, borrow()), "lender")
    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.execute(text(f"DELETE FROM {table}"))


def test_a_text_that_is_not_of_its_digest_is_refused(
    session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    agreement = made(session, cast, borrow())
    with as_owner(session):
        session.execute(text("DELETE FROM agreement_texts"))
    with pytest.raises(DBAPIError, match="another text"):
        session.execute(text("INSERT INTO agreement_texts VALUES (:id, 'Autre chose')"), {"id": agreement.id})


def test_another_lender_s_template_makes_no_agreement(
    session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    operations.write_template(session, Wording("Du club", "x"), lender=cast.club.id, by=cast.delegate, at=NOON)
    foreign, loan = queries.templates(session, cast.club.id)[0], borrow()
    with pytest.raises(DBAPIError, match="another lender"):
        operations.make(session, loan.booking, foreign, dict.fromkeys(policy.FIELDS, "x"), year=2026,
                        by=Acting(None, cast.town.id), at=NOON)  # fmt: skip


def test_the_words_are_erased_with_the_person_and_the_number_and_the_digest_stay(
    session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    agreement = accepted(session, cast, accepted(session, cast, made(session, cast, borrow()), "lender"), "borrower")
    with as_owner(session):
        assert operations.erase(session, cast.bruno.party.id) == 0
        assert operations.erase(session, cast.alice.party.id) == 1
        assert operations.erase(session, cast.alice.party.id) == 0
    session.expire_all()
    assert session.query(AgreementText).count() == session.query(SignatureName).count() == 0
    left = queries.by_token(session, agreement.token)
    assert left is not None
    assert (left.called, left.digest, left.text, left.state(None)) == (
        agreement.called, agreement.digest, None, "erased")  # fmt: skip
    assert {(each.side, each.name, each.sentence) for each in left.signatures.values()} == {
        ("lender", None, None), ("borrower", None, None)}  # fmt: skip
    assert policy.digest(agreement.text or "") == left.digest  # a copy that somebody kept is still checked
