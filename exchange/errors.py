"""What the service refuses, by name, and the one table that maps each name to HTTP.

Domain errors are raised by policy and operations. A constraint of the database that refuses first comes out under the
same name: ``BY_CONSTRAINT``.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

import psycopg
from sqlalchemy.exc import DBAPIError

import ledger.errors
from ledger.errors import Refused


class Refusal(Refused):
    """Something a capability refuses. ``field``, when given, is where the person can mend it."""

    field: ClassVar[str | None] = None


class NotFound(Refusal):
    """No such row, or another's: the answer is the same."""

    rule = "not-found"


class NotAllowed(Refusal):
    """The acting sign-in lacks the mandate. Facts: roles that can, and the party that they act for."""

    rule = "not-allowed"


class NotInstalled(Refusal):
    """Nobody has said yet which territory this install serves."""

    rule = "not-installed"


class OutlineWrong(Refusal):
    """A file that is no outline of a territory. Facts: why ("too-big", "not-json", "no-polygon", "other-system",
    "not-a-position", "out-of-bounds", "too-short", "not-closed"), and where in the file.
    """

    rule = "outline-wrong"


class NotSealed(Refusal):
    """What was just written has no leaf yet: it will in a minute."""

    rule = "not-sealed"


class NothingToSettle(Refusal):
    """Only the account of somebody who leaves is settled, and only while it isn't at zero."""

    rule = "nothing-to-settle"


class SettlesAlone(Refusal):
    """Who proposed a settlement doesn't approve it: two people decide."""

    rule = "settles-alone"


class SettlementChanged(Refusal):
    """The balance isn't what was to be settled any more. Facts: balance (minutes)."""

    rule = "settlement-changed"


class AlreadyAnswered(Refusal):
    """A declaration, a request or an application has its one answer. Facts: answer."""

    rule = "already-answered"


class SlotTaken(Refusal):
    """Somebody has it at that time. Facts: resource."""

    rule = "slot-taken"


class UnderOption(SlotTaken):
    """Nobody asked firmly for it, but it is held. Facts: resource, until."""

    rule = "under-option"


class SlotAwaited(SlotTaken):
    """Somebody waits for it, and has it first. Facts: resource."""

    rule = "slot-awaited"


class NoOption(Refusal):
    """Its lender holds nothing without a firm request. Facts: name."""

    rule = "no-option"


class OptionTooLate(Refusal):
    """It is too near to be held without a firm request."""

    rule = "option-too-late"


class TooManyOptions(Refusal):
    """A party has so many open options with a lender already. Facts: most."""

    rule = "too-many-options"


class StillFree(Refusal):
    """Nobody has what somebody would wait for: it can be asked for."""

    rule = "still-free"


class WaitsAlready(Refusal):
    """A party waits for the same once."""

    rule = "waits-already"


class TooManyWishes(Refusal):
    """A party waits in so many places already. Facts: most."""

    rule = "too-many-wishes"


class PoolExhausted(Refusal):
    """Not enough things are left at that time. Facts: resource, asked, left."""

    rule = "pool-exhausted"


class OutOfService(Refusal):
    """Closed for works, in repair or kept by its lender during a part of that span. Facts: resource, kind, until."""

    rule = "out-of-service"
    field = "starts"


class AlreadyOffered(Refusal):
    """Something is offered already in place of that booking, and waits for an answer."""

    rule = "already-offered"


class ChangeWaits(Refusal):
    """A change is asked for that its lender hasn't answered yet."""

    rule = "change-waits"


class ChangedTooLate(Refusal):
    """Cancelling would cost its minutes by now: a change would be a way around that."""

    rule = "changed-too-late"


class CouncilDecisionMissing(Refusal):
    """A public lender's price names the decision of its council (CGCT L.2144-3: equal access)."""

    rule = "council-decision-missing"


class SlipKeyedTwice(Refusal):
    """This slip's number was keyed already."""

    rule = "slip-keyed-twice"
    field = "slip"


class UserNameTaken(Refusal):
    """Another sign-in has this user name."""

    rule = "user-name-taken"


class TooOften(Refusal):
    """Too many tries in a short time. Facts: minutes to wait at most."""

    rule = "too-often"


class WeakPassword(Refusal):
    """A password that is guessed first. Facts: why ("short", "long", "common", "name")."""

    rule = "weak-password"
    field = "new"


class WrongPassword(Refusal):
    """Not the password in use."""

    rule = "wrong-password"
    field = "password"


class ContactMissing(Refusal):
    """Who asks to join leaves an e-mail or a telephone number, to be answered."""

    rule = "contact-missing"
    field = "email"


class CategoryExists(Refusal):
    """The community has this category."""

    rule = "category-exists"
    field = "name"


class CategoryUnknown(Refusal):
    """The community has no such category."""

    rule = "category-unknown"
    field = "category"


class AdvertClosed(Refusal):
    """The advert is no longer current."""

    rule = "advert-closed"


class HappensLater(Refusal):
    """An exchange is declared once it has happened."""

    rule = "happens-later"
    field = "happened_on"


class TooOld(Refusal):
    """An exchange is declared within a year. Facts: days."""

    rule = "too-old"
    field = "happened_on"


class CounterGains(Refusal):
    """Who serves the counter would be paid by the person that they act for."""

    rule = "counter-gains"


class PaysThemselves(Refusal):
    """At the counter, somebody who has a sign-in pays by their own act. Facts: name."""

    rule = "pays-themselves"


class TooEarly(Refusal):
    """Nothing is handed over so long before the start. Facts: days."""

    rule = "too-early"


class NotBegun(Refusal):
    """A no-show is noted once the loan has begun. Facts: starts_at (an instant, ISO)."""

    rule = "not-begun"


class RoomAlone(Refusal):
    """Nobody's absence is noted of a room alone: it counts as used from its start, hand-over or not."""

    rule = "room-alone"


class WithOneself(Refusal):
    """An exchange is between two accounts."""

    rule = "with-oneself"
    field = "other"


class OtherUnknown(Refusal):
    """The other side has no open account in this community."""

    rule = "other-unknown"
    field = "other"


class EndsBeforeStart(Refusal):
    """A booking ends after it starts."""

    rule = "ends-before-start"
    field = "ends"


class InThePast(Refusal):
    """A booking starts in the future."""

    rule = "in-the-past"
    field = "day"


class TooFar(Refusal):
    """A booking starts within a bounded delay. Facts: days."""

    rule = "too-far"
    field = "day"


class TooLong(Refusal):
    """A booking lasts a bounded time. Facts: days."""

    rule = "too-long"
    field = "ends"


class HourMissing(Refusal):
    """That hour doesn't exist on that day: clocks go forward over it. Facts: day, hour."""

    rule = "hour-missing"
    field = "starts"


class Closed(Refusal):
    """The place is closed during a part of that span. Facts: resource."""

    rule = "closed"
    field = "starts"


class NotLentThen(Refusal):
    """It is lent between two days only. Facts: name, first, last."""

    rule = "not-lent-then"
    field = "day"


class NotASlot(Refusal):
    """It is lent in slots, whole. Facts: name, slots ("08:00-12:00,13:30-18:00")."""

    rule = "not-a-slot"
    field = "starts"


class ShorterThanLent(Refusal):
    """It is lent for longer. Facts: name, minutes."""

    rule = "shorter-than-lent"
    field = "ends"


class LongerThanLent(Refusal):
    """It is lent for less long. Facts: name, minutes."""

    rule = "longer-than-lent"
    field = "ends"


class AskedTooLate(Refusal):
    """It is asked for some time before. Facts: name, hours."""

    rule = "asked-too-late"
    field = "day"


class AskedTooEarly(Refusal):
    """It can't be asked for so long before. Facts: name, days."""

    rule = "asked-too-early"
    field = "day"


class LeastAboveMost(Refusal):
    """What is lent for so long at least is not lent for less at most. Facts: least, most (minutes)."""

    rule = "least-above-most"
    field = "most_minutes"


class LastBeforeFirst(Refusal):
    """The last day on which something is lent comes before the first. Facts: first, last."""

    rule = "last-before-first"
    field = "lent_until"


class HoursTooLong(Refusal):
    """Opening hours with all the days that have their own are longer than what is kept. Facts: most (characters)."""

    rule = "hours-too-long"
    field = "opening_hours"


class TooManyAtOnce(Refusal):
    """So many resources aren't changed at once. Facts: most."""

    rule = "too-many-at-once"


class NumberedAlready(Refusal):
    """Something else of this lender has that inventory number."""

    rule = "numbered-already"
    field = "inventory_number"


class FileIncomplete(Refusal):
    """A request isn't accepted while a document that it asks for lacks. Facts: missing (the names of what lacks)."""

    rule = "file-incomplete"


class DocumentUnreadable(Refusal):
    """A file that is neither a PDF nor a photograph, or that is damaged, or holds too much."""

    rule = "document-unreadable"
    field = "files"


class DocumentLocked(Refusal):
    """A PDF that a password protects."""

    rule = "document-locked"
    field = "files"


class DocumentTooLong(Refusal):
    """A document of more pages than we keep. Facts: most (pages)."""

    rule = "document-too-long"
    field = "files"


class DocumentsMixed(Refusal):
    """A document is one PDF, or some photographs of its pages. Facts: most (photographs)."""

    rule = "documents-mixed"
    field = "files"


class DocumentExpired(Refusal):
    """A document that isn't valid any more is of no use."""

    rule = "document-expired"
    field = "valid_until"


class DocumentUndated(Refusal):
    """This kind of document is given with the last day on which it is valid."""

    rule = "document-undated"
    field = "valid_until"


class DocumentsFull(Refusal):
    """So many documents of one kind were given lately. Facts: most."""

    rule = "documents-full"
    field = "files"


class PictureUnreadable(Refusal):
    """A file that is no picture, or a damaged one."""

    rule = "picture-unreadable"
    field = "file"


class PictureTooLarge(Refusal):
    """A picture of more points than we read. Facts: megapixels."""

    rule = "picture-too-large"
    field = "file"


class PicturesFull(Refusal):
    """A resource has as many pictures as it may. Facts: most."""

    rule = "pictures-full"
    field = "file"


class TooManyPeople(Refusal):
    """More people than the room takes. Facts: resource, capacity."""

    rule = "too-many-people"
    field = "people"


class RuleRefuses(Refusal):
    """A rule of the lender refuses. Facts: the findings that stand in the way."""

    rule = "rule-refuses"


class CharterNotAccepted(RuleRefuses):
    """The charter of the place isn't accepted yet by who asks. Facts: charter (its identifier), title, findings."""

    rule = "charter-not-accepted"


class CharterExists(Refusal):
    """That place has its charter already: another version of it is written."""

    rule = "charter-exists"
    field = "place"


class CircuitExists(Refusal):
    """The lender has a circuit of that name already."""

    rule = "circuit-exists"
    field = "name"


class NotYourStep(Refusal):
    """Others speak of this request now. Facts: step."""

    rule = "not-your-step"


class OpinionAwaited(Refusal):
    """A step before the last hasn't spoken yet, and nobody decides before it. Facts: step."""

    rule = "opinion-awaited"


class BorrowerCannotPay(Refusal):
    """The borrower's account doesn't allow this loan any more: all that a lender's office is told of it."""

    rule = "borrower-cannot-pay"


class NotBookable(Refusal):
    """A resource is not published, or is withdrawn, or is another lender's."""

    rule = "not-bookable"


class WrongState(Refusal):
    """The booking is not in a state that allows it. Facts: state."""

    rule = "wrong-state"


class NotLater(Refusal):
    """More time ends after the loan does, and after now."""

    rule = "not-later"
    field = "day"


class ExtensionWaits(Refusal):
    """More time is asked for already, and waits for an answer."""

    rule = "extension-waits"


class DamageUncountable(Refusal):
    """Both sides have no account in a same community: a damage isn't counted in minutes between them."""

    rule = "damage-uncountable"
    field = "minutes"


class MediatesOwn(Refusal):
    """Nobody settles what they are a side of."""

    rule = "mediates-own"


class NothingLeaves(Refusal):
    """Something leaves at a hand-over: else nobody came."""

    rule = "nothing-leaves"


class MoreThanBooked(Refusal):
    """More of something would leave than was booked. Facts: field, most."""

    rule = "more-than-booked"


class MoreThanOut(Refusal):
    """More would be back, broken or lost than is out. Facts: field, said, left."""

    rule = "more-than-out"


class NothingBack(Refusal):
    """A return says what is back, broken or lost."""

    rule = "nothing-back"


class StillOut(Refusal):
    """A loan ends when all that left, things and keys, is accounted for."""

    rule = "still-out"


class KeyOut(Refusal):
    """A loan has that key already."""

    rule = "key-out"
    field = "keys"


class KeyNotThere(Refusal):
    """That key is lost, or not in the register, or this loan hasn't it."""

    rule = "key-not-there"
    field = "keys"


class KeyLabelled(Refusal):
    """Another key of this lender has that label."""

    rule = "key-labelled"
    field = "label"


class SeriesEmpty(Refusal):
    """A series has no day between its first and its last."""

    rule = "series-empty"
    field = "until"


class SeriesTooLong(Refusal):
    """A series has a bounded number of days. Facts: most."""

    rule = "series-too-long"
    field = "until"


class EurosMissing(Refusal):
    """The lender hands nothing over before it has received what is due. Facts: kind (deposit or fee), cents missing."""

    rule = "euros-missing"


class MoreThanReceived(Refusal):
    """No more is given back or kept than was received. Facts: left (euro cents)."""

    rule = "more-than-received"
    field = "cents"


class FieldUnknown(Refusal):
    """A template names a field that doesn't exist. Facts: name, line (from 1)."""

    rule = "field-unknown"
    field = "text"


class BraceAlone(Refusal):
    """A template has a brace that opens or closes no field. Facts: line (from 1)."""

    rule = "brace-alone"
    field = "text"


class TemplateChanged(Refusal):
    """Somebody wrote another version of this template meanwhile."""

    rule = "template-changed"


class TemplateMissing(Refusal):
    """No template of the lender covers this loan."""

    rule = "template-missing"


class AgreementExists(Refusal):
    """This loan has its agreement already, or what is to be replaced was replaced."""

    rule = "agreement-exists"


class AgreementVoid(Refusal):
    """The loan was cancelled or changed, or another agreement took the place of this one."""

    rule = "agreement-void"


class AnotherText(Refusal):
    """What is accepted isn't the text of the agreement. Facts: none."""

    rule = "another-text"
    field = "digest"


class NotYourTurn(Refusal):
    """The other side of an agreement accepts first. Facts: first ("lender" or "borrower")."""

    rule = "not-your-turn"


class CapacityMissing(Refusal):
    """A room is published with the number of people that it takes. Facts: resource."""

    rule = "capacity-missing"
    field = "capacity"


class CapacityAboveLimit(Refusal):
    """A room takes no more people than its whole building may. Facts: capacity, limit (people)."""

    rule = "capacity-above-limit"
    field = "capacity"


class QuantityMissing(Refusal):
    """A pool says how many like things it holds."""

    rule = "quantity-missing"
    field = "quantity"


class QuantityBooked(Refusal):
    """More of a pool is booked already than it would have. Facts: resource, peak (at one moment), its day."""

    rule = "quantity-booked"
    field = "quantity"


class PartsFixed(Refusal):
    """What a hall is made of is said before it is published, and not while it is itself a part of another."""

    rule = "parts-fixed"
    field = "parts"


class NothingChosen(Refusal):
    """An import imports one line at least."""

    rule = "nothing-chosen"


class ImportStarted(Refusal):
    """An import that has started is chosen no more."""

    rule = "import-started"


class Invalid(Refusal):
    """A value is out of its bounds. Facts: field, and the sentence's figures."""

    rule = "invalid"


class TokenMissing(Refusal):
    """No access token came with the request, or one that is revoked or out of date."""

    rule = "token-missing"


class KeyMissing(Refusal):
    """What writes carries a key of idempotency."""

    rule = "key-missing"


class NotJson(Refusal):
    """The body is of another media type than JSON."""

    rule = "not-json"


class MalformedJson(Refusal):
    """The body is not a JSON text: cut short, too deep, a name twice, a number that is none."""

    rule = "malformed-json"


class TooBig(Refusal):
    """The body is larger than any that is expected."""

    rule = "too-big"


class WrongFields(Refusal):
    """The body or the address says something else than what is expected. Facts: errors, by the path of the field."""

    rule = "wrong-fields"


class WrongCursor(Refusal):
    """This cursor is not the ``next`` of a page of this list."""

    rule = "wrong-cursor"
    field = "cursor"


# name of a constraint -> the domain error that it guards
BY_CONSTRAINT: dict[str, type[Refused]] = {
    "occupancy_once": SlotTaken,
    "declaration_answers_pkey": AlreadyAnswered,
    "booking_decisions_pkey": AlreadyAnswered,
    "booking_cancellations_pkey": AlreadyAnswered,
    "application_decisions_pkey": AlreadyAnswered,
    "hand_overs_pkey": AlreadyAnswered,
    "returns_pkey": AlreadyAnswered,
    "no_shows_pkey": AlreadyAnswered,
    "settlement_approvals_pkey": AlreadyAnswered,
    "settlement_approvals_by_another": SettlesAlone,
    "agreement_versions_once": TemplateChanged,
    "charter_versions_once": TemplateChanged,
    "charters_once": CharterExists,
    "circuits_named_once": CircuitExists,
    "booking_opinions_pkey": AlreadyAnswered,
    "document_versions_once": TemplateChanged,
    "document_checks_once": AlreadyAnswered,
    "agreements_first_of_a_loan": AgreementExists,
    "agreements_replaced_once": AgreementExists,
    "agreement_signatures_pkey": AlreadyAnswered,
    "declarations_community_id_slip_key": SlipKeyedTwice,
    "sign_ins_user_name_key": UserNameTaken,
    "categories_community_id_name_key": CategoryExists,
    "resources_published_with_capacity": CapacityMissing,
    "resources_numbered_once": NumberedAlready,
    "resources_lengths": LeastAboveMost,
    "resources_lent_days": LastBeforeFirst,
    "keys_out_pkey": KeyOut,
    "keys_labelled_once": KeyLabelled,
    "attendances_pkey": AlreadyAnswered,
    "damage_answers_pkey": AlreadyAnswered,
    "damage_outcomes_pkey": AlreadyAnswered,
    "damage_payments_pkey": AlreadyAnswered,
    "extension_decisions_pkey": AlreadyAnswered,
    "inventory_pictures_position": PicturesFull,
}

# name of a rule -> HTTP status; a rule that is absent is refused as 422
STATUS: dict[str, int] = {
    "not-found": 404,
    "account-unknown": 404,
    "entry-unknown": 404,
    "hold-unknown": 404,
    "not-allowed": 403,
    "already-answered": 409,
    "not-sealed": 409,
    "not-installed": 503,
    "settlement-changed": 409,
    "month-closed": 409,
    "slot-taken": 409,
    "under-option": 409,
    "slot-awaited": 409,
    "too-many-options": 409,
    "still-free": 409,
    "waits-already": 409,
    "too-many-wishes": 409,
    "out-of-service": 409,
    "already-offered": 409,
    "template-changed": 409,
    "euros-missing": 409,
    "charter-exists": 409,
    "circuit-exists": 409,
    "not-your-step": 403,
    "opinion-awaited": 409,
    "file-incomplete": 409,
    "documents-full": 409,
    "agreement-exists": 409,
    "agreement-void": 409,
    "another-text": 409,
    "not-your-turn": 409,
    "change-waits": 409,
    "changed-too-late": 409,
    "pool-exhausted": 409,
    "quantity-booked": 409,
    "pictures-full": 409,
    "more-than-out": 409,
    "still-out": 409,
    "extension-waits": 409,
    "key-out": 409,
    "key-not-there": 409,
    "key-reused": 409,
    "entry-corrected-already": 409,
    "hold-resolved": 409,
    "account-exists": 409,
    "slip-keyed-twice": 409,
    "too-often": 429,
    "advert-closed": 409,
    "import-started": 409,
    "wrong-state": 409,
    "not-bookable": 404,
    "token-missing": 401,
    "key-missing": 400,
    "malformed-json": 400,
    "not-json": 415,
    "too-big": 413,
}


def status_of(error: Refused) -> int:
    """The HTTP status of a refusal."""
    return STATUS.get(error.rule, 422)


def _all(kind: type[Refused]) -> list[type[Refused]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _all(child))]


def refusal_of(error: DBAPIError) -> Refused | None:
    """The domain error that a database error stands for, or None when it is a fault of ours."""
    original = error.orig
    if not isinstance(original, psycopg.Error):
        return None
    if original.sqlstate == "MR001":
        return named(original.diag.message_primary or "", original.diag.message_detail)
    kind = BY_CONSTRAINT.get(original.diag.constraint_name or "")
    return kind() if kind else None


def named(rule: str, detail: str | None) -> Refused | None:
    """The domain error of a rule's name, with the facts that the database gave as JSON."""
    facts: dict[str, Any] = {}
    if detail and detail.startswith("{"):
        facts = json.loads(detail)
    for kind in _all(ledger.errors.Refused):
        if kind.rule == rule:
            return kind(**facts)
    return None
