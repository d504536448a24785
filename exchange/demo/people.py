"""How the people and the organisations of Saint-Marron came, and what they may do."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import Any

from exchange.demo.world import Somebody, World, texts
from exchange.members import operations as members
from exchange.members import queries
from exchange.members.models import SignIn, Territory
from exchange.organisations import operations as organisations
from exchange.stewardship import operations as stewardship
from ledger.entries import Acting
from ledger.limits import Limits
from ledger.store import reading

OPENED = -735  # days from today: a little more than two years of exchanges
SEL = "SEL de Saint-Marron"
TOWN = "Ville de Saint-Marron"
CENTRE = "Centre social Les Châtaigniers"
FIRM = "Biscuiterie de la Vilaine"
ELSEWHERE = "Ensemble vocal de Malestroit"
SHARED_E_MAIL = "famille.drean@saint-marron.example"
ADMINISTRATOR, TREASURER, FACILITATOR, AUDITOR = (
    "Gwenola Rialland", "Solenn Thébault", "Ronan Gicquel", "Jean-Yves Orhant",
)  # fmt: skip
SECOND_ADMINISTRATOR = "Hervé Crespel"
LEAVER = "Tanguy Marsac"
HOUSEHOLD = "Famille Guillemot"
LENDING_MEMBER = "Yann Bocquého"  # lends the village's cider press, and decides himself


# those who work for an office without being members: user name, name, organisation
OFFICERS = [
    ("sylvie.mace", "Sylvie Macé", TOWN),
    ("fabrice.lorand", "Fabrice Lorand", TOWN),
    ("karim.benali", "Karim Benali", CENTRE),
    ("erwan.danilo", "Erwan Danilo", FIRM),
]


def plain(name: str) -> str:
    """A name as an address spells it: "lena.guyot"."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z]+", ".", ascii_only).strip(".")


def found(world: World) -> None:
    """The town and the others exist; the SEL opens; its first members and its offices are there the same week.

    Needs the owner's connection: only the installer names the territory and opens a community.
    """
    at = world.calendar.moment(OPENED, 18, 30)
    session = world.session
    territory = session.get(Territory, 1)
    if territory is None:
        territory = Territory(id=1, name="Saint-Marron-sur-Vilaine", zone=world.calendar.zone, school_zone="B")
        session.add(territory)
    territory.outline = {"type": "MultiPolygon", "coordinates": [[texts("territory")["outline"]]]}
    community = members.open_community(
        session, name=SEL, system_name="Marronnier", at=at,
        welcome="Un marron, c'est une minute de votre temps. On donne, on reçoit, et cela s'équilibre avec le village.",
    )  # fmt: skip
    world.community, world.community_party = community.id, community.party_id
    world.system = Acting(None, community.system_party_id)
    stewardship.set_default(
        session, Limits(-3000, 6000), community=community.id, kind="organisation", by=world.system, at=at,
        reason="Assemblée constitutive : jusqu'à 50 heures reçues d'avance pour une association",
    )  # fmt: skip
    told = texts("people")
    for number, (name, area, busy, about) in enumerate(told["members"]):
        joined = _joined(world, number, told["founders"], len(told["members"]))
        world.story.plan(joined, _join, world, name, area, busy, about, told)
    world.story.plan(world.calendar.moment(OPENED + 2, 17), _offices, world)
    for row in told["organisations"]:
        world.story.plan(world.calendar.moment(OPENED + 3, 10), _organisation, world, *row)
    world.story.plan(world.calendar.moment(OPENED + 3, 11), _officers, world)
    for apply in (*told["declined"], *told["waiting"]):
        world.story.plan(world.calendar.moment(-apply[4], 9, 40), _stranger, world, apply)


def _joined(world: World, number: int, founders: int, everybody: int) -> datetime:
    """Founders the first Saturday, one after the other; the others little by little until last month."""
    if number < founders:
        return world.calendar.moment(OPENED + 2, 10, 30) + timedelta(minutes=4 * number)
    days = OPENED + 20 + (number - founders) * (-OPENED - 40) // (everybody - founders)
    return world.calendar.moment(days, 18, number % 60)


def _join(world: World, name: str, area: str, busy: int, about: str, told: dict[str, Any], *, at: datetime) -> None:
    """Somebody asks, is accepted, chooses a password and says a word of themselves."""
    session = world.session
    phone = f"02 61 91 {world.chance.randrange(100):02d} {world.chance.randrange(100):02d}"
    application = members.apply(
        session, community=world.community, name=name, email=_e_mail(name, told), phone=phone,
        message="Bonjour, je voudrais rejoindre le SEL.", at=at - timedelta(minutes=2),
    )  # fmt: skip
    by = world.offices.get("administrator", world.system)
    party, sign_in = members.accept(session, application, today=at.date(), by=by, at=at)
    if name in told["without_e_mail"]:
        sign_in = members.add_sign_in(session, user_name=members.free_user_name(session, name), email=None, at=at)
        _grant(world, sign_in, party.id, "member", at)
    acting = Acting(None, party.id)
    if sign_in is not None:
        acting = _may_act(world, sign_in, party.id, "member", at, granted=True)
    account = reading.account_of(session, world.community, party.id)
    world.members[name] = Somebody(
        name, party.id, acting, account, sign_in, area, _busyness(world, busy),
        skills=frozenset(world.skills.get(name, ())),
    )  # fmt: skip
    if name == HOUSEHOLD:
        _second_sign_in(world, party.id, at)
    shown = {"area"} | ({"about"} if about else set()) | ({"phone"} if world.chance.random() < 0.4 else set())
    members.edit_profile(
        session, party.id, about=about, area=area, phone=phone, email=_e_mail(name, told), shown=shown,
        by=acting if acting.sign_in else world.counter(party.id), at=at,
    )  # fmt: skip


def _busyness(world: World, busy: int) -> float:
    """Heavy-tailed around what was said of them; zero for those whose story is told apart."""
    return busy * world.chance.paretovariate(3.0) ** 0.7 if busy else 0.0


def _e_mail(name: str, told: dict[str, Any]) -> str:
    if name in told["without_internet"] or name in told["without_e_mail"]:
        return ""
    return SHARED_E_MAIL if name.endswith(" Dréan") else f"{plain(name)}@saint-marron.example"


def _grant(
    world: World, sign_in: SignIn, party: int, role: str, at: datetime, *, ends_on: date | None = None
) -> Acting:
    granted_by = world.offices["administrator"].sign_in if "administrator" in world.offices else None
    mandate = members.grant(
        world.session, sign_in=sign_in.id, party=party, role=role, starts_on=at.date(), ends_on=ends_on,
        granted_by=granted_by, at=at,
    )  # fmt: skip
    return Acting(sign_in.id, party, mandate.id)


def _may_act(
    world: World, sign_in: SignIn, party: int, role: str, at: datetime, *, granted: bool = False
) -> Acting:
    """Somebody chooses the password of the demonstration, and acts for a party."""
    members.choose_password(world.session, sign_in, hashed=world.hashed)
    if not granted:
        return _grant(world, sign_in, party, role, at)
    held = queries.mandates_of(world.session, sign_in.id, on=at.date())
    return Acting(sign_in.id, party, next(each.id for each in held if each.party_id == party))


def _second_sign_in(world: World, party: int, at: datetime) -> None:
    """Two of a household share its account, each with a user name of their own."""
    second = members.add_sign_in(
        world.session, user_name="mickael.guillemot", email="mickael.guillemot@saint-marron.example", at=at
    )
    _may_act(world, second, party, "member", at)


def _offices(world: World, *, at: datetime) -> None:
    """The first assembly chooses who runs the SEL; somebody held the books for a year before Solenn."""
    for role, name in (
        ("administrator", ADMINISTRATOR), ("facilitator", FACILITATOR), ("auditor", AUDITOR), ("treasurer", TREASURER),
    ):  # fmt: skip
        sign_in = world.members[name].sign_in
        assert sign_in is not None
        world.offices[role] = _grant(world, sign_in, world.community_party, role, at)
    for role, name in (("administrator", SECOND_ADMINISTRATOR), ("delegate", ADMINISTRATOR)):
        sign_in = world.members[name].sign_in
        assert sign_in is not None
        world.offices[f"second {role}"] = _grant(world, sign_in, world.community_party, role, at)
    before = world.members["Maryvonne Denoual"].sign_in
    assert before is not None
    _grant(world, before, world.community_party, "treasurer", at, ends_on=at.date() + timedelta(days=365))


def _organisation(
    world: World, name: str, kind: str, class_: str, about: str, joins: bool, delegate: str, *, at: datetime
) -> None:
    party = organisations.add(
        world.session, name=name, kind=kind, class_=class_, about=about,
        contact=f"contact@{plain(name)[:30].strip('.')}.example", at=at,
    )  # fmt: skip
    account = None
    if joins:
        account_kind = "authority" if kind == "authority" else "organisation"
        view = queries.parties(world.session, [party.id])[party.id]
        by = world.offices["administrator"]
        stewardship.open_account(world.session, view, community=world.community, kind=account_kind, by=by, at=at)
        account = reading.account_of(world.session, world.community, party.id)
    world.organisations[name] = Somebody(name, party.id, Acting(None, party.id), account)
    if delegate:
        _delegate(world, name, delegate, at=at)


def _delegate(world: World, name: str, delegate: str, *, at: datetime) -> None:
    """Whoever acts for an association does so once they have joined the SEL."""
    if delegate not in world.members:
        world.story.plan(at + timedelta(days=7), _delegate, world, name, delegate)
        return
    sign_in = world.members[delegate].sign_in
    assert sign_in is not None
    organisation = world.organisations[name]
    organisation.by = _grant(world, sign_in, organisation.party, "delegate", at)


def _officers(world: World, *, at: datetime) -> None:
    """Those who decide of loans: agents of the town, the centre's manager, the firm's office, a member for a press."""
    for user_name, name, of in OFFICERS:
        own = members.add_party(world.session, kind="person", name=name, at=at)
        sign_in = members.add_sign_in(
            world.session, user_name=user_name, email=f"{user_name}@saint-marron.example", at=at
        )
        _may_act(world, sign_in, own.id, "member", at)
        organisation = world.organisations[of]
        world.offices.setdefault(f"officer of {of}", _grant(world, sign_in, organisation.party, "officer", at))
        if not organisation.by.sign_in:
            organisation.by = _grant(world, sign_in, organisation.party, "delegate", at)
    for name, of in ((LENDING_MEMBER, LENDING_MEMBER), ("Gwenaël Rouxel", "Le Repair Café des Écluses")):
        world.story.plan(at, _own_officer, world, name, of)


def _own_officer(world: World, name: str, of: str, *, at: datetime) -> None:
    """A member who decides of the loans of what is theirs, or of their association's."""
    if name not in world.members:
        world.story.plan(at + timedelta(days=7), _own_officer, world, name, of)
        return
    sign_in = world.members[name].sign_in
    assert sign_in is not None
    world.offices[f"officer of {of}"] = _grant(world, sign_in, world.anybody(of).party, "officer", at)


def _stranger(world: World, row: list[Any], *, at: datetime) -> None:
    """Somebody asks to join and waits for an answer, or is declined with a reason."""
    name, e_mail, phone, message, _days, reason = row
    application = members.apply(
        world.session, community=world.community, name=name, email=e_mail, phone=phone, message=message, at=at
    )
    if reason:
        by = world.offices["administrator"]
        world.story.plan(
            at + timedelta(days=2), members.decline, world.session, application, reason=reason, by=by
        )
