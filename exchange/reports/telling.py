"""What the pages, the papers and the sheets of reports share: which year, which period, and figures in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from exchange.formats import day, decision_of, euros, hour, local, units
from exchange.i18n import locale_name, spell
from exchange.members.queries import PartyView
from exchange.reports import policy
from exchange.reports.forms import PERS
from exchange.reports.policy import Line, Loan, Rate, Total
from exchange.reports.queries import Refusal
from exchange.reports.valuing import Borrower, Lent, Year, rates_in
from exchange.security import today
from exchange.sentences import CLASSES

Table = dict[str, Any]


def wanted_year(given: str) -> int:
    """The year that an address names, else this one."""
    known = len(given) == 4 and given.isascii() and given.isdigit()
    return int(given) if known and policy.FIRST_YEAR <= int(given) <= policy.LAST_YEAR else today().year


def this_year() -> dict[str, str]:
    """The period that is shown first, as an address says it: this year until today."""
    return {"du": date(today().year, 1, 1).isoformat(), "au": today().isoformat()}


def borrower(each: Borrower) -> str:
    """An organisation by its name; inhabitants by how many they are."""
    if each.party is not None:
        return each.party.name
    return str(ngettext("%(num)s habitant", "%(num)s habitants", each.people))


def value(total: Total) -> str:
    """What loans are worth: never zero where nothing was voted."""
    return euros(total.cents) if total.valued else _("sans valeur votée")


def value_of(line: Line) -> str:
    """What one resource of a loan is worth."""
    return _("sans valeur votée") if line.cents is None else euros(line.cents)


def unvalued(total: Total) -> str:
    """How many loans a sum leaves out; nothing when it leaves none."""
    if not total.unvalued:
        return ""
    return str(ngettext("%(num)s prêt sans valeur votée", "%(num)s prêts sans valeur votée", total.unvalued))


def rate(voted: Rate) -> str:
    """A rate: "12,00 € par demi-journée"."""
    return f"{euros(voted.cents)} {PERS[voted.per]}"


def when(loan: Loan) -> str:
    """When a loan was, in short: "21 nov. 2026, 14 h – 18 h"; over several days, both are named."""
    first, last = local(loan.starts_at).date(), local(loan.ends_at - timedelta(microseconds=1)).date()
    begins, until = f"{day(first, 'short')}, {hour(loan.starts_at)}", hour(loan.ends_at, ends=True)
    return f"{begins} – {until}" if first == last else f"{begins} – {day(last, 'short')}, {until}"


def who_came(loan: Loan) -> str:
    """How many were expected, and how many came when somebody counted."""
    return _people(loan.people, loan.came)


def people(all_of: Total) -> str:
    """The same of several loans, and how many were counted."""
    said = _people(all_of.people, all_of.came if all_of.counted else None)
    counted = _("comptés à %(counted)s sur %(loans)s", counted=units(all_of.counted), loans=units(all_of.loans))
    return f"{said} ({counted})" if all_of.counted else said


def _people(expected: int | None, came: int | None) -> str:
    said = [_("attendus : %(people)s", people=units(expected)) if expected else ""]
    said += [_("venus : %(people)s", people=units(came)) if came is not None else ""]
    return ", ".join(filter(None, said))


def figures(all_of: Total) -> str:
    """Several loans in a line: "3 prêts, 28 h, 45,00 €"."""
    loans = str(ngettext("%(num)s prêt", "%(num)s prêts", all_of.loans))
    left_out = unvalued(all_of) if all_of.valued else ""
    return ", ".join(filter(None, [loans, spell(all_of.minutes), value(all_of), left_out]))


def thing(line: Line) -> str:
    """A resource, and how many of it."""
    return f"{line.quantity} × {line.name}" if line.quantity > 1 else line.name


def delay(refused: Refusal) -> str:
    """How long a request waited for its answer: "3 jours", "5 h 20"."""
    minutes = policy.minutes_of((refused.asked_at, refused.decided_at))
    if minutes < 2 * 1440:
        return spell(minutes)
    return str(ngettext("%(num)s jour", "%(num)s jours", minutes // 1440))


# -- paper


def year_on_paper(lender: PartyView, year: Year) -> dict[str, Any]:
    """A year of loans as the template of papers wants it, to annex to the accounts."""
    title = _("Prêts de l’année %(year)s", year=year.number)
    return _document(title, lender.name, [
        _summary(year), *(_details(borrower(each), each.had) for each in year.borrowers if each.had),
        _voted(year.rates),
    ], total=year.total)  # fmt: skip


def statement_on_paper(party: PartyView, number: int, lent: list[Lent]) -> dict[str, Any]:
    """What a party was lent in a year, lender by lender."""
    title = _("Prêts reçus en %(year)s", year=number)
    loans = [loan for each in lent for loan in each.loans]
    rows = [[each.lender.name, *_figures(each.total)] for each in lent]
    by_lender = {"title": _("Par prêteur"), "head": [_("Prêteur"), *_titles()], "rows": rows, "right": [1, 2, 3, 4],
                 "widths": [34, 10, 14, 14, 28], "foot": []}  # fmt: skip
    return _document(title, party.name, [
        by_lender, *(_details(each.lender.name, [loan for loan in each.loans if loan.lines]) for each in lent),
        _voted(rates_in(loans)),
    ], total=policy.total(loans))  # fmt: skip


def _document(title: str, name: str, tables: list[Table], *, total: Total) -> dict[str, Any]:
    notes = [method(), unvalued(total) and f"{unvalued(total)}.", missed(total)]
    return {"title": title, "name": name, "lang": locale_name(), "made": _("Établi le %(day)s", day=day(today())),
            "page": _("Page"), "notes": [note for note in notes if note],
            "tables": [table for table in tables if table["rows"]]}  # fmt: skip


def method() -> str:
    """How a value is found."""
    return _(
        "La valeur de chaque prêt est le taux voté par le conseil, en vigueur le jour où le prêt commence. "
        "Elle ne vient jamais des minutes échangées. Un prêt compte dans l’année où il commence."
    )


def missed(total: Total) -> str:
    """How many loans nobody came for."""
    if not total.missed:
        return ""
    return str(ngettext("%(num)s prêt où personne n’est venu, qui n’est pas compté.",
                        "%(num)s prêts où personne n’est venu, qui ne sont pas comptés.", total.missed))  # fmt: skip


def _titles() -> list[str]:
    return [_("Prêts"), _("Durée"), _("Venus"), _("Valeur")]


def _figures(total: Total) -> list[str]:
    return [units(total.loans), spell(total.minutes), came(total), value(total)]


def came(total: Total) -> str:
    """How many people came to what was counted; nothing where nobody counted."""
    return units(total.came) if total.counted else ""


def _summary(year: Year) -> Table:
    """Each borrower and the sum; the lender's own use stands apart from it."""
    rows = [[borrower(each), str(CLASSES[each.class_]), *_figures(each.total)]
            for each in year.borrowers if not each.own]  # fmt: skip
    own = [[_("Pour soi-même : %(name)s", name=borrower(each)), "", *_figures(each.total)]
           for each in year.borrowers if each.own]  # fmt: skip
    return {
        "title": _("Par emprunteur"), "head": [_("Emprunteur"), _("Qui"), *_titles()], "right": [2, 3, 4, 5],
        "rows": rows or own, "widths": [30, 22, 8, 12, 10, 18],
        "foot": [[_("Total"), "", *_figures(year.total)], *own] if rows else [],
    }  # fmt: skip


def _details(title: str, loans: Iterable[Loan]) -> Table:
    """Each resource of each loan, with the rate that gives its value."""
    rows = [
        [when(loan) if not number else "", thing(line), who_came(loan) if not number else "",
         rate(line.rate) if line.rate else "", value_of(line)]
        for loan in loans for number, line in enumerate(loan.lines)
    ]  # fmt: skip
    return {"title": title, "head": [_("Quand"), _("Quoi"), _("Personnes"), _("Taux"), _("Valeur")], "right": [4],
            "rows": rows, "widths": [25, 26, 16, 21, 12], "foot": []}  # fmt: skip


def _voted(rates: list[Rate]) -> Table:
    """The decisions of councils that these values come from."""
    rows = [[rate(voted), day(voted.starts_on, "short"), decision_of(voted.decision, voted.decided_on)]
            for voted in rates]  # fmt: skip
    return {"title": _("Taux votés"), "head": [_("Taux"), _("À partir du"), _("Délibération")], "right": [],
            "rows": rows, "widths": [40, 25, 35], "foot": []}  # fmt: skip
