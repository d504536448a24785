"""The few whose story is told on purpose, so that every state of an account and of a declaration is there to see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from exchange.declarations.models import DeclarationAnswer
from exchange.demo import neighbours
from exchange.demo.neighbours import LOWEST
from exchange.demo.people import ADMINISTRATOR, LEAVER, TREASURER
from exchange.demo.world import Somebody, World
from exchange.members import operations as members
from exchange.stewardship import operations as stewardship
from ledger.limits import Limits
from ledger.store import browsing

AT_THE_FLOOR, HOARDER, EXCEPTION = "Gaël Juhel", "Bernadette Évain", "Marie-Thérèse Nevoux"
HUB = "Annaïg Lucas"  # whose sign-in a visitor tries first

WORKS = (
    "Monter les cloisons de la longère", "Enduit à la chaux, le pignon sud", "Deux poutres mises en place",
    "Décaisser la terre battue", "Poser l'isolant sous le toit", "Tuyaux de la cuisine, conseils et coup de main",
    "Une journée au chantier, la dalle de chaux",
)  # fmt: skip
KINDNESSES = (
    "Repassage, une pleine corbeille", "Visite à la résidence et lecture du journal", "Six pots de gelée de coings",
    "Garde des enfants un soir de réunion", "Ourlets et boutons",
)  # fmt: skip
NEEDS = (
    "Courses et pharmacie", "Aller-retour chez le kiné", "Repas pour trois jours", "Ménage et lessive",
    "Conduite à l'hôpital de Redon",
)  # fmt: skip

PUPILS = ("Lucie Bertho", "Amadou Diallo", "Enora Le Ray", "Chantal Briand")  # of the hub, at the accordion

# What waits today on the hub's first page and on her neighbours', what was refused, what nobody answered:
# days from today, who helped, who was helped, minutes, words, answer
WAITING = (
    (-1, "Yann Bocquého", HUB, 120, "Bois fendu et rangé sous l'appentis", ""),
    (-2, "Fatima Ouali", HUB, 45, "Retouche du rideau de la scène", ""),
    (-3, HUB, "Nolwenn Guihard", 60, "Cours d'accordéon diatonique", ""),
    (-26, HUB, "Kevin Legendre", 40, "Deux pains et une brioche", ""),
    (-38, "Rozenn Le Thiec", HUB, 90, "Chantier au jardin partagé", "refused"),
    (-75, HUB, "Nicolas Monnier", 75, "Coup de main au potager", "expired"),
)


def plan(world: World) -> None:
    """The one at the floor, the one above the ceiling, the one with an exception, the one who leaves, the mistake."""
    moment, plan = world.calendar.moment, world.story.plan
    for number in range(13):
        plan(moment(-300 + 22 * number, 19, 10), _helped, world, AT_THE_FLOOR, 150, WORKS[number % len(WORKS)])
    plan(moment(-11, 19, 10), _helped, world, AT_THE_FLOOR, 50, "Transport de sable")
    for number in range(25):
        plan(moment(-650 + 26 * number, 20, 15), _kind, world, KINDNESSES[number % len(KINDNESSES)])
    plan(moment(-215, 18), _except, world)
    for number in range(24):
        plan(moment(-206 + 8 * number, 19, 10), _helped, world, EXCEPTION, 95, NEEDS[number % len(NEEDS)])
    plan(moment(-148, 20), _settle_before_leaving, world)
    plan(moment(-147, 20), _leave, world)
    plan(moment(-140, 20), _close, world)
    plan(moment(-47, 10, 20), _mistake, world)
    plan(moment(-12, 10, 40), _late_slip, world)
    lesson = world.calendar.next(3, weeks=-1)  # Thursday, in the room that she booked
    for pupil in PUPILS:
        plan(world.calendar.on(lesson, 20, 40), _taught, world, pupil)
    for days, giver, receiver, minutes, words, answer in WAITING:
        plan(moment(days, 20, 30), _wait, world, giver, receiver, minutes, words, answer)
    plan(moment(-80, 21), _keys_for_programs, world)
    for back in range(20, 1, -1):  # last month is still open: paper slips come late
        plan(world.calendar.on(_month(world, -back + 1).replace(day=10), 20), _close_month, world, _month(world, -back))


def _month(world: World, later: int) -> date:
    """The first day of the month that is so many months after this one."""
    months = world.calendar.today.year * 12 + world.calendar.today.month - 1 + later
    return date(months // 12, months % 12 + 1, 1)


def _close_month(world: World, month: date, *, at: datetime) -> None:
    """The treasurer closes the month before, whose figures are then those of the newsletter."""
    stewardship.close_month(world.session, month, community=world.community, by=world.offices["treasurer"], at=at)


def _one(world: World, key: Callable[[Somebody], int], *, but: str) -> Somebody:
    """One of the dozen who have the most of something, among those who exchange and sign in.

    Never the treasurer, who corrects one of these exchanges and may not gain from it.
    """
    there = [m for m in world.members.values() if m.busy and m.name not in (but, LEAVER, TREASURER) and m.signs_in]
    return world.chance.choice(sorted(there, key=key)[-12:])


def _poor(world: World, *, but: str) -> Somebody:
    return _one(world, lambda m: -m.balance, but=but)


def _rich(world: World, *, but: str) -> Somebody:
    return _one(world, lambda m: m.balance, but=but)


def _helped(world: World, name: str, minutes: int, words: str, *, at: datetime) -> None:
    """Somebody with few minutes helped, and who was helped says so the same evening."""
    giver, receiver = _poor(world, but=name), world.members[name]
    neighbours.by_who_was_helped(world, giver, receiver, minutes, at.date(), "service", words, at=at)


def _kind(world: World, words: str, *, at: datetime) -> None:
    """The hoarder helps once more, and asks for nothing."""
    receiver = _rich(world, but=HOARDER)
    if receiver.balance - 95 > LOWEST:
        giver = world.members[HOARDER]
        neighbours.by_who_was_helped(world, giver, receiver, 95, at.date(), "service", words, at=at)


def _except(world: World, *, at: datetime) -> None:
    """The treasurer writes an exception with its reason and its end."""
    account = world.members[EXCEPTION].account
    assert account is not None
    stewardship.set_exception(
        world.session, Limits(-3000, 2000), community=world.community, account=account.id,
        ends_at=world.calendar.moment(100), by=world.offices["treasurer"], at=at,
        reason="Opération de la hanche : le conseil accepte jusqu'à 50 heures reçues, le temps de la rééducation.",
    )  # fmt: skip


def _settle_before_leaving(world: World, *, at: datetime) -> None:
    """What remains on the account of who leaves is given or received, three hours at a time at most, until zero."""
    leaver = world.members[LEAVER]
    while leaver.balance:
        minutes = min(abs(leaver.balance), 180)
        said = (_poor(world, but=LEAVER), leaver, minutes, at.date(), "service", "Aide au déménagement")
        if leaver.balance < 0:
            said = (leaver, _rich(world, but=LEAVER), minutes, at.date(), "service", "Montage d'une vidéo")
        neighbours.by_who_was_helped(world, *said, at=at)


def _leave(world: World, *, at: datetime) -> None:
    account = world.members[LEAVER].account
    assert account is not None
    stewardship.leave(
        world.session, account.id, community=world.community, at=at, by=world.offices["administrator"],
        reason="Tanguy a trouvé du travail à Brest.",
    )  # fmt: skip


def _close(world: World, *, at: datetime) -> None:
    account = world.members[LEAVER].account
    assert account is not None
    stewardship.close_account(
        world.session, account.id, community=world.community, at=at, by=world.offices["administrator"],
        reason="Tanguy part vivre à Brest. Bon vent !",
    )  # fmt: skip


def _mistake(world: World, *, at: datetime) -> None:
    """A slip of one hour keyed as ten; the treasurer corrects it three days later, and it is keyed again."""
    receiver = _rich(world, but=HUB)
    giver = _poor(world, but=receiver.name)
    day, words = at.date() - timedelta(days=6), "Nettoyage de printemps, les vitres"
    wrong = neighbours.on_behalf(world, giver, receiver, 600, day, "service", words, at=at)
    again = (giver, receiver, 60, day, "service", words)
    world.story.plan(at + timedelta(days=3), _correct, world, wrong.id, wrong.slip, giver, receiver)
    world.story.plan(at + timedelta(days=3, minutes=4), neighbours.on_behalf, world, *again)


def _correct(
    world: World, declaration: int, slip: str, giver: Somebody, receiver: Somebody, *, at: datetime
) -> None:
    number = world.session.get_one(DeclarationAnswer, declaration).entry_id
    assert number is not None
    entry = browsing.entry(world.session, world.community, number)
    assert entry is not None
    stewardship.correct(
        world.session, entry, community=world.community, community_party=world.community_party,
        acts_for={world.members[TREASURER].party}, key=f"demonstration:{declaration}", today=at.date(),
        reason=f"Bon {slip} : 60 minutes écrites, 600 saisies.", by=world.offices["treasurer"], at=at,
    )  # fmt: skip
    giver.balance -= 600
    receiver.balance += 600


def _late_slip(world: World, *, at: datetime) -> None:
    """A slip found two months later in the pocket of a coat."""
    giver, receiver = world.members["Paulette Jouan"], world.members["Alphonse Mahé"]
    day = at.date() - timedelta(days=62)
    neighbours.on_behalf(world, giver, receiver, 30, day, "goods", "Deux pains et une brioche", at=at)


def _taught(world: World, pupil: str, *, at: datetime) -> None:
    """Each pupil says what the lesson was worth to them."""
    hub, receiver, words = world.members[HUB], world.members[pupil], "Cours d'accordéon à quatre"
    neighbours.by_who_was_helped(world, hub, receiver, 120, at.date(), "knowledge", words, at=at)


def _wait(
    world: World, giver: str, receiver: str, minutes: int, words: str, answer: str, *, at: datetime
) -> None:
    helping, helped = world.members[giver], world.members[receiver]
    made = neighbours.declare_and_wait(world, helping, helped, minutes, at.date(), words, at=at)
    if answer == "refused":
        world.story.plan(at + timedelta(days=2), neighbours.refuse, world, made, helped)
    if answer == "expired":
        world.story.plan(made.answer_before + timedelta(hours=1), neighbours.expire, world)


def _keys_for_programs(world: World, *, at: datetime) -> None:
    """The spreadsheet of a member reads her statement; an older key was revoked."""
    for name, holder in (("Tableur de la famille", HUB), ("Ancien téléphone", ADMINISTRATOR)):
        sign_in = world.members[holder].sign_in
        assert sign_in is not None
        key, _secret = members.create_access_token(world.session, sign_in=sign_in.id, name=name, days=365, at=at)
        if holder == ADMINISTRATOR:
            members.revoke_access_token(world.session, key, at=at + timedelta(days=1))
