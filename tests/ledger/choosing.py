"""Acts taken by chance, aimed at where the rules turn: what is left above a floor, the instant when a limit ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from tests.ledger.acts import COMMON, SYSTEM, Act, World
from tests.ledger.model import DAY, Account, Model, after, first_of

NAMED = {"Alice": "person", "Bruno": "person", "Chloé": "person", "Denise": "person", "Club": "organisation",
         "Ville": "authority"}  # fmt: skip
NEIGHBOURS = tuple(f"Voisine n° {number}" for number in range(1, 61))
STRANGER = "Gwenaëlle, de l’autre SEL"
LIVING = 8  # open accounts: few, so that people meet
MICROSECOND = timedelta(microseconds=1)
WEIGHTS = {
    "post": 26, "several": 13, "hold": 14, "post_hold": 9, "release": 5, "reverse": 9, "limit": 9, "open": 1,
    "leave": 1, "settle": 4, "close": 3, "close_month": 2, "again": 9, "limits_at_once": 1,
}  # fmt: skip


class Chooser:
    """What happens next in a community, knowing its books as the model has them."""

    def __init__(self, chance: Random, world: World, model: Model, *, at: datetime) -> None:
        self.chance, self.world, self.model = chance, world, model
        self.now = at
        self.behind = timedelta()  # how late the clock that writes is
        self.taken: list[Act] = []
        self.entries: list[str] = []
        self.corrections: list[str] = []
        self.holds: list[str] = []
        self.coming: list[Callable[[str], Act]] = []  # what is done next, before the clock moves

    def noted(self, act: Act) -> None:
        """This act wrote something, that the next ones can be about."""
        self.taken.append(act)
        if act.label in self.world.written:
            kept = {"post": self.entries, "post_hold": self.entries, "reverse": self.corrections, "hold": self.holds}
            kept.get(act.verb, []).append(act.label)

    def act(self, label: str) -> Act:
        if self.coming:
            return self.coming.pop(0)(label)
        self._pass_time()
        if sum(not account.closed for account in self._mine()) < LIVING and self._happens(0.5):
            return self._open(label)
        [name] = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
        choose: Callable[[str], Act] = getattr(self, f"_{name}")
        return choose(label)

    # -- when

    def _pass_time(self) -> None:
        chance = self.chance.random()
        if chance < 0.5:
            self.now += self.chance.choice((timedelta(), MICROSECOND, timedelta(minutes=5)))
        elif chance < 0.7:
            self.now += timedelta(minutes=self.chance.randrange(240))
        elif chance < 0.72:
            self.now += timedelta(days=self.chance.randrange(1, 8))
        elif chance < 0.8:
            turns = [turn for limit in self.model.limits for turn in (limit.starts_at, limit.ends_at) if turn]
            coming = [turn for turn in turns if self.now < turn < self.now + 3 * DAY]
            if coming:
                self.now = min(coming) + self.chance.choice((-MICROSECOND, timedelta(), timedelta()))
        if self._happens(0.05):
            self.behind = timedelta()
        elif self._happens(0.01):
            self.behind = timedelta(minutes=self.chance.randrange(1, 2880))

    @property
    def at(self) -> datetime:
        return self.now - self.behind

    def _day(self) -> date:
        back = self.chance.choice((0, 0, 0, 0, 0, 0, 1, 1, self.chance.randrange(70), -1))
        return self.at.date() - timedelta(days=-5 if self._happens(0.02) else back)

    # -- who and how much

    def _happens(self, probability: float) -> bool:
        return self.chance.random() < probability

    def _mine(self) -> list[Account]:
        return [each for each in self.model.accounts.values() if each.community == self.world.community]

    def _someone(self) -> str:
        if self._happens(0.01):
            return self._nobody()
        known = [name for name, number in self.world.accounts.items() if not self.model.accounts[number].closed]
        return self.chance.choice(list(self.world.accounts) if self._happens(0.03) else known)

    def _two(self) -> tuple[str, str]:
        payer = self._someone()
        payee = self._someone()
        while payee == payer and not self._happens(0.03):
            payee = self._someone()
        return payer, payee

    def _minutes(self, payer: str) -> int:
        account = self.model.accounts.get(self.world.account(payer))
        if account is None or self._happens(0.35):
            return self.chance.choice((1, self.chance.randrange(1, 200), self.chance.randrange(1, 2500)))
        floor, _ceiling = self.model.limits_at(account, max(self.at, account.clock))
        free = account.balance - account.held
        edges = [abs(account.balance), abs(free)] + ([] if floor is None else [free - floor] * 3)
        return max(self.chance.choice(edges) + self.chance.choice((0, 0, 1, -1)), 0 if self._happens(0.02) else 1)

    def _by(self) -> str:
        return SYSTEM if self._happens(0.7) else self.chance.choice(("Alice", "Bruno", "Chloé"))

    def _reason(self) -> str:
        return self.chance.choice(("", "  ", "—")) if self._happens(0.05) else "Décidé ensemble"

    def _made(self, label: str, verb: str, by: str | None = None, **what: Any) -> Act:
        return Act(label, verb, by or self._by(), self.at, what)

    def _one_of(self, labels: list[str]) -> str:
        """One of these labels, rather a recent one; sometimes of what never was, or is of another community."""
        if not labels or self._happens(0.01):
            return self.chance.choice(("nothing", *self.world.elsewhere))
        return self.chance.choice(labels[-8:] if self._happens(0.7) else labels)

    # -- what

    def _post(self, label: str) -> Act:
        payer, payee = self._two()
        return self._entry(label, (payer, payee, self._minutes(payer)))

    def _several(self, label: str) -> Act:
        moves = []
        for _ in range(self.chance.randrange(2, 5)):
            payer, payee = self._two()
            moves.append((payer, payee, self._minutes(payer)))
        if self._happens(0.3):  # a chain: one receives and gives
            middle = moves[0][1]
            moves[1] = (middle, moves[1][1] if moves[1][1] != middle else moves[0][0], self._minutes(middle))
        return self._entry(label, *moves)

    def _entry(self, label: str, *moves: tuple[str, str, int]) -> Act:
        kinds = ("exchange",) * 20 + ("dues", "opening", "settlement", "loan", "correction")
        cause = ("declaration", self.chance.randrange(3)) if self._happens(0.2) else None
        open_holds = [each for each in self.holds if self.model.holds[self.world.number(each)].resolution is None]
        key = f"hold:@{self.chance.choice(open_holds)}" if open_holds and self._happens(0.05) else f"key of {label}"
        return self._made(
            label, "post", moves=moves, kind=self.chance.choice(kinds), on=self._day(), cause=cause, key=key,
            note=self.chance.choice(("", "Taille de la haie")),
        )  # fmt: skip

    def _hold(self, label: str) -> Act:
        payer, payee = self._two()
        return self._made(label, "hold", payer=payer, payee=payee, minutes=self._minutes(payer),
                          cause=("booking", self.chance.randrange(3)), key=f"key of {label}")  # fmt: skip

    def _post_hold(self, label: str) -> Act:
        name = self._open_hold()
        held = self.model.holds.get(self.world.number(name))
        most = held.minutes if held else 60
        minutes = self.chance.choice((most, most, most, 1, most + 1, 0, self.chance.randrange(1, most + 1)))
        return self._made(label, "post_hold", hold=name, minutes=minutes, on=self._day(), note="")

    def _release(self, label: str) -> Act:
        return self._made(label, "release", hold=self._open_hold(), expired=self._happens(0.4))

    def _open_hold(self) -> str:
        open_ = [each for each in self.holds if self.model.holds[self.world.number(each)].resolution is None]
        return self._one_of(open_ if self._happens(0.85) else self.holds)

    def _reverse(self, label: str) -> Act:
        name = self._one_of(self.corrections if self._happens(0.06) else self.entries)
        return self._made(label, "reverse", entry=name, reason=self._reason(), on=self._day(), key=f"key of {label}")

    def _limits_at_once(self, label: str) -> Act:
        """A limit, what it lets somebody do, and another limit, all at the same instant."""
        payer, payee = self._two()
        self.coming = [
            lambda label: self._entry(label, (payer, payee, self._minutes(payer))),
            lambda label: self._limit(label, payer),
        ]
        return self._limit(label, payer)

    def _limit(self, label: str, whose: str | None = None) -> Act:
        account = self.model.accounts.get(self.world.account(name := whose or self._someone()))
        mine = self._happens(0.6)
        near = min(account.balance - account.held, 0) if account else -100
        floor = self.chance.choice((None, 0, -50, -2000, -2000, near, near, near - 1))
        starts = self.at + self.chance.choice((timedelta(), timedelta(), -DAY, timedelta(hours=5)))
        lasts = self.chance.choice((timedelta(hours=2), timedelta(hours=30), 5 * DAY, 40 * DAY))
        ends = starts + lasts if mine or self._happens(0.5) else None
        if self._happens(0.05):
            ends = self.chance.choice((starts, self.at, self.at - DAY, None))
        return self._made(
            label, "limit", by=SYSTEM, kind=None if mine else self.chance.choice(("person", "person", "organisation")),
            account=name if mine else None, floor=10 if self._happens(0.02) else floor,
            ceiling=-1 if self._happens(0.02) else self.chance.choice((None, 2000)), starts=starts, ends=ends,
            reason=self._reason(),
        )  # fmt: skip

    def _open(self, label: str) -> Act:
        new = [name for name in (*NAMED, *NEIGHBOURS) if name not in self.world.accounts]
        party = self.chance.choice(new[:1] if new and self._happens(0.9) else list(self.world.accounts))
        kind = "transit" if self._happens(0.03) else NAMED.get(party, "person")
        return self._made(label, "open", by=SYSTEM, party=party, kind=kind)

    def _leave(self, label: str) -> Act:
        return self._made(label, "leave", account=self._anybody(), reason=self._reason())

    def _settle(self, label: str) -> Act:
        """Somebody who leaves comes back to zero."""
        leaving = [name for name, account in self._open_ones() if account.leaving and account.balance]
        if not leaving:
            return self._leave(label)
        name = self.chance.choice(leaving)
        balance = self.model.accounts[self.world.account(name)].balance
        return self._entry(label, (name, COMMON, balance) if balance > 0 else (COMMON, name, -balance))

    def _close(self, label: str) -> Act:
        settled = [name for name, account in self._open_ones() if not account.balance]
        name = self.chance.choice(settled) if settled and self._happens(0.6) else self._anybody()
        return self._made(label, "close", account=name, reason=self._reason())

    def _open_ones(self) -> list[tuple[str, Account]]:
        """Who has an account, the community apart."""
        named = [(name, self.model.accounts[number]) for name, number in self.world.accounts.items()]
        return [(name, account) for name, account in named if not account.closed and name != COMMON]

    def _nobody(self) -> str:
        return self.chance.choice(("nobody", STRANGER))

    def _anybody(self) -> str:
        """Who may have no account, or none any more."""
        if self._happens(0.1):
            return self._nobody()
        return self.chance.choice([name for name in self.world.accounts if name != COMMON] or ["nobody"])

    def _close_month(self, label: str) -> Act:
        closed = [each.month for each in self.model.months if each.community == self.world.community]
        before = first_of(first_of(self.at.date()) - DAY)
        due = after(closed[-1]) if closed else first_of(before - 60 * DAY)
        months = (due, due, due, before, before, first_of(self.at.date()), due + DAY, closed[-1] if closed else due)
        return self._made(label, "close_month", month=self.chance.choice(months))

    def _again(self, label: str) -> Act:
        """What somebody did before, once more: their page was sent twice; or nearly the same."""
        keyed = [act for act in self.taken[-60:] if act.verb in {"post", "hold", "post_hold", "release", "reverse"}]
        if not keyed:
            return self._post(label)
        act = self.chance.choice(keyed)._replace(label=label, at=self.at)
        if self._happens(0.4):
            act = act._replace(what={**act.what, **self._other(act)})
        return act._replace(by=self._by()) if self._happens(0.1) else act

    def _other(self, act: Act) -> dict[str, Any]:
        """Something that makes it another act."""
        others: dict[str, list[dict[str, Any]]] = {
            "post": [{"note": "Autre chose"}, {"on": act.at.date() - 99 * DAY}, {"kind": "dues"},
                     {"cause": ("declaration", 99)}, {"moves": tuple(act.what.get("moves", ()))[::-1]}],
            "hold": [{"minutes": 17}, {"cause": ("booking", 99)}, {"payee": COMMON}],
            "post_hold": [{"minutes": 3}],
            "release": [{"expired": True}],
            "reverse": [{"reason": "Pour une autre raison"}, {"on": act.at.date() - 99 * DAY}],
        }  # fmt: skip
        return self.chance.choice(others[act.verb])
