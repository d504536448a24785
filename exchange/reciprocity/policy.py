"""The rules that tie a loan to the books: what it costs, who may have it, and why.

Pure: the rules in force and the facts are given, nothing is looked up. The same evaluation serves the page before the
request, the request itself, the officer's decision and the API, so that they never disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

NOON = time(13, 0)  # where the afternoon begins, for tariffs by half-day


class Rule(NamedTuple):
    """One dated rule. ``resource`` or ``category`` narrow what it binds, ``class_`` whom; none means all."""

    token: str
    shape: str  # tariff or gate
    title: str
    resource: int | None = None
    category: str | None = None
    class_: str | None = None
    starts_on: date = date.min
    ends_on: date | None = None
    community: int | None = None
    minutes: int = 0  # of a tariff
    per: str = "flat"  # hour, half-day, day, item or flat
    decision: str | None = None  # the number of the council's
    decided_on: date | None = None
    gate: str | None = None  # balance or nothing-overdue
    least_balance: int = 0  # minutes


class Item(NamedTuple):
    """One resource that is asked for."""

    resource: int
    category: str
    quantity: int = 1
    reserved: bool = False  # to who is authorised


class Span(NamedTuple):
    """When, on the clocks of the territory."""

    starts_at: datetime
    ends_at: datetime


class Standing(NamedTuple):
    """What an account can show: minutes of balance, and of what may still leave it (None without a floor)."""

    balance: int
    available: int | None


class Facts(NamedTuple):
    """What the rules need to know of who asks. Standings by community."""

    class_: str
    standings: Mapping[int, Standing]
    lender_communities: frozenset[int]  # where the lender has an account to be paid on
    overdue: int = 0  # loans that should have come back
    authorised: Mapping[int, date | None] = {}  # what is reserved and they may borrow, with its last day


class Finding(NamedTuple):
    """What one rule says of a request: ``code`` and ``facts`` make the sentence, at the edge."""

    code: str
    holds: bool
    title: str = ""
    facts: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Evaluation:
    """The whole answer: the price of each item in minutes, in which community, and what every rule says."""

    prices: Mapping[int, int]
    community: int | None
    findings: tuple[Finding, ...] = field(default=())

    @property
    def minutes(self) -> int:
        """The price of the request, in minutes."""
        return sum(self.prices.values())

    @property
    def allowed(self) -> bool:
        """Whether every rule lets the request through."""
        return all(finding.holds for finding in self.findings)

    @property
    def refusals(self) -> list[Finding]:
        """What stands in the way, the first to mend first: authorisation, gates, the account, then the price."""
        return [finding for finding in self.findings if not finding.holds]

    def as_record(self) -> dict[str, Any]:
        """What is kept with the request, as it was read."""
        return {
            "minutes": self.minutes,
            "community": self.community,
            "prices": {str(resource): minutes for resource, minutes in self.prices.items()},
            "findings": [
                {"code": f.code, "holds": f.holds, "title": f.title, "facts": dict(f.facts)} for f in self.findings
            ],
        }


def evaluate(rules: Sequence[Rule], items: Sequence[Item], span: Span, facts: Facts) -> Evaluation:
    """Say what ``items`` cost during ``span`` for who asks, and whether they may have them.

    The order of refusals is the order of mending: being authorised, what is overdue, the balance asked, the account,
    its floor.
    """
    on = span.starts_at.date()
    binding = [rule for rule in rules if _in_force(rule, on) and rule.class_ in (None, facts.class_)]
    gates = [rule for rule in binding if rule.shape == "gate" and any(_binds(rule, item) for item in items)]
    findings = [_authorised(item, facts, span) for item in items if item.reserved]
    findings += [_through(gate, facts) for gate in sorted(gates, key=lambda gate: (gate.gate == "balance", gate.token))]
    prices: dict[int, int] = {}
    communities: set[int] = set()
    for item in items:
        tariff = _tariff(binding, item)
        prices[item.resource] = price(tariff, item, span) if tariff else 0
        findings.append(_priced(tariff, item, prices[item.resource]))
        if tariff and tariff.community is not None and prices[item.resource]:
            communities.add(tariff.community)
    if len(communities) > 1:
        return Evaluation(prices, None, (*findings, Finding("several-communities", holds=False)))
    community = next(iter(communities), None)
    if community is not None:
        findings.extend(_payable(community, sum(prices.values()), facts))
    return Evaluation(prices, community, tuple(findings))


def price(tariff: Rule, item: Item, span: Span) -> int:
    """What a tariff makes one item cost, in whole minutes, rounded up."""
    return tariff.minutes * _units(tariff.per, item, span) if tariff.per != "hour" else _hourly(tariff, span)


def _hourly(tariff: Rule, span: Span) -> int:
    """The hours that pass, and not those that clocks show: a night when they change is an hour shorter, or longer."""
    seconds = int((span.ends_at.astimezone(UTC) - span.starts_at.astimezone(UTC)).total_seconds())
    return -(-tariff.minutes * seconds // 3600)


def _units(per: str, item: Item, span: Span) -> int:
    if per == "item":
        return item.quantity
    if per == "day":
        return len(_days(span))
    if per == "half-day":
        return sum(_half_days(span, day) for day in _days(span))
    return 1


def _days(span: Span) -> list[date]:
    """The calendar days that a span touches; one that ends at midnight doesn't touch the next."""
    last = (span.ends_at - timedelta(microseconds=1)).date()
    first = span.starts_at.date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _half_days(span: Span, day: date) -> int:
    """How many halves of a day a span touches."""
    zone = span.starts_at.tzinfo
    midnight, noon = (datetime.combine(day, at, zone) for at in (time(0), NOON))
    tomorrow = datetime.combine(day + timedelta(days=1), time(0), zone)
    halves = ((midnight, noon), (noon, tomorrow))
    return sum(1 for start, end in halves if span.starts_at < end and start < span.ends_at)


def _in_force(rule: Rule, on: date) -> bool:
    return rule.starts_on <= on and (rule.ends_on is None or on <= rule.ends_on)


def _binds(rule: Rule, item: Item) -> bool:
    if rule.resource is not None:
        return rule.resource == item.resource
    return rule.category is None or rule.category == item.category


def _tariff(rules: Iterable[Rule], item: Item) -> Rule | None:
    """The tariff of an item: the most precise on the thing, then on the person, then the one that began last."""
    matching = [rule for rule in rules if rule.shape == "tariff" and _binds(rule, item)]
    return max(matching, key=_precision, default=None)


def _precision(rule: Rule) -> tuple[bool, bool, bool, date, str]:
    return (rule.resource is not None, rule.category is not None, rule.class_ is not None, rule.starts_on, rule.token)


def _priced(tariff: Rule | None, item: Item, minutes: int) -> Finding:
    if tariff is None:
        return Finding("free", holds=True, facts={"resource": item.resource})
    facts = {
        "resource": item.resource, "minutes": minutes, "per": tariff.per, "rate": tariff.minutes,
        "decision": tariff.decision, "decided_on": tariff.decided_on and tariff.decided_on.isoformat(),
    }  # fmt: skip
    return Finding("tariff" if minutes else "free-by-tariff", holds=True, title=tariff.title, facts=facts)


def _authorised(item: Item, facts: Facts, span: Span) -> Finding:
    """Whether who asks may borrow what is reserved, until its last moment."""
    until = facts.authorised.get(item.resource)
    holds = item.resource in facts.authorised and (until is None or _days(span)[-1] <= until)
    return Finding("authorised", holds=holds, facts={"resource": item.resource, "until": until and until.isoformat()})


def _through(gate: Rule, facts: Facts) -> Finding:
    if gate.gate == "nothing-overdue":
        return Finding("nothing-overdue", holds=not facts.overdue, title=gate.title, facts={"overdue": facts.overdue})
    standing = facts.standings.get(gate.community or 0)
    if standing is None:  # nobody must join a community to borrow: without an account there is no balance to ask of
        return Finding("balance-not-asked", holds=True, title=gate.title)
    lacking = gate.least_balance - standing.balance
    return Finding(
        "balance", holds=lacking <= 0, title=gate.title,
        facts={"least": gate.least_balance, "balance": standing.balance, "lacking": max(lacking, 0),
               "community": gate.community},
    )  # fmt: skip


def _payable(community: int, minutes: int, facts: Facts) -> list[Finding]:
    """Whether a price can be paid: both have an account in that community, and the floor allows it."""
    if community not in facts.lender_communities:
        return [Finding("lender-without-account", holds=False)]
    standing = facts.standings.get(community)
    if standing is None:
        return [Finding("account-needed", holds=False, facts={"community": community})]
    lacking = 0 if standing.available is None else max(minutes - standing.available, 0)
    return [Finding("within-floor", holds=not lacking,
                    facts={"minutes": minutes, "lacking": lacking, "community": community})]  # fmt: skip
