"""What the books refuse, by name. Nothing here knows of a screen or of HTTP."""

from __future__ import annotations

from typing import Any, ClassVar


class Refused(Exception):
    """The books refuse, and nothing was written. ``rule`` names why; ``facts`` are the figures that explain it."""

    rule: ClassVar[str] = "refused"

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.rule, facts)
        self.facts = facts


class FloorReached(Refused):
    """The account would go below its floor. Facts, in minutes: floor, balance, held, minutes (asked); and account."""

    rule = "floor-reached"


class AccountUnknown(Refused):
    """No such account in this community."""

    rule = "account-unknown"


class AccountClosed(Refused):
    """The account is closed: nothing moves on it any more."""

    rule = "account-closed"


class AccountLeaving(Refused):
    """The holder is leaving: the account only moves toward zero. Facts: account, balance (minutes)."""

    rule = "account-leaving"


class AccountExists(Refused):
    """The party already has its account in this community."""

    rule = "account-exists"


class AccountNotSettled(Refused):
    """An account closes at zero with nothing held. Facts, in minutes: balance, held, awaited (held for it)."""

    rule = "account-not-settled"


class EntryMalformed(Refused):
    """An entry needs one transfer at least, each from one account to another, of one minute or more."""

    rule = "entry-malformed"


class EntryUnknown(Refused):
    """No such entry in this community."""

    rule = "entry-unknown"


class KeyReused(Refused):
    """The same key came with other content. Facts: the entry or the hold that it wrote first."""

    rule = "key-reused"


class ReasonMissing(Refused):
    """A correction says why."""

    rule = "reason-missing"


class CorrectionOfCorrection(Refused):
    """A correction is never corrected: a new entry is written."""

    rule = "correction-of-correction"


class EntryCorrectedAlready(Refused):
    """An entry is corrected at most once."""

    rule = "entry-corrected-already"


class CorrectionGains(Refused):
    """Who would gain from a correction does not write it."""

    rule = "correction-gains"


class LimitEndsBefore(Refused):
    """An exception ends after it begins, and after now."""

    rule = "limit-ends-before"


class HoldUnknown(Refused):
    """No such hold in this community."""

    rule = "hold-unknown"


class HoldResolved(Refused):
    """The hold already has its one resolution. Facts: kind."""

    rule = "hold-resolved"


class HoldExceeded(Refused):
    """A hold posts at least one minute and at most what it set aside."""

    rule = "hold-exceeded"


class MonthNotOver(Refused):
    """A month is closed once it is over."""

    rule = "month-not-over"


class MonthClosed(Refused):
    """The month is closed already, or one after it is."""

    rule = "month-closed"


class MonthSkipped(Refused):
    """Months are closed in their order. Facts: next, the first day of the one to close."""

    rule = "month-skipped"


class WrittenOnce(Refused):
    """A row of the books is never changed nor removed."""

    rule = "written-once"


BY_RULE: dict[str, type[Refused]] = {kind.rule: kind for kind in Refused.__subclasses__()}
