"""What a loan costs, and who may have it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from exchange.reciprocity.policy import Facts, Item, Rule, Span, Standing, evaluate

PARIS = ZoneInfo("Europe/Paris")
SEL = 1
HALL, CHAIRS = 10, 11


def span(starts: str, ends: str) -> Span:
    return Span(*(datetime.fromisoformat(text).replace(tzinfo=PARIS) for text in (starts, ends)))


AFTERNOON = span("2026-11-21T14:00", "2026-11-21T18:00")


def tariff(minutes: int, per: str = "hour", **more: object) -> Rule:
    return Rule(token="t", shape="tariff", title="Tarif", community=SEL, minutes=minutes, per=per, **more)


def somebody(class_: str = "inhabitant", *, available: int | None = 2000, balance: int = 0, overdue: int = 0) -> Facts:
    return Facts(class_, {SEL: Standing(balance, available)}, frozenset({SEL}), overdue)


def cost(rule: Rule, when: Span = AFTERNOON, item: Item | None = None) -> int:
    return evaluate([rule], [item or Item(HALL, "Salle")], when, somebody()).minutes


def test_without_a_rule_a_loan_is_free() -> None:
    answer = evaluate([], [Item(HALL, "Salle")], AFTERNOON, somebody())
    assert (answer.minutes, answer.allowed) == (0, True)


def test_a_tariff_counts_hours_half_days_days_items_or_once() -> None:
    assert cost(tariff(30, "hour")) == 120
    assert cost(tariff(100, "half-day")) == 100
    assert cost(tariff(100, "half-day"), span("2026-11-21T09:00", "2026-11-22T12:00")) == 300
    assert cost(tariff(100, "day"), span("2026-11-21T20:00", "2026-11-22T01:00")) == 200
    assert cost(tariff(100, "day"), span("2026-11-21T20:00", "2026-11-22T00:00")) == 100
    assert cost(tariff(2, "item"), item=Item(CHAIRS, "Mobilier", 40)) == 80
    assert cost(tariff(45, "flat")) == 45


def test_an_hour_begun_is_counted_by_the_minute_rounded_up() -> None:
    assert cost(tariff(30, "hour"), span("2026-11-21T14:00", "2026-11-21T14:01")) == 1


def test_the_night_when_clocks_go_back_lasts_an_hour_more() -> None:
    ends = datetime(2026, 10, 25, 6, 0, tzinfo=PARIS)
    starts = datetime(2026, 10, 24, 22, 0, tzinfo=PARIS)
    as_instants = Span(starts.astimezone(ZoneInfo("UTC")), ends.astimezone(ZoneInfo("UTC")))
    assert cost(tariff(60, "hour"), as_instants) == 9 * 60
    assert cost(tariff(60, "hour"), Span(starts, ends)) == 9 * 60, "in the time of the territory, as requests are"


def test_the_night_when_clocks_go_forward_lasts_an_hour_less() -> None:
    assert cost(tariff(60, "hour"), span("2026-03-28T22:00", "2026-03-29T06:00")) == 7 * 60
    assert cost(tariff(60, "hour"), span("2026-03-29T01:30", "2026-03-29T03:30")) == 60
    assert cost(tariff(60, "day"), span("2026-03-28T22:00", "2026-03-29T06:00")) == 120, "days are those of a calendar"


def test_the_hour_that_comes_twice_is_counted_twice_when_both_are_taken() -> None:
    first = datetime(2026, 10, 25, 2, 0, tzinfo=PARIS)
    again = first.replace(fold=1)
    assert cost(tariff(60, "hour"), Span(first, again)) == 60
    assert cost(tariff(60, "hour"), Span(first, first.replace(hour=3))) == 120


def test_the_most_precise_tariff_wins() -> None:
    rules = [
        tariff(60)._replace(token="a"),
        tariff(30)._replace(token="b", category="Salle"),
        tariff(10)._replace(token="c", resource=HALL),
        tariff(0)._replace(token="d", resource=HALL, class_="local-association"),
    ]
    hall = [Item(HALL, "Salle")]
    assert evaluate(rules, hall, AFTERNOON, somebody()).minutes == 40
    assert evaluate(rules, hall, AFTERNOON, somebody("local-association")).minutes == 0
    assert evaluate(rules, [Item(99, "Salle")], AFTERNOON, somebody()).minutes == 120
    assert evaluate(rules, [Item(99, "Outil")], AFTERNOON, somebody()).minutes == 240


def test_a_rule_binds_between_its_dates_only() -> None:
    rule = tariff(30, starts_on=date(2026, 11, 22))
    assert cost(rule) == 0
    assert cost(rule._replace(starts_on=date(2026, 11, 21), ends_on=date(2026, 11, 21))) == 120
    assert cost(rule._replace(starts_on=date(2026, 1, 1), ends_on=date(2026, 11, 20))) == 0


def test_who_keeps_something_too_long_borrows_nothing_more() -> None:
    gate = Rule("g", "gate", "Rien en retard", gate="nothing-overdue")
    answer = evaluate([gate], [Item(HALL, "Salle")], AFTERNOON, somebody(overdue=1))
    assert not answer.allowed
    assert [finding.code for finding in answer.refusals] == ["nothing-overdue"]


def test_a_balance_may_be_asked_of_who_has_an_account_and_of_nobody_else() -> None:
    gate = Rule("g", "gate", "Équilibre", community=SEL, gate="balance", least_balance=-300)
    hall = [Item(HALL, "Salle")]
    assert evaluate([gate], hall, AFTERNOON, somebody(balance=-300)).allowed
    refused = evaluate([gate], hall, AFTERNOON, somebody(balance=-301))
    assert refused.refusals[0].facts["lacking"] == 1
    assert evaluate([gate], hall, AFTERNOON, Facts("outside", {}, frozenset())).allowed


def test_a_price_needs_an_account_on_both_sides_and_room_above_the_floor() -> None:
    hall = [Item(HALL, "Salle")]
    no_account = evaluate([tariff(30)], hall, AFTERNOON, Facts("outside", {}, frozenset({SEL})))
    assert no_account.refusals[0].code == "account-needed"
    unpaid = evaluate([tariff(30)], hall, AFTERNOON, Facts("inhabitant", {SEL: Standing(0, 500)}, frozenset()))
    assert unpaid.refusals[0].code == "lender-without-account"
    poor = evaluate([tariff(30)], hall, AFTERNOON, somebody(available=119))
    assert poor.refusals[0].facts["lacking"] == 1
    assert evaluate([tariff(30)], hall, AFTERNOON, somebody(available=120)).allowed
    assert evaluate([tariff(30)], hall, AFTERNOON, somebody(available=None)).allowed


def test_two_communities_are_not_mixed_in_one_request() -> None:
    rules = [tariff(30, resource=HALL), tariff(1, "item", resource=CHAIRS)._replace(community=2)]
    answer = evaluate(rules, [Item(HALL, "Salle"), Item(CHAIRS, "Mobilier", 40)], AFTERNOON, somebody())
    assert [finding.code for finding in answer.refusals] == ["several-communities"]


@given(rate=st.integers(0, 1000), minutes=st.integers(1, 60 * 24 * 31))
def test_a_longer_loan_never_costs_less(rate: int, minutes: int) -> None:
    start = AFTERNOON.starts_at
    for per in ("hour", "half-day", "day", "flat"):
        shorter = cost(tariff(rate, per), Span(start, start + timedelta(minutes=minutes)))
        longer = cost(tariff(rate, per), Span(start, start + timedelta(minutes=minutes + 1)))
        assert shorter <= longer
