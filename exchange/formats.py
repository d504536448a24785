"""How figures, days and hours are written on a page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from flask_babel import format_currency, format_date, format_decimal, format_percent, get_locale, gettext, ngettext

from exchange.catalogue.policy import WHOLE_DAY, slots_of
from exchange.i18n import spell
from exchange.members.queries import CommunityView
from exchange.security import territory
from exchange.sentences import Sentence, finding_sentence


def amount(minutes: int, community: CommunityView) -> str:
    """Minutes in the community's unit and as a duration: "90 marrons (1 h 30)"."""
    return f"{in_unit(minutes, community)} ({spell(minutes)})"


def in_unit(minutes: int, community: CommunityView) -> str:
    """Minutes in the community's unit: "90 marrons"."""
    unit = community.unit_one if abs(minutes) < 2 else community.unit_many
    return f"{units(minutes)}\u00a0{unit}"


def units(minutes: int) -> str:
    """A number of units with the separators of the language and a true minus sign."""
    return str(format_decimal(minutes)).replace("-", "\u2212")


def local(at: datetime) -> datetime:
    """An instant on the clocks of the territory."""
    return at.astimezone(ZoneInfo(territory().zone))


def local_day(at: datetime) -> date:
    """The day that an instant falls on, on the calendar of the territory."""
    return local(at).date()


def midnight(day: date) -> datetime:
    """When a day begins in the territory."""
    return datetime.combine(day, time.min, ZoneInfo(territory().zone))


def day(value: date | datetime, form: str = "full") -> str:
    """A day in words: "samedi 14 novembre 2026"; the first of a month as French writes it, "1er novembre 2026"."""
    on = local(value).date() if isinstance(value, datetime) else value
    if form == "week":
        return str(format_date(on, "EEE d MMM"))
    said = str(format_date(on, "EEEE d MMMM y" if form == "full" else "d MMM y"))
    return said.replace(" 1 ", " 1er ", 1) if said.startswith(("lundi", "mardi", "mercredi", "jeudi", "vendredi",
                                                               "samedi", "dimanche")) else said  # fmt: skip


def month(first: date) -> str:
    """A month in words: "novembre 2026"."""
    return str(format_date(first, "MMMM y"))


def hour(at: datetime, *, ends: bool = False) -> str:
    """An hour on the territory's clocks: "14 h", "14 h 30"; midnight is "24 h" for what ends then."""
    return clock_hour(local(at).time(), ends=ends)


def clock_hour(at: time, *, ends: bool = False) -> str:
    """The same of an hour on any day."""
    if not at.minute:
        return gettext("%(hour)s\u00a0h", hour=at.hour or (24 if ends else 0))
    return gettext("%(hour)s\u00a0h\u00a0%(minute)s", hour=at.hour, minute=f"{at.minute:02d}")


def instant(at: datetime) -> str:
    """A day and an hour in words."""
    return gettext("%(day)s à %(hour)s", day=day(at), hour=hour(at))


def ending(at: datetime) -> str:
    """The day and the hour of an end, in words; midnight is of the day that it ends: "mercredi 30 à 24 h"."""
    return gettext("%(day)s à %(hour)s", day=day(last_day(at)), hour=hour(at, ends=True))


def last_day(ends_at: datetime) -> date:
    """The last day of a span: midnight is of the day that it ends."""
    return (local(ends_at) - timedelta(microseconds=1)).date()


def length_of_time(minutes: int) -> str:
    """A length of time in words: "1 h 30", "2 jours"; whole days as days."""
    if minutes % 1440:
        return spell(minutes)
    return ngettext("%(num)s jour", "%(num)s jours", minutes // 1440)


def span(starts_at: datetime, ends_at: datetime) -> str:
    """A span in words: "samedi 14 novembre 2026, de 14 h 00 à 18 h 00"; over several days, both are named."""
    if local(starts_at).date() == last_day(ends_at):
        return gettext("%(day)s, de %(start)s à %(end)s", day=day(starts_at), start=hour(starts_at),
                       end=hour(ends_at, ends=True))  # fmt: skip
    return gettext("du %(start)s au %(end)s", start=instant(starts_at), end=ending(ends_at))


def slots(kept: str) -> str:
    """The slots in which something is lent, in words: "à la journée", "de 8 h à 12 h, de 14 h à 18 h"."""
    return gettext("à la journée") if kept == WHOLE_DAY else clock_spans(slots_of(kept))


def clock_spans(spans: Iterable[tuple[time, time]]) -> str:
    """Spans of hours on any day, in words: "de 8 h à 12 h, de 14 h à 18 h"."""
    return ", ".join(
        gettext("de %(start)s à %(end)s", start=clock_hour(start), end=clock_hour(end, ends=True))
        for start, end in spans
    )


def hours(spans: Iterable[tuple[datetime, datetime]]) -> str:
    """Spans of one day in words: "de 8 h à 12 h, de 14 h à 18 h"."""
    return clock_spans((local(starts).time(), local(ends).time()) for starts, ends in spans)


def people(number: int) -> str:
    """A number of people: "1 personne", "60 personnes"."""
    return str(ngettext("%(num)s personne", "%(num)s personnes", number))


def euros(cents: int) -> str:
    """A value that is kept in cents: "1 234,50 €"."""
    return str(format_currency(Decimal(cents) / 100, "EUR"))


def percent(share: float) -> str:
    """A part of a whole, which is 1: "12,5 %"."""
    return str(format_percent(share, "#,##0.#\u00a0%"))


_OF = re.compile(r"\b([Dd])e (%\((\w+)\)s)")


def elided(sentence: str, **names: Any) -> str:
    """A sentence with "de" before names, as French joins them: "Compte d’Annaïg", "Compte de Solenn", "Compte des
    Amis de la chapelle".

    It is given whole, as to ``gettext``, and other languages translate it as they like.
    """
    said = gettext(sentence)
    if str(get_locale()).startswith("fr"):
        said = _OF.sub(lambda of: _joined(of, str(names[of[3]])), said)
    return str(said % names)


def _joined(of: re.Match[str], name: str) -> str:
    """ "de" and a name, which is written where it is contracted with its article: "du Relais", "des Amis"."""
    article, _space, rest = name.partition(" ")
    if rest and article in ("Le", "Les"):
        return f"{of[1]}{'u' if article == 'Le' else 'es'} {rest.replace('%', '%%')}"
    return f"{of[1]}’{of[2]}" if _begins_with_vowel(name) else of[0]


def _begins_with_vowel(name: str) -> bool:
    """Whether "de" loses its vowel before a name: d’Yves, de Yann.

    Never before an h, since letters don't tell the mute ones: "de Hélène" is only heavy, "d’Hans" would be a fault.
    """
    letters = [sign for sign in unicodedata.normalize("NFD", name.casefold()) if not unicodedata.combining(sign)][:2]
    first, second = (*letters, "", "")[:2]
    return first in tuple("aeiouœæ") or (first == "y" and second not in tuple("aeiou"))


def decision_of(number: str, decided_on: date | str | None) -> str:
    """The decision of a council: "2026-31, 5 déc. 2026". What was kept before its day was apart names it already."""
    on = date.fromisoformat(decided_on) if isinstance(decided_on, str) else decided_on
    return f"{number}, {day(on, 'short')}" if on else number


def explain(finding: Any) -> Sentence:
    """What a rule says of a request, in words: fresh from an evaluation, or as it was kept."""
    kept = finding if isinstance(finding, dict) else {
        "code": finding.code, "holds": finding.holds, "title": finding.title, "facts": finding.facts
    }  # fmt: skip
    return finding_sentence(kept)


def metres(far: float) -> str:
    """A distance as people say it: "80 m", "1,4 km"."""
    if far < 950:
        return gettext("%(num)s\u00a0m", num=10 * max(1, round(far / 10)))
    return gettext("%(num)s\u00a0km", num=format_decimal(round(far / 1000, 1)))


def described(wanted: Iterable[Any]) -> str:
    """Several resources in words: "Salle des fêtes, 40 × Chaises"."""
    return ", ".join(f"{w.quantity} × {w.resource.name}" if w.quantity > 1 else w.resource.name for w in wanted)


def init(app: Flask) -> None:
    """Offer these to templates, as filters; ``elided`` is called like ``_``."""
    for filter_ in (amount, in_unit, units, local_day, length_of_time, day, month, hour, instant, ending, span, slots,
                    clock_spans, hours, people, spell, euros, percent, explain, described, metres, decision_of):
        app.jinja_env.filters[filter_.__name__] = filter_
    app.jinja_env.globals["elided"] = elided
