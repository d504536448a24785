"""Pages about people: asking to join, being accepted, one's profile, the members of a community, the counter."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms.fields import SelectChoice

from exchange import clock, i18n, idempotency, outbox, rates
from exchange.db import db, transaction
from exchange.errors import AlreadyAnswered, NotFound
from exchange.formats import elided
from exchange.idempotency import Done
from exchange.members import operations, queries
from exchange.members.forms import AccessTokenForm, DeclineForm, JoinForm, LanguageForm, ProfileForm
from exchange.members.models import Application, ApplicationDecision, SignIn
from exchange.members.qr import picture
from exchange.security import Office, auth_required, communities, community_of, held, office, own, today
from exchange.sign_in import write_link
from ledger.entries import Acting
from ledger.errors import Refused

members = Blueprint("members", __name__)
FIELDS = ("about", "area", "phone", "email")


# -- asking to join


@members.route("/rejoindre", methods=["GET", "POST"])
def join() -> Response | str | tuple[str, int]:
    """Ask to join a community; its administrators are told."""
    open_to_all = queries.communities(db.session())
    form = JoinForm()
    form.community.choices = [SelectChoice(community.token, community.name) for community in open_to_all]
    if len(open_to_all) == 1:
        form.community.data = open_to_all[0].token
    if request.method == "POST" and open_to_all:
        rates.asking_to_join()
        chosen = {community.token: community for community in open_to_all}
        if form.validate():
            try:
                return redirect(_apply_once(form, chosen[form.community.data]), 303)
            except Refused as error:
                if error.rule == "key-reused":
                    raise
                form.refuse(error)
    page = render_template("members/join.html", form=form, communities=open_to_all)
    return page if request.method != "POST" else (page, 422)


def _apply_once(form: JoinForm, community: queries.CommunityView) -> str:
    """Keep the application and tell the administrators, once for one key; nobody signed in, so the system holds it."""
    said = {"name": form.name.data, "email": form.email.data or "", "phone": form.phone.data or "",
            "message": form.message.data or ""}  # fmt: skip

    def apply(work: Session, at: datetime) -> Done:
        application = operations.apply(work, community=community.id, **said, at=at)
        address = url_for("members.application", community=community.token, application=application.token,
                          _external=True)  # fmt: skip
        outbox.write(work, queries.e_mails_of(work, community.party_id, on=today()), "application", at=at,
                     application=application, community=community, address=address)  # fmt: skip
        return Done(url_for("members.joined"))

    content = idempotency.digest(request.path, said | {"community": community.token})
    idempotency.once(apply, party=community.system_party_id, key=form.key.data, content=content)
    return url_for("members.joined")


@members.get("/rejoindre/merci")
def joined() -> str:
    """Your request has left; what happens next."""
    return render_template("members/joined.html")


# -- accepting


class Asked(NamedTuple):
    """An application as an administrator reads it."""

    office: Office
    community: queries.CommunityView
    application: Application
    decision: ApplicationDecision | None


def _office(token: str) -> tuple[Office, queries.CommunityView]:
    """The administrator's office of a community. Raises NotFound when the party is not a community."""
    mine = office("community.admit", token)
    community = queries.community_by_token(db.session(), token)
    if community is None:
        raise NotFound
    return mine, community


def _asked(community: str, application: str) -> Asked:
    mine, found = _office(community)
    asked = queries.application(db.session(), found.id, application)
    if asked is None:
        raise NotFound
    return Asked(mine, found, asked, queries.decision(db.session(), asked.id))


@members.get("/administration/<community>/demandes")
@auth_required()
def applications(community: str) -> str:
    """Who waits for an answer, and who had one lately."""
    _mine, found = _office(community)
    work = db.session()
    return render_template(
        "members/applications.html", community=found, waiting=queries.applications_waiting(work, found.id),
        number=queries.waiting_number(work, [found.id]), decided=queries.newest_decisions(work, found.id),
    )  # fmt: skip


@members.get("/administration/<community>/demandes/<application>")
@auth_required()
def application(community: str, application: str) -> str:
    """One application, with its answer or the two buttons."""
    return _application_page(_asked(community, application), DeclineForm(formdata=None))


def _application_page(asked: Asked, form: DeclineForm) -> str:
    work, decided = db.session(), asked.decision
    made = decided.party_id if decided else None
    return render_template(
        "members/application.html", asked=asked, form=form,
        names=queries.sign_in_names(work, [decided.by_sign_in]) if decided else {},
        party=queries.parties(work, [made])[made] if made else None,
        sign_in=queries.sign_in_of_party(work, made) if made else None,
    )  # fmt: skip


@members.post("/administration/<community>/demandes/<application>/acceptation")
@auth_required()
def accept(community: str, application: str) -> Response:
    """Accept: an account at zero, and a letter with the link to choose a password when there is an e-mail."""
    asked = _asked(community, application)
    try:
        with transaction() as work:
            _party, sign_in = operations.accept(
                work, asked.application, today=today(), by=asked.office.by, at=clock.now()
            )
            if sign_in is not None:
                write_link(sign_in, "accepted", community=asked.community)
        flash(_("%(name)s est maintenant membre.", name=asked.application.name), "success")
    except AlreadyAnswered:
        _say_who_answered(asked)
    return redirect(_address(asked), 303)


@members.post("/administration/<community>/demandes/<application>/refus")
@auth_required()
def decline(community: str, application: str) -> Response | tuple[str, int]:
    """Decline, with a reason that the person reads."""
    asked = _asked(community, application)
    form = DeclineForm()
    if not form.validate():
        return _application_page(asked, form), 422
    at = clock.now()
    try:
        with transaction() as work:
            operations.decline(work, asked.application, reason=form.reason.data, by=asked.office.by, at=at)
            if asked.application.email:
                outbox.write(work, [(asked.application.email, "fr")], "declined", at=at, application=asked.application,
                             community=asked.community, reason=form.reason.data)  # fmt: skip
        flash(elided("C’est noté : la demande de %(name)s est refusée.", name=asked.application.name), "success")
    except AlreadyAnswered:
        _say_who_answered(asked)
    return redirect(_address(asked), 303)


def _address(asked: Asked) -> str:
    return url_for("members.application", community=asked.community.token, application=asked.application.token)


def _say_who_answered(asked: Asked) -> None:
    """Two answers at once: the first stands; who gave it, pressing twice, is not blamed for it."""
    given = queries.decision(db.session(), asked.application.id)
    if given is None or given.by_sign_in != current_user.id:
        flash(_("Quelqu’un venait de répondre à cette demande : sa réponse reste."), "notice")


# -- a member


class Known(NamedTuple):
    """A party whose profile may be read; ``by`` is set when it may be edited."""

    party: queries.PartyView
    by: Acting | None


def _known(token: str) -> Known:
    """Load a party through those acted for, or the communities shared with it, or NotFound."""
    work = db.session()
    party = queries.party_by_token(work, token)
    if party is None or party.kind not in ("person", "organisation"):
        raise NotFound
    if (by := _editing(party)) is not None:
        return Known(party, by)
    shared = [community.id for community in communities("member.read")]
    if not shared or not queries.belongs(work, party.id, shared):
        raise NotFound
    return Known(party, None)


def _editing(party: queries.PartyView) -> Acting | None:
    """Who acts when the signed-in person edits this party's profile: itself, or the counter for who has no sign-in."""
    scope = own("profile.edit")
    if party.id in scope.parties:
        return scope.acting(party.id)
    if scope.communities and queries.reads_letters(db.session(), party.id, on=today()):
        return None
    for community in scope.communities:
        if queries.belongs(db.session(), party.id, [community]):
            return scope.acting(party.id, community)
    return None


@members.get("/membres/<party>")
@auth_required()
def show(party: str) -> Response | str:
    """What a member chose to show; all of it to those who act for them."""
    known = _known(party)
    work = db.session()
    if known.party.kind == "organisation":
        return redirect(url_for("organisations.show", party=party), 303)
    edited = queries.last_edit(work, known.party.id) if known.by else None
    return render_template(
        "members/show.html", known=known, seen=queries.seen(work, known.party),
        profile=queries.profile(work, known.party.id) if known.by else None, edited=edited,
        names=queries.sign_in_names(work, [edited.by_sign_in]) if edited else {},
        mine=known.by is not None and known.party.id in own("member.read").parties,
    )  # fmt: skip


@members.route("/membres/<party>/modifier", methods=["GET", "POST"])
@auth_required()
def edit(party: str) -> Response | str | tuple[str, int]:
    """Change a profile, field by field, and who sees it."""
    known = _known(party)
    profile = queries.profile(db.session(), known.party.id)
    if known.by is None or profile is None:
        raise NotFound
    kept = {name: getattr(profile, name) for name in FIELDS} | {f"{name}_shown": True for name in profile.shown}
    form, served = ProfileForm(data=kept), known.party.id not in own("profile.edit").parties
    if served:
        form.ask_of(known.party.name)
    if request.method != "POST" or not form.validate():
        page = render_template("members/edit.html", form=form, known=known, served=served)
        return page if request.method != "POST" else (page, 422)
    with transaction() as work:
        operations.edit_profile(
            work, known.party.id, **{name: form[name].data or "" for name in FIELDS},
            shown=[name for name in FIELDS if form[f"{name}_shown"].data], by=known.by, at=clock.now(),
        )  # fmt: skip
    flash(_("C’est enregistré."), "success")
    return redirect(url_for("members.show", party=party), 303)


@members.get("/membres/<party>/carte")
@auth_required()
def card(party: str) -> str:
    """One's card, to show at a market: who scans it declares an exchange with whom it names."""
    known = _known(party)
    if known.by is None:
        raise NotFound
    address = url_for("declarations.begin", avec=known.party.token, _external=True)
    return render_template("members/card.html", known=known, address=address, picture=picture(address))


@members.get("/membres")
@auth_required()
def mine() -> Response | str:
    """The list of one's community; with several, a choice."""
    found = communities("member.read")
    if len(found) == 1:
        return redirect(url_for("members.directory", community=found[0].token), 303)
    return render_template("members/communities.html", communities=found, endpoint="members.directory",
                           title=_("Membres"))  # fmt: skip


@members.get("/communautes/<community>/membres")
@auth_required()
def directory(community: str) -> str:
    """The members of a community by name."""
    found = community_of("member.read", community)
    people, older, searched = _people(found)
    return render_template("members/directory.html", community=found, people=people, after=older, searched=searched)


def _people(community: queries.CommunityView) -> tuple[list[queries.Neighbour], str | None, str]:
    work = db.session()
    searched = request.args.get("q", "").strip()[:100]
    given = request.args.get("apres", "")
    after = queries.party_by_token(work, given) if given.isprintable() and given else None
    people, older = queries.directory(work, community.id, searched=searched, after=after)
    return people, older, searched


@members.get("/comptoir/<community>")
@auth_required()
def counter(community: str) -> str:
    """The facilitator's counter: choose a member, then act for them."""
    office("counter.serve", community)
    found = queries.community_by_token(db.session(), community)
    if found is None:
        raise NotFound
    people, older, searched = _people(found)
    signing_in = queries.signing_in(db.session(), [one.party.id for one in people], on=today())
    return render_template("members/counter.html", community=found, people=people, after=older, searched=searched,
                           signing_in=signing_in)  # fmt: skip


# -- oneself


@members.get("/moi")
@auth_required()
def me() -> str:
    """What concerns one's own sign-in: profiles, language, password, keys."""
    return _me_page(_language_form())


def _language_form() -> LanguageForm:
    form = LanguageForm(language=current_user.language) if request.method != "POST" else LanguageForm()
    form.language.choices = [
        SelectChoice(code, Markup('<span lang="{}">{}</span>').format(code, i18n.NAMES.get(code, code)))
        for code in i18n.offered()
    ]
    return form


def _me_page(form: LanguageForm) -> str:
    elsewhere = queries.other_sessions(db.session(), current_user.id, current_user.session_token, clock.now())
    return render_template("members/me.html", form=form, mandates=held(), elsewhere=elsewhere)


@members.post("/moi/langue")
@auth_required()
def language() -> Response | tuple[str, int]:
    """Keep the language of one's pages and letters."""
    form = _language_form()
    if not form.validate():
        return _me_page(form), 422
    with transaction() as work:
        operations.choose_language(work, work.get_one(SignIn, current_user.id), form.language.data)
    session.pop("language", None)
    with force_locale(form.language.data):
        flash(_("C’est enregistré."), "success")
    return redirect(url_for("members.me"), 303)


@members.route("/moi/cles", methods=["GET", "POST"])
@auth_required()
def tokens() -> Response | str | tuple[str, int]:
    """One's access tokens; a new one is shown once, in the answer that makes it."""
    form = AccessTokenForm()
    if request.method != "POST":
        return _tokens_page(form)
    if not form.validate():
        return _tokens_page(form), 422
    if (secret := _token_once(form)) is not None:
        return _tokens_page(AccessTokenForm(formdata=None), secret=secret)
    flash(_("Cette clé est déjà créée. Si vous ne l’avez pas notée, supprimez-la et créez-en une autre."), "notice")
    return redirect(url_for("members.tokens"), 303)


def _token_once(form: AccessTokenForm) -> str | None:
    """Make the token, once for one key of the form; None when an earlier sending made it."""
    parties = [mandate.party_id for mandate in held()]
    if not parties:
        raise NotFound
    made: list[str] = []

    def create(work: Session, at: datetime) -> Done:
        _kept, secret = operations.create_access_token(
            work, sign_in=current_user.id, name=form.name.data, days=form.days.data, at=at
        )
        made.append(secret)  # shown to the first request alone, and kept nowhere
        return Done(url_for("members.tokens"), status=200)

    content = idempotency.digest(request.path, {"name": form.name.data, "days": form.days.data})
    idempotency.once(create, party=parties[0], key=form.key.data, content=content)
    return made[0] if made else None


def _tokens_page(form: AccessTokenForm, *, secret: str | None = None) -> str:
    kept = queries.access_tokens(db.session(), current_user.id)
    return render_template("members/tokens.html", form=form, tokens=kept, secret=secret, now=clock.now())


@members.post("/moi/cles/<digest>/revocation")
@auth_required()
def revoke(digest: str) -> Response:
    """Make a key open nothing any more."""
    kept = queries.access_token(db.session(), current_user.id, digest)
    if kept is None:
        raise NotFound
    with transaction() as work:
        operations.revoke_access_token(work, kept, at=clock.now())
    flash(_("La clé « %(name)s » n’ouvre plus rien.", name=kept.name), "success")
    return redirect(url_for("members.tokens"), 303)
