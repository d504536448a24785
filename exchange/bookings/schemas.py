"""Lending in JSON: what is free, what a request would cost, and what becomes of it."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from marshmallow import ValidationError, validates_schema

from exchange.bookings.policy import GROUNDS
from exchange.bookings.rhythm import EVERY, MOST
from exchange.closures.policy import KINDS as CLOSINGS
from exchange.rest.fields import (
    MOST_MINUTES,
    Choice,
    Clock,
    Count,
    Day,
    Figure,
    Flag,
    Inside,
    Instant,
    Several,
    Shape,
    Text,
    Token,
    Word,
)
from exchange.rest.fields import Digits as Whole
from exchange.rest.paging import PageQuery, page_of
from exchange.rest.shapes import RESOURCE_KINDS, PartyShape, ResourceName, ResourceShape

STATES = (
    "pending", "offered", "accepted", "declined", "expired", "cancelled", "no-show", "out", "late", "returned", "past",
)  # fmt: skip
MOST_ITEMS = 20


class SpanQuery(Shape):
    """From an instant, included, to another, excluded."""

    starts_at = Instant(required=True)
    ends_at = Instant(required=True)


class ResourcesQuery(PageQuery):
    """What is looked for; with a span, only what is open and free during the whole of it.

    ``each_day_until``: at the same hours of each day until that one. ``things`` are those that must come with it, as
    people write them: "40 chaises, un vidéoprojecteur". The nearest to the place or street ``near`` which it is come
    first. ``most`` bounds the minutes that it costs ``party``, an inhabitant when nobody is named.
    """

    q = Text(most=100)
    kind = Choice(RESOURCE_KINDS)
    category = Text(most=80)
    lender = Token()
    people = Whole()
    accessible = Word()
    starts_at = Instant()
    ends_at = Instant()
    each_day_until = Day()
    things = Text()
    near = Text(most=100)
    most = Whole(most=MOST_MINUTES)
    party = Token()

    @validates_schema
    def both(self, data: dict[str, Any], **_more: Any) -> None:
        """A span has two ends."""
        for missing, given in (("starts_at", "ends_at"), ("ends_at", "starts_at")):
            if given in data and missing not in data:
                raise ValidationError(str(_("Donnez le début et la fin.")), missing)


class BesideShape(Shape):
    """What comes with something, and how many of it."""

    resource = Inside(ResourceName, required=True)
    quantity = Count(required=True)


class FoundShape(ResourceShape):
    """What a search found: what would come with it, what it all costs, how far it is from what it should be near."""

    beside = Several(Inside(BesideShape), required=True)
    minutes = Figure(required=True, allow_none=True)
    community = Token(required=True, allow_none=True)
    metres = Figure(required=True, allow_none=True)


class TakenShape(Shape):
    """A span during which it is taken, or asked for; nobody is named."""

    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    pending = Flag(required=True)


class AvailabilityShape(Shape):
    """Whether a resource is open and free during the whole of a span, and for a pool how many are left."""

    open = Flag(required=True)
    free = Flag(required=True)
    left = Figure(required=True, allow_none=True)
    taken = Several(Inside(TakenShape), required=True)


class WantedItem(Shape):
    """A resource, and how many of it when it is a pool."""

    resource = Token(required=True)
    quantity = Count(load_default=1)


class WantedThings(Shape):
    """What and when, for how many people."""

    items = Several(Inside(WantedItem), required=True, least=1, most=MOST_ITEMS)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    people = Count()


class WantedQuote(WantedThings):
    """And for which party."""

    party = Token(required=True)


class WantedBooking(WantedQuote):
    """A request says what it is for."""

    purpose = Text(required=True, most=400)


class WantedChange(WantedThings):
    """All that a booking would be instead, said whole."""

    purpose = Text(required=True, most=400)


class WantedDays(Shape):
    """What comes back, for which party, at which hours; what ends before it starts ends the day after.

    ``weekdays`` are those of each week, 1 for Monday; none is that of the first day. Each month it is the same day as
    the first, by its rank.
    """

    party = Token(required=True)
    items = Several(Inside(WantedItem), required=True, least=1, most=MOST_ITEMS)
    every = Choice(EVERY, required=True)
    first = Day(required=True)
    until = Day(required=True)
    weekdays = Several(Count(most=7), load_default=list, most=7)
    starts = Clock(required=True)
    ends = Clock(required=True)
    without_school_holidays = Flag(load_default=False)
    without_public_holidays = Flag(load_default=False)
    people = Count()


class WantedSeries(WantedDays):
    """And what it is for, without some of its days."""

    leave_out = Several(Day(), load_default=list, most=MOST)
    purpose = Text(required=True, most=400)


class SeriesDay(Shape):
    """A day of what comes back: free, at a price in minutes; or why it can't be had."""

    day = Day(required=True)
    free = Flag(required=True)
    minutes = Figure(required=True, allow_none=True)
    code = Text(required=True, allow_none=True)
    detail = Text(required=True, allow_none=True, most=1000)


class SeriesDays(Shape):
    """The days of what comes back, in order."""

    days = Several(Inside(SeriesDay), required=True)


class FindingShape(Shape):
    """What one rule says of a request, in words, and what can be done about it."""

    code = Text(required=True)
    holds = Flag(required=True)
    detail = Text(required=True, least=0, most=1000)
    remedy = Text(required=True, least=0, most=1000)


class CheckedShape(Shape):
    """What one rule says of a request, to the lender's office: met or not, without a figure of the account."""

    code = Text(required=True)
    holds = Flag(required=True)


class PricedItem(Shape):
    """A resource of a request, how many of it, and its price in minutes."""

    resource = Inside(ResourceName, required=True)
    quantity = Count(required=True)
    minutes = Figure(required=True)


class LoanItem(PricedItem):
    """And how many left in fact (null before the hand-over), came back, came back broken, or are lost."""

    out = Figure(required=True, allow_none=True)
    back = Figure(required=True)
    broken = Figure(required=True)
    lost = Figure(required=True)


class QuoteShape(Shape):
    """What a request would cost in minutes, counted in which community, and what every rule says of it.

    The deposit and the fee are in euro cents; they are only recorded, and paid to the lender outside of this service.
    """

    allowed = Flag(required=True)
    minutes = Figure(required=True)
    community = Token(required=True, allow_none=True)
    deposit_cents = Figure(required=True)
    fee_cents = Figure(required=True)
    items = Several(Inside(PricedItem), required=True)
    findings = Several(Inside(FindingShape), required=True)


class LoanShape(Shape):
    """What a booking is, for its borrower and its lender alike.

    What a lender offers is one too, in the state "offered": it ``replaces`` the one that can't be kept, with a word.
    """

    id = Token(required=True)
    state = Choice(STATES, required=True)
    lender = Inside(PartyShape, required=True)
    party = Inside(PartyShape, required=True)
    items = Several(Inside(LoanItem), required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    wanted_until = Instant(required=True, allow_none=True)
    purpose = Text(required=True, most=400)
    people = Figure(required=True, allow_none=True)
    people_came = Figure(required=True, allow_none=True)
    minutes = Figure(required=True)
    community = Token(required=True, allow_none=True)
    deposit_cents = Figure(required=True)
    fee_cents = Figure(required=True)
    changes = Token(required=True, allow_none=True)
    replaces = Token(required=True, allow_none=True)
    word = Text(required=True, least=0, most=2000)
    asked_at = Instant(required=True)
    answer_before = Instant(required=True)
    decided_at = Instant(required=True, allow_none=True)
    ground = Choice(GROUNDS, required=True, allow_none=True)
    text = Text(required=True, allow_none=True, least=0, most=2000)
    cancelled_at = Instant(required=True, allow_none=True)
    handed_over_at = Instant(required=True, allow_none=True)
    returned_at = Instant(required=True, allow_none=True)
    no_show_at = Instant(required=True, allow_none=True)


class BookingShape(LoanShape):
    """A booking as who asked for it reads it."""

    findings = Several(Inside(FindingShape), required=True)
    typed_by = Text(required=True, allow_none=True)


class RequestShape(LoanShape):
    """A booking as the lender's office reads it: conditions met or not, never a balance."""

    checked = Several(Inside(CheckedShape), required=True)


class KeptSeries(Shape):
    """What a party asked a lender for on many days at once."""

    id = Token(required=True)
    lender = Inside(PartyShape, required=True)
    party = Inside(PartyShape, required=True)
    asked_at = Instant(required=True)


class SeriesShape(KeptSeries):
    """A series as who asked for it reads it."""

    bookings = Several(Inside(BookingShape), required=True)


class AskedSeriesShape(KeptSeries):
    """A series as the lender's office reads it."""

    bookings = Several(Inside(RequestShape), required=True)


class ContactShape(Shape):
    """How the office reaches who asked."""

    e_mails = Several(Text(most=254), required=True)
    phone = Text(required=True, least=0)


class StepShape(Shape):
    """A step of the way of a request, and what it said: null until then, and for the one that decides."""

    step = Text(required=True)
    favourable = Flag(required=True, allow_none=True)
    text = Text(required=True, least=0)
    given_at = Instant(required=True, allow_none=True)
    turn = Flag(required=True)


class NewOpinion(Shape):
    """What the step whose turn it is thinks; who is against says why."""

    favourable = Flag(required=True)
    text = Text(load_default="", least=0, most=1000)

    @validates_schema
    def explained(self, data: dict[str, Any], **_more: Any) -> None:
        """An unfavourable opinion says why."""
        if not data["favourable"] and not data["text"].strip():
            raise ValidationError({"text": [str(_("Dites pourquoi, en quelques mots."))]})


class RequestDetail(RequestShape):
    """One request, with how to reach who asked, and the steps of its way, if it has one."""

    contact = Inside(ContactShape, required=True)
    steps = Several(Inside(StepShape), required=True)


class CancellationReason(Shape):
    """Why it isn't needed any more."""

    reason = Text(load_default="", least=0, most=2000)


class Remarks(Shape):
    """What was noted when nobody came."""

    remarks = Text(load_default="", least=0, most=2000)


class LeavingItem(Shape):
    """How many of a resource leave."""

    resource = Token(required=True)
    quantity = Count(required=True, least=0)
    remarks = Text(load_default="", least=0, most=400)


class NewHandOver(Remarks):
    """What leaves: as it was booked but for the ``items`` that are said; with these ``keys``."""

    items = Several(Inside(LeavingItem), load_default=list, most=MOST_ITEMS)
    keys = Several(Token(), load_default=list, most=MOST_ITEMS)


class ReturningItem(Shape):
    """How many of a resource are back as they left, back but broken, or lost."""

    resource = Token(required=True)
    back = Count(load_default=0, least=0)
    broken = Count(load_default=0, least=0)
    lost = Count(load_default=0, least=0)
    remarks = Text(load_default="", least=0, most=400)


class NewReturn(Remarks):
    """What comes back: all that is out, without ``items`` and ``keys``; else what is said, and the rest stays out."""

    items = Several(Inside(ReturningItem), most=MOST_ITEMS)
    keys = Several(Token(), most=MOST_ITEMS)
    lost_keys = Several(Token(), load_default=list, most=MOST_ITEMS)


class NewExtension(Shape):
    """Until when a loan that is out would last, and why."""

    until = Instant(required=True)
    reason = Text(load_default="", least=0, most=2000)


class ExtensionDecision(Shape):
    """Granted; or declined, with an explanation."""

    verdict = Choice(("granted", "declined"), required=True)
    text = Text(load_default="", least=0, most=2000)


class ExtensionShape(Shape):
    """Whether a loan lasts longer: ``until`` is what was asked for, ``ends_at`` when it ends now."""

    booking = Token(required=True)
    granted = Flag(required=True)
    until = Instant(required=True)
    ends_at = Instant(required=True)


class NewAttendance(Shape):
    """How many people came."""

    people = Count(required=True, least=0)


class NewDecision(Shape):
    """Accepted; or declined, on a ground and with an explanation for who asked."""

    verdict = Choice(("accepted", "declined"), required=True)
    ground = Choice(GROUNDS)
    text = Text(most=2000)

    @validates_schema
    def explained(self, data: dict[str, Any], **_more: Any) -> None:
        """A refusal names its ground and explains it; an acceptance has neither."""
        declined = data["verdict"] == "declined"
        said = str(_("Un refus dit son motif et l’explique.") if declined else _("Seul un refus a un motif."))
        wrong = {name: [said] for name in ("ground", "text") if (name in data) is not declined}
        if wrong:
            raise ValidationError(wrong)


class Revocation(Shape):
    """On which ground a lender can't keep what it accepted, and an explanation for who asked."""

    ground = Choice(GROUNDS, required=True)
    text = Text(required=True, most=2000)


class NewOffer(Shape):
    """What is offered in place of a booking, said whole, and a word for who had it."""

    items = Several(Inside(WantedItem), required=True, least=1, most=MOST_ITEMS)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    word = Text(required=True, most=2000)


class WantedClosure(Shape):
    """From when to when something would be closed; without an end, until that is lifted. ``quantity`` is of a pool."""

    starts_at = Instant(required=True)
    ends_at = Instant()
    quantity = Count()


class NewClosure(WantedClosure):
    """And why; everybody reads the reason."""

    kind = Choice(CLOSINGS, required=True)
    reason = Text(load_default="", least=0, most=400)


class ClosuresQuery(PageQuery):
    """What is closed now or later; or what is lent again."""

    over = Word(load_default=False)


class ClosureShape(Shape):
    """Something that isn't lent for a time, and why; of a pool, how many of its things."""

    id = Token(required=True)
    resource = Inside(ResourceName, required=True)
    kind = Choice(CLOSINGS, required=True)
    reason = Text(required=True, least=0, most=400)
    quantity = Figure(required=True, allow_none=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True, allow_none=True)
    closed_at = Instant(required=True)
    lifted_at = Instant(required=True, allow_none=True)


class DisplacedShape(Shape):
    """The bookings that a closure leaves without what they need, the nearest first."""

    bookings = Several(Inside(RequestShape), required=True)


class ClosureDetail(ClosureShape):
    """One closure, with the bookings that are still to be moved."""

    bookings = Several(Inside(RequestShape), required=True)


ClosurePage = page_of(ClosureShape)
FoundPage = page_of(FoundShape)
BookingPage = page_of(BookingShape)
RequestPage = page_of(RequestShape)
