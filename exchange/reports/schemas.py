"""What a lender accounts for, in JSON: durations in minutes, values in cents of euros."""

from __future__ import annotations

from exchange.reports.policy import FIRST_YEAR, LAST_YEAR, PERS
from exchange.rest.fields import Choice, Day, Digits, Figure, Flag, Inside, Instant, Several, Shape, Text, Token
from exchange.rest.paging import PageQuery, page_of
from exchange.rest.shapes import PartyShape, ResourceName
from exchange.sentences import CLASSES, GROUNDS


class YearQuery(Shape):
    """A civil year on the clocks of the territory; this one when it isn't said."""

    year = Digits(least=FIRST_YEAR, most=LAST_YEAR)


class PeriodQuery(Shape):
    """From a day to another, both included; from the first day of its year, to today, when they aren't said."""

    since = Day()
    until = Day()


class RefusalsQuery(PageQuery):
    """What was refused from a day to another, both included; of a resource, on a ground."""

    since = Day()
    until = Day()
    resource = Token()
    ground = Choice(tuple(GROUNDS))


class RateShape(Shape):
    """What the council voted, for one thing."""

    cents = Figure(required=True)
    per = Choice(PERS, required=True)
    starts_on = Day(required=True)
    decision = Text(required=True)
    decided_on = Day(required=True)


class ValuedLine(Shape):
    """One resource of a loan; without a rate that was voted it has no value."""

    name = Text(required=True)
    quantity = Figure(required=True)
    cents = Figure(required=True, allow_none=True)
    rate = Inside(RateShape, required=True, allow_none=True)


class LoanShape(Shape):
    """A loan that took place; without any line, one that nobody came for (``missed``)."""

    booking = Token(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    minutes = Figure(required=True)
    people = Figure(required=True, allow_none=True)
    came = Figure(required=True, allow_none=True)
    missed = Flag(required=True)
    lines = Several(Inside(ValuedLine), required=True)


class TotalShape(Shape):
    """What loans add up to. ``unvalued`` loans have something without a rate; nobody came for ``missed`` ones, which
    are counted nowhere else; ``counted`` are those whose people were counted.
    """

    loans = Figure(required=True)
    minutes = Figure(required=True)
    people = Figure(required=True)
    came = Figure(required=True)
    counted = Figure(required=True)
    cents = Figure(required=True)
    unvalued = Figure(required=True)
    missed = Figure(required=True)


class BorrowerShape(Shape):
    """The loans of one party; those of inhabitants together, without names. The lender's ``own`` are in no total."""

    party = Inside(PartyShape, required=True, allow_none=True)
    class_ = Choice(tuple(CLASSES), required=True, data_key="class")
    own = Flag(required=True)
    total = Inside(TotalShape, required=True)
    loans = Several(Inside(LoanShape), required=True)


class YearOfLoans(Shape):
    """The loans that began in a year, borrower by borrower."""

    year = Figure(required=True)
    total = Inside(TotalShape, required=True)
    borrowers = Several(Inside(BorrowerShape), required=True)


class AttendedShape(Shape):
    """Bookings that begin in a period: how many people were expected, how many came to the ``counted`` ones."""

    bookings = Figure(required=True)
    people = Figure(required=True)
    came = Figure(required=True)
    counted = Figure(required=True)


class ResourceUse(AttendedShape):
    """The use of a resource, in minutes; of a pool, those of each thing add up. ``taken`` is a part of ``opened``."""

    resource = Inside(ResourceName, required=True)
    minutes = Figure(required=True)
    opened = Figure(required=True)
    taken = Figure(required=True)


class ClassUse(AttendedShape):
    """The use of one class of borrowers, in minutes."""

    class_ = Choice(tuple(CLASSES), required=True, data_key="class")
    minutes = Figure(required=True)


class UseShape(Shape):
    """How much is used, in a period that ends now at the latest."""

    resources = Several(Inside(ResourceUse), required=True)
    classes = Several(Inside(ClassUse), required=True)


class RefusalShape(Shape):
    """A request that was declined, or a booking that was revoked. Inhabitants aren't named."""

    booking = Token(required=True)
    act = Choice(("declined", "revoked"), required=True)
    party = Inside(PartyShape, required=True, allow_none=True)
    class_ = Choice(tuple(CLASSES), required=True, data_key="class")
    resources = Several(Text(), required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    ground = Choice(tuple(GROUNDS), required=True)
    text = Text(required=True, least=0, most=2000)
    asked_at = Instant(required=True)
    decided_at = Instant(required=True)
    decided_by = Text(required=True, allow_none=True)


RefusalPage = page_of(RefusalShape)
