"""The rules that tie a loan to the books: what it costs, who may have it, and why.

Pure: the rules in force and the facts are given, nothing is looked up. The same evaluation serves the page before the
request, the request itself, the officer's decision and the API, so that they never disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

IN_EUROS = frozenset({"deposit", "euro-tariff"})  # shapes that are recorded in euros, and never counted in minutes
NOON = time(13, 0)  # where the afternoon begins, for tariffs by half-day


class Rule(NamedTuple):
    """One dated rule. ``resource`` or ``category`` narrow what it binds, ``class_`` whom; none means all."""

    token: str
    shape: str  # tariff, gate, deposit or euro-tariff
    title: str
    resource: int | None = None
    category: str | None = None
    class_: str | None = None
    starts_on: date = date.min
    ends_on: date | None = None
    community: int | None = None
    minutes: int = 0  # of a tariff
    per: str = "flat"  # hour, half-day, day, item or flat; of both tariffs
    decision: str | None = None  # the number of the council's
    decided_on: date | None = None
    gate: str | None = None  # balance or nothing-overdue
    least_balance: int = 0  # minutes
    cents: int = 0  # of a deposit or of a tariff in euros
    first: bool = False  # the loan isn't handed over before it is received


class Charter(NamedTuple):
    """What a lender asks to be accepted, in the version that binds."""

    token: str
    title: str
    version: int


class Item(NamedTuple):
    """One resource that is asked for."""

    resource: int
    category: str
    quantity: int = 1
    reserved: bool = False  # to who is authorised
    charter: Charter | None = None  # that is asked to be accepted first


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
    accepted: frozenset[str] = frozenset()  # the charters that they accepted


class Finding(NamedTuple):
    """What one rule says of a request: ``code`` and ``facts`` make the sentence, at the edge."""

    code: str
    holds: bool
    title: str = ""
    facts: Mapping[str, Any] = {}


class Due(NamedTuple):
    """What a loan asks for in euro cents: a "deposit", which is given back, or a "fee"."""

    kind: str
    cents: int
    first: bool  # the loan isn't handed over before it is received


@dataclass(frozen=True)
class Evaluation:
    """The whole answer: the price of each item in minutes, in which community, what every rule says; and what is due in
    euros, which is only recorded.
    """

    prices: Mapping[int, int]
    community: int | None
    findings: tuple[Finding, ...] = field(default=())
    dues: tuple[Due, ...] = field(default=())

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
        """What stands in the way, the first to mend first: authorisation, charter, gates, account, then price."""
        return [finding for finding in self.findings if not finding.holds]

    def cents(self, kind: str) -> int:
        """The deposit or the fee, in euro cents."""
        return sum(due.cents for due in self.dues if due.kind == kind)

    def as_record(self) -> dict[str, Any]:
        """What is kept with the request, as it was read."""
        return {
            "minutes": self.minutes,
            "community": self.community,
            "prices": {str(resource): minutes for resource, minutes in self.prices.items()},
            "euros": {kind: self.cents(kind) for kind in ("deposit", "fee")},
            "findings": [
                {"code": f.code, "holds": f.holds, "title": f.title, "facts": _kept(f.facts)} for f in self.findings
            ],
        }


def _kept(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a finding as they are kept: a charter by the number of its version, not by its address."""
    return {name: value for name, value in facts.items() if name != "charter"}


def evaluate(rules: Sequence[Rule], items: Sequence[Item], span: Span, facts: Facts) -> Evaluation:
    """Say what ``items`` cost during ``span`` for who asks, and whether they may have them.

    The order of refusals is the order of mending: being authorised, the charter, what is overdue, the balance asked,
    the account, its floor.
    """
    on = span.starts_at.date()
    binding = [rule for rule in rules if _in_force(rule, on) and rule.class_ in (None, facts.class_)]
    gates = [rule for rule in binding if rule.shape == "gate" and any(_binds(rule, item) for item in items)]
    findings = [_authorised(item, facts, span) for item in items if item.reserved]
    charters = dict.fromkeys(item.charter for item in items if item.charter)
    findings += [_chartered(charter, facts) for charter in charters]
    findings += [_through(gate, facts) for gate in sorted(gates, key=lambda gate: (gate.gate == "balance", gate.token))]
    prices: dict[int, int] = {}
    communities: set[int] = set()
    for item in items:
        tariff = _tariff(binding, item)
        prices[item.resource] = price(tariff, item, span) if tariff else 0
        findings.append(_priced(tariff, item, prices[item.resource]))
        if tariff and tariff.community is not None and prices[item.resource]:
            communities.add(tariff.community)
    dues, why = _in_euros(binding, items, span)
    findings = [each for each in findings if each.code != "free" or not _costs_euros(each.facts["resource"], why)] + why
    if len(communities) > 1:
        return Evaluation(prices, None, (*findings, Finding("several-communities", holds=False)), dues)
    community = next(iter(communities), None)
    if community is not None:
        findings.extend(_payable(community, sum(prices.values()), facts))
    return Evaluation(prices, community, tuple(findings), dues)


def price(tariff: Rule, item: Item, span: Span) -> int:
    """What a tariff makes one item cost, in whole minutes, rounded up."""
    return _for(tariff.minutes, tariff.per, item, span)


def _for(rate: int, per: str, item: Item, span: Span) -> int:
    """A rate for an item during a span, rounded up."""
    return rate * _units(per, item, span) if per != "hour" else _hourly(rate, span)


def _hourly(rate: int, span: Span) -> int:
    """The hours that pass, and not those that clocks show: a night when they change is an hour shorter, or longer."""
    seconds = int((span.ends_at.astimezone(UTC) - span.starts_at.astimezone(UTC)).total_seconds())
    return -(-rate * seconds // 3600)


def _in_euros(rules: Sequence[Rule], items: Sequence[Item], span: Span) -> tuple[tuple[Due, ...], list[Finding]]:
    """What is due in euros, and why. The deposit of a rule counts once, however many items it binds."""
    fees = [(item, rule, _for(rule.cents, rule.per, item, span)) for item in items
            if (rule := _most_precise(rules, item, "euro-tariff"))]  # fmt: skip
    deposits = list(dict.fromkeys(rule for item in items if (rule := _most_precise(rules, item, "deposit"))))
    why = [_in_euros_because("euro-fee", rule, cents, {"resource": item.resource, "per": rule.per, "rate": rule.cents})
           for item, rule, cents in fees]  # fmt: skip
    why += [_in_euros_because("euro-deposit", rule, rule.cents, {}) for rule in deposits if rule.cents]
    paid = [("fee", cents, rule) for _item, rule, cents in fees] + [("deposit", each.cents, each) for each in deposits]
    dues = tuple(
        Due(kind, total, any(rule.first for of, cents, rule in paid if of == kind and cents))
        for kind in ("deposit", "fee") if (total := sum(cents for of, cents, _rule in paid if of == kind))
    )  # fmt: skip
    return dues, why


def _costs_euros(resource: int, why: Iterable[Finding]) -> bool:
    return any(each.facts.get("resource") == resource and each.facts["cents"] for each in why)


def _in_euros_because(code: str, rule: Rule, cents: int, more: Mapping[str, Any]) -> Finding:
    decided_on = rule.decided_on and rule.decided_on.isoformat()
    return Finding(code, holds=True, title=rule.title,
                   facts={**more, "cents": cents, "decision": rule.decision, "decided_on": decided_on})  # fmt: skip


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
    return _most_precise(rules, item, "tariff")


def _most_precise(rules: Iterable[Rule], item: Item, shape: str) -> Rule | None:
    """The rule of an item: the most precise on the thing, then on the person, then the one that began last."""
    matching = [rule for rule in rules if rule.shape == shape and _binds(rule, item)]
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


def _chartered(charter: Charter, facts: Facts) -> Finding:
    return Finding("charter", holds=charter.token in facts.accepted, title=charter.title,
                   facts={"charter": charter.token, "version": charter.version})  # fmt: skip


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
