"""Who and what the demonstration knows while it is told."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from exchange.bookings.wanted import Request
from exchange.catalogue.models import Resource
from exchange.catalogue.queries import ResourceView
from exchange.demo.story import Calendar, Story
from exchange.members.models import SignIn
from exchange.reciprocity.models import RuleRow
from ledger.entries import Acting
from ledger.store.reading import AccountView


@dataclass
class Somebody:
    """A party that acts: a member, or an organisation with its account and who acts for it."""

    name: str
    party: int
    by: Acting
    account: AccountView | None = None
    sign_in: SignIn | None = None
    area: str = ""
    busy: float = 0.0
    balance: int = 0  # minutes, as the books have them
    skills: frozenset[str] = frozenset()

    @property
    def signs_in(self) -> bool:
        """Whether they type for themselves; else the counter does."""
        return self.by.sign_in is not None


@dataclass
class World:
    """The territory as it is known so far."""

    session: Session
    calendar: Calendar
    chance: random.Random
    story: Story
    hashed: str  # the password of every sign-in
    community: int = 0
    community_party: int = 0
    system: Acting = field(default=Acting(None, 0))
    members: dict[str, Somebody] = field(default_factory=dict)
    organisations: dict[str, Somebody] = field(default_factory=dict)
    offices: dict[str, Acting] = field(default_factory=dict)  # "administrator", "treasurer", "officer of Ville…"
    resources: dict[str, ResourceView] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    first_tariff: RuleRow | None = None  # the firm's, which ends
    hesitated: Request | None = None  # what the committee has an option on
    categories: dict[str, int] = field(default_factory=dict)
    skills: dict[str, set[str]] = field(default_factory=dict)  # keys of exchanges.toml, by name of member
    slips: int = 0

    def row(self, name: str) -> Resource:
        """A resource to change."""
        return self.session.get_one(Resource, self.resources[name].id)

    def anybody(self, name: str) -> Somebody:
        """A member or an organisation by name."""
        return self.members.get(name) or self.organisations[name]

    def counter(self, party: int) -> Acting:
        """The facilitator, acting for a member; before there is one, whoever installs."""
        facilitator = self.offices.get("facilitator", self.system)
        return Acting(facilitator.sign_in, party, facilitator.mandate) if facilitator.sign_in else facilitator

    def next_slip(self, year: int) -> str:
        """The number printed on the next paper slip."""
        self.slips += 1
        return f"{year}-{self.slips:04d}"


def texts(name: str) -> dict[str, Any]:
    """What is written beside this module, by name: people, adverts, exchanges."""
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))
