"""Pages of adverts and of the relay."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms.fields import SelectChoice

from exchange import clock, idempotency, rates
from exchange.adverts import operations, queries
from exchange.adverts.forms import KINDS, NATURES, AdvertForm, AnswerForm, CategoryForm, MessageForm
from exchange.adverts.telling import (
    Shown,
    Talking,
    accounts_in,
    both_sides,
    own_advert,
    own_thread,
    people_of,
    shown_advert,
    tell_other,
)
from exchange.db import db, transaction
from exchange.errors import NotFound
from exchange.formats import elided
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.security import (
    Counter,
    acts_for,
    auth_required,
    communities,
    community_of,
    counter_of,
    office,
    own,
    today,
)
from ledger.entries import Acting
from ledger.errors import Refused

adverts = Blueprint("adverts", __name__)


# -- reading


@adverts.get("/annonces")
@auth_required()
def mine() -> Response | str:
    """The adverts of one's community; with several, a choice."""
    found = communities("advert.read")
    if len(found) == 1:
        return redirect(url_for("adverts.search", community=found[0].token), 303)
    return render_template("members/communities.html", communities=found, endpoint="adverts.search",
                           title=_("Annonces"))  # fmt: skip


@adverts.get("/communautes/<community>/annonces")
@auth_required()
def search(community: str) -> str:
    """What the members of a community offer and look for."""
    found = community_of("advert.read", community)
    work, wanted = db.session(), _wanted()
    kinds = queries.categories(work, found.id)
    page = queries.search(work, found.id, wanted, after=request.args.get("apres"))
    accounts = accounts_in(own("advert.publish"), found.id)
    people = members.parties(work, [row.advert.party_id for row in page.rows] + [one.party_id for one in accounts])
    return render_template(
        "adverts/search.html", community=found, page=page, wanted=wanted, categories=kinds, people=people, kinds=KINDS,
        natures=NATURES, accounts=accounts,
    )  # fmt: skip


def _wanted() -> queries.Wanted:
    """The filters of the address; what is not one of ours filters nothing."""
    kind, nature = request.args.get("sorte", ""), request.args.get("nature", "")
    category = request.args.get("categorie", "")
    return queries.Wanted(
        request.args.get("q", "").strip()[:100],
        kind if kind in KINDS else None,
        nature if nature in NATURES else None,
        category if category and category.isprintable() else None,
    )


@adverts.get("/annonces/<advert>")
@auth_required()
def show(advert: str) -> str:
    """One advert, and the way to write to its author."""
    return _advert_page(shown_advert(advert), MessageForm(formdata=None))


def _advert_page(shown: Shown, form: MessageForm) -> str:
    work, advert = db.session(), shown.advert
    author, writers = people_of(shown)
    _offer(form, writers)
    changed = queries.last_change(work, advert.id)
    reads = members.reads_letters(work, author.id, on=today())
    return render_template(
        "adverts/show.html", shown=shown, advert=advert, author=author, form=form, writers=writers, changed=changed,
        kinds=KINDS, natures=NATURES, reads=reads, seen=None if reads else members.seen(work, author),
        names=members.sign_in_names(work, [advert.by_sign_in, changed.by_sign_in if changed else None]),
        talk=queries.thread_about(work, advert.id, [party.id for party in writers]) if reads and writers else None,
    )  # fmt: skip


def _offer(form: MessageForm, writers: list[members.PartyView]) -> None:
    form.party.choices = [SelectChoice(party.token, party.name) for party in writers]
    if len(writers) == 1:
        form.party.data = writers[0].token


# -- publishing


def _sorted_by(form: AdvertForm, community: int) -> dict[str, int]:
    """Offer the categories of the community in the form; return the id of each name."""
    found = {category.name: category.id for category in queries.categories(db.session(), community)}
    form.category.choices = [SelectChoice("", _("Choisissez")), *(SelectChoice(name, name) for name in found)]
    return found


def _content(form: AdvertForm, ids: dict[str, int]) -> operations.Content:
    return operations.Content(form.kind.data, form.nature.data, ids[form.category.data], form.title.data,
                              form.text.data or "")  # fmt: skip


@adverts.route("/comptes/<account>/annonces/nouvelle", methods=["GET", "POST"])
@auth_required()
def new(account: str) -> Response | str | tuple[str, int]:
    """Publish an offer or a want."""
    counter = counter_of("advert.publish", account)
    asked = request.args.get("sorte")
    form = AdvertForm() if request.method == "POST" else AdvertForm(kind=asked if asked in KINDS else None)
    if counter.served:
        form.ask_of(counter.holder.name)
    ids = _sorted_by(form, counter.community.id)
    if request.method == "POST" and form.validate():
        return redirect(_publish_once(counter, form, _content(form, ids)), 303)
    page = render_template("adverts/new.html", form=form, counter=counter, ready=bool(ids))
    return page if request.method != "POST" else (page, 422)


def _publish_once(counter: Counter, form: AdvertForm, content: operations.Content) -> str:
    """Publish, once for one key, and return the address of the advert."""
    by = counter.by

    def publish(work: Session, at: datetime) -> Done:
        advert = operations.publish(work, content, account=counter.account, by=by, at=at)
        return Done(url_for("adverts.show", advert=advert.token))

    said = idempotency.digest(request.path, content._asdict() | {"account": counter.account.id})
    answer = idempotency.once(publish, party=by.party, key=form.key.data, content=said)
    flash(elided("C’est publié au nom de %(name)s.", name=counter.holder.name) if counter.served
          else _("C’est publié. Les autres membres peuvent maintenant vous écrire."), "success")  # fmt: skip
    return answer.location or url_for("home")


@adverts.route("/annonces/<advert>/modifier", methods=["GET", "POST"])
@auth_required()
def edit(advert: str) -> Response | str | tuple[str, int]:
    """Say it better."""
    kept, by = own_advert(advert)
    found = {category.id: category.name for category in queries.categories(db.session(), kept.community_id)}
    form = AdvertForm(data={"kind": kept.kind, "nature": kept.nature, "category": found[kept.category_id],
                            "title": kept.title, "text": kept.text})  # fmt: skip
    if not acts_for(kept.party_id):
        form.ask_of(members.parties(db.session(), [kept.party_id])[kept.party_id].name)
    ids = _sorted_by(form, kept.community_id)
    if request.method == "POST" and form.validate():
        try:
            with transaction() as work:
                operations.edit(work, kept, _content(form, ids), by=by, at=clock.now())
        except Refused as error:
            form.refuse(error)
        else:
            flash(_("C’est enregistré."), "success")
            return redirect(url_for("adverts.show", advert=advert), 303)
    page = render_template("adverts/edit.html", form=form, advert=kept)
    return page if request.method != "POST" else (page, 422)


@adverts.post("/annonces/<advert>/cloture")
@auth_required()
def close(advert: str) -> Response:
    """It is no longer current."""
    kept, by = own_advert(advert)
    community = members.community(db.session(), kept.community_id)
    try:
        with transaction() as work:
            operations.close(work, kept, by=by, at=clock.now())
        flash(_("L’annonce « %(title)s » n’est plus dans la liste.", title=kept.title), "success")
    except Refused as error:
        if error.rule != "advert-closed":
            raise
    return redirect(url_for("adverts.search", community=community.token), 303)


# -- categories


@adverts.route("/administration/<community>/categories", methods=["GET", "POST"])
@auth_required()
def categories(community: str) -> Response | str | tuple[str, int]:
    """What the adverts of a community are sorted by; one more can be added."""
    office("community.admit", community)
    found = members.community_by_token(db.session(), community)
    if found is None:
        raise NotFound
    form = CategoryForm()
    if request.method == "POST" and form.validate():
        try:
            with transaction() as work:
                operations.add_category(work, community=found.id, name=form.name.data)
        except Refused as error:
            form.refuse(error)
        else:
            flash(_("La catégorie « %(name)s » est ajoutée.", name=form.name.data), "success")
            return redirect(url_for("adverts.categories", community=community), 303)
    page = render_template("adverts/categories.html", form=form, community=found,
                           categories=queries.categories(db.session(), found.id))  # fmt: skip
    return page if request.method != "POST" else (page, 422)


# -- the relay


@adverts.post("/annonces/<advert>/messages")
@auth_required()
def write(advert: str) -> Response | tuple[str, int]:
    """Write to the author; neither sees the other's address."""
    shown = shown_advert(advert)
    author, writers = people_of(shown)
    if not writers:
        raise NotFound
    form = MessageForm()
    _offer(form, writers)
    rates.writing_to_somebody(current_user.id)
    if form.validate():
        writer = next(party for party in writers if party.token == form.party.data)
        by = own("thread.write").acting(writer.id)
        try:
            location = _write_once(shown, form, writer, by)
            flash(_("Votre message est parti. %(name)s vous répondra ici.", name=author.name), "success")
            return redirect(location, 303)
        except Refused as error:
            if error.rule == "key-reused":
                raise
            form.refuse(error)
    return _advert_page(shown, form), 422


def _write_once(shown: Shown, form: MessageForm, writer: members.PartyView, by: Acting) -> str:
    def write(work: Session, at: datetime) -> Done:
        thread = operations.write_about(work, shown.advert, form.text.data, by=by, at=at)
        tell_other(thread, shown.advert, writer, form.text.data)
        return Done(url_for("adverts.thread", thread=thread.token))

    content = idempotency.digest(request.path, {"text": form.text.data, "party": writer.token})
    answer = idempotency.once(write, party=by.party, key=form.key.data, content=content)
    return answer.location or url_for("adverts.threads")


@adverts.get("/messages")
@auth_required()
def threads() -> str:
    """The threads of the parties that one acts for, the newest first."""
    work, scope = db.session(), own("thread.write")
    talks, before = queries.threads(work, scope.parties, before=request.args.get("avant"))
    return render_template("adverts/threads.html", talks=talks, before=before, mine=set(scope.parties),
                           people=both_sides([talk.thread for talk in talks]))  # fmt: skip


@adverts.get("/messages/<thread>")
@auth_required()
def thread(thread: str) -> str:
    """What two parties wrote to each other about an advert, and the way to answer."""
    return _thread_page(own_thread(thread), AnswerForm(formdata=None))


def _thread_page(talking: Talking, form: AnswerForm) -> str:
    said = queries.messages(db.session(), talking.thread.id)
    return render_template("adverts/thread.html", talking=talking, messages=said, form=form)


@adverts.post("/messages/<thread>/reponses")
@auth_required()
def answer(thread: str) -> Response | tuple[str, int]:
    """Answer; the other side gets a letter."""
    talking = own_thread(thread)
    form = AnswerForm()
    rates.writing_to_somebody(current_user.id)
    if not form.validate():
        return _thread_page(talking, form), 422
    by = own("thread.write").acting(talking.me.id)

    def reply(work: Session, at: datetime) -> Done:
        operations.answer(work, talking.thread, form.text.data, by=by, at=at)
        tell_other(talking.thread, talking.advert, talking.me, form.text.data)
        return Done(url_for("adverts.thread", thread=thread))

    content = idempotency.digest(request.path, {"text": form.text.data})
    idempotency.once(reply, party=by.party, key=form.key.data, content=content)
    flash(_("Votre réponse est partie."), "success")
    return redirect(url_for("adverts.thread", thread=thread), 303)
