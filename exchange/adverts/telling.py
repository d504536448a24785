"""What the pages and the API of adverts share: an advert or a thread loaded through who asks, and letters."""

from __future__ import annotations

from typing import NamedTuple

from flask import url_for

from exchange import clock, outbox
from exchange.adverts import queries
from exchange.adverts.models import Advert, Thread
from exchange.db import db
from exchange.errors import NotFound
from exchange.members import queries as members
from exchange.security import Scope, communities, own, today
from ledger.entries import Acting
from ledger.store import reading
from ledger.store.reading import AccountView


def accounts_in(scope: Scope, community: int) -> list[AccountView]:
    """The open accounts that the person acts for in a community, their own first."""
    mine = reading.accounts_of(db.session(), scope.parties)
    return sorted((one for one in mine if one.community_id == community), key=lambda one: one.kind != "person")


class Shown(NamedTuple):
    """An advert as a member of its community reads it; ``editing`` is set for its author, or the counter."""

    advert: Advert
    category: str
    community: members.CommunityView
    editing: Acting | None


def shown_advert(token: str) -> Shown:
    """Load an advert through the communities of the person, or NotFound."""
    work = db.session()
    mine = {community.id: community for community in communities("advert.read")}
    row = queries.advert(work, token, mine)
    if row is None:
        raise NotFound
    return Shown(row.advert, row.category, mine[row.advert.community_id], _editing(row.advert))


def _editing(advert: Advert) -> Acting | None:
    try:
        return own("advert.publish").acting(advert.party_id, advert.community_id)
    except NotFound:
        return None


def people_of(shown: Shown) -> tuple[members.PartyView, list[members.PartyView]]:
    """The author, and the parties of this community in whose name the person may write to them."""
    work, author = db.session(), shown.advert.party_id
    accounts = accounts_in(own("thread.write"), shown.community.id)
    here = [account.party_id for account in accounts if account.party_id != author]
    found = members.parties(work, [author, *here])
    return found[author], [found[party] for party in here]


def own_advert(token: str) -> tuple[Advert, Acting]:
    """Load an advert through the parties that the person publishes for, or NotFound."""
    scope = own("advert.publish")
    advert = queries.own_advert(db.session(), token, parties=scope.parties, communities=scope.communities)
    if advert is None:
        raise NotFound
    return advert, scope.acting(advert.party_id, advert.community_id)


def tell_other(thread: Thread, advert: Advert, writer: members.PartyView, said: str) -> None:
    """Write to the other side: what was said, by whom, and where to answer; never from which address."""
    work = db.session()
    other = thread.author_party if writer.id == thread.asking_party else thread.asking_party
    outbox.write(
        work, members.e_mails_of(work, other, on=today()), "message", at=clock.now(), writer=writer, advert=advert,
        message=said, address=url_for("adverts.thread", thread=thread.token, _external=True),
    )  # fmt: skip


def both_sides(talks: list[Thread]) -> dict[int, members.PartyView]:
    """Everybody in these threads."""
    return members.parties(db.session(), {party for talk in talks for party in (talk.author_party, talk.asking_party)})


class Talking(NamedTuple):
    """A thread as one of its two sides reads it: ``me`` is the side that the person acts for."""

    thread: Thread
    advert: Advert
    me: members.PartyView
    other: members.PartyView


def own_thread(token: str) -> Talking:
    """Load a thread through the parties that the person acts for, or NotFound."""
    work, parties = db.session(), own("thread.write").parties
    found = queries.thread(work, token, parties)
    if found is None:
        raise NotFound
    people = both_sides([found])
    # who acts for both sides answers as the author
    me, other = (found.author_party, found.asking_party)
    if me not in parties:
        me, other = other, me
    return Talking(found, queries.advert_of(work, found), people[me], people[other])
