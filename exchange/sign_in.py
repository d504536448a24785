"""Signing in by user name. Flask-Security hashes, signs links and keeps the session; pages, words and letters are ours.

Its own pages are not registered: they would answer in its words, with its status, and write to the database on their
own. What is kept from it is what is dangerous to write again: Argon2, the signed link, the session that ends everywhere
when the password changes (``fs_uniquifier``).
"""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import current_user
from flask_security import RoleMixin, Security, SQLAlchemyUserDatastore, hash_password, login_user, logout_user
from flask_security.recoverable import generate_reset_link, reset_password_token_status
from flask_security.utils import set_request_attr
from sqlalchemy.orm import Session
from werkzeug.exceptions import SecurityError
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from exchange import clock, outbox, rates
from exchange.db import db, transaction
from exchange.errors import WrongPassword
from exchange.forms import Form, Printable, trimmed
from exchange.i18n import safe_path
from exchange.members import operations as members
from exchange.members.models import SignIn
from exchange.members.policy import LONGEST, check_password
from exchange.members.queries import sign_in_named, sign_in_names, sign_in_of_session, sign_ins_of
from exchange.security import auth_required
from ledger.errors import Refused

security = Blueprint("security", __name__)
LINK_LIVES = 3  # days
LINK_DIED = lazy_gettext("Ce lien n’est plus valable : il a déjà servi, ou il est trop ancien. Demandez-en un autre.")
WRONG = lazy_gettext("Identifiant ou mot de passe incorrect. Vérifiez-les, puis recommencez.")


class NoRole(RoleMixin):
    """Flask-Security wants a class of roles; ours are mandates, so this one has no instance."""


class Secret(PasswordField):
    """A password: never shown again, never trimmed."""

    def __init__(self, label: Any, message: Any, **more: Any) -> None:
        most = Length(max=LONGEST, message=lazy_gettext("%(max)d caractères au plus."))
        super().__init__(label, validators=[InputRequired(message), Printable(), most], **more)


class UserNameForm(Form):
    """User name and password."""

    username = StringField(
        lazy_gettext("Identifiant"),
        validators=[DataRequired(lazy_gettext("Écrivez votre identifiant.")), Length(max=80), Printable()],
        filters=[trimmed],
    )
    password = Secret(lazy_gettext("Mot de passe"), lazy_gettext("Écrivez votre mot de passe."))
    remember = BooleanField(lazy_gettext("Rester connecté sur cet appareil"))
    next = HiddenField()


class ForgottenForm(Form):
    """Asked by user name; or by e-mail, for who forgot that too."""

    name = StringField(
        lazy_gettext("Votre identifiant, ou votre courriel"),
        validators=[
            DataRequired(lazy_gettext("Écrivez votre identifiant ou votre courriel.")), Length(max=254), Printable(),
        ],
        filters=[trimmed],
    )  # fmt: skip


class NewPasswordForm(Form):
    """A first password, or another one through a link."""

    new = Secret(
        lazy_gettext("Nouveau mot de passe"), lazy_gettext("Choisissez un mot de passe."),
        description=lazy_gettext("10 caractères au moins. Trois mots sans rapport entre eux se retiennent bien."),
    )  # fmt: skip


class ChangePasswordForm(Form):
    """Another password, by who knows the one in use."""

    password = Secret(lazy_gettext("Mot de passe actuel"), lazy_gettext("Écrivez votre mot de passe actuel."))
    new = Secret(
        lazy_gettext("Nouveau mot de passe"), lazy_gettext("Choisissez un mot de passe."),
        description=lazy_gettext("10 caractères au moins. Trois mots sans rapport entre eux se retiennent bien."),
    )  # fmt: skip


@security.route("/connexion", methods=["GET", "POST"])
def login() -> Response | str | tuple[str, int]:
    """Sign in. An unknown name and a wrong password get the same answer, in the same time."""
    if current_user.is_authenticated:
        return redirect(url_for("home"), 303)
    form = UserNameForm(next=request.args.get("next")) if request.method != "POST" else UserNameForm()
    if request.method != "POST":
        return render_template("security/login_user.html", form=form)
    rates.signing_in(request.form.get("username", ""))
    if form.validate():
        if (person := recognised(form.username.data, form.password.data)) is not None:
            enter(person, remember=form.remember.data)
            rates.signed_in(form.username.data)
            return redirect(safe_path(form.next.data), 303)
        form.form_errors.append(WRONG)
    return render_template("security/login_user.html", form=form), 422


def recognised(user_name: str, password: str) -> SignIn | None:
    """Who gave this name and password. Nobody's name takes as long to check as somebody's."""
    with transaction() as at_work:
        person = sign_in_named(at_work, user_name)
        if person is None or not person.password:
            hash_password(password)
            return None
        known = person.verify_and_update_password(normal(password))
        return person if known and person.active else None


def normal(password: str) -> str:
    """The password as it is hashed: two keyboards that write the same letters differently agree."""
    return unicodedata.normalize("NFKC", password)


def enter(person: SignIn, *, remember: bool = False) -> None:
    """Begin the session anew for this person: nothing of an earlier visitor stays in it but the language."""
    _forget_session()
    with transaction() as at_work:
        person.session_token = members.open_session(at_work, person.id, at=clock.now())
    login_user(person, remember=remember)
    if not remember:
        session["_remember"] = "clear"  # an earlier visitor of this device may have left theirs


def _forget_session() -> None:
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language


@security.post("/deconnexion")
def logout() -> Response:
    """Sign out, on this device: the session ends, and with it whatever was copied of its cookie."""
    if current_user.is_authenticated:
        with transaction() as at_work:
            members.end_session(at_work, current_user.session_token)
        logout_user()
    _forget_session()
    session["_remember"] = "clear"  # Flask-Login then drops its cookie
    flash(_("C’est fermé. À bientôt !"), "success")
    return redirect(url_for("home"), 303)


@security.post("/deconnexion/ailleurs")
@auth_required()
def logout_elsewhere() -> Response:
    """Sign out everywhere but here."""
    with transaction() as at_work:
        members.end_sessions(at_work, current_user.id, but=current_user.session_token)
    flash(_("C’est fermé sur vos autres appareils."), "success")
    return redirect(url_for("members.me"), 303)


@security.route("/mot-de-passe/oublie", methods=["GET", "POST"])
def forgot_password() -> Response | str | tuple[str, int]:
    """Ask for a link. The answer doesn't tell whether anybody has that name."""
    form = ForgottenForm()
    if request.method != "POST":
        return render_template("security/forgot_password.html", form=form)
    rates.asking_for_a_link(request.form.get("name", ""))
    if not form.validate():
        return render_template("security/forgot_password.html", form=form), 422
    with transaction() as at_work:
        people = sign_ins_of(at_work, form.name.data)
        for person in people:
            write_link(person, "new_password")
        if not people:
            _as_long_for_nobody(at_work)
    return redirect(url_for("security.link_sent"), 303)


def _as_long_for_nobody(at_work: Session) -> None:
    """Write a letter and take it back: an unknown name must not be told by a quicker answer."""
    nobody = SignIn(user_name="nobody", email="nobody@invalid", fs_uniquifier="0" * 64, language="fr")
    with at_work.begin_nested() as taken_back:
        write_link(nobody, "new_password")
        taken_back.rollback()


@security.get("/mot-de-passe/oublie/envoye")
def link_sent() -> str:
    """What to do now; the same whether a letter left or not."""
    return render_template("security/link_sent.html")


def write_link(person: SignIn, template: str, **facts: Any) -> None:
    """Send somebody the link with which they choose a password; once used, or after three days, it is dead."""
    link, _token = generate_reset_link(person)
    to = [(person.email, person.language)] if person.email else []
    outbox.write(db.session(), to, template, at=clock.now(), person=person, link=link, days=LINK_LIVES, **facts)


@security.route("/mot-de-passe/oublie/<string:token>", methods=["GET", "POST"])  # signed: longer than our identifiers
def reset_password(token: str) -> Response | str | tuple[str, int]:
    """Choose a password through a link; reading the page changes nothing."""
    expired, invalid, person = reset_password_token_status(token)
    if expired or invalid or person is None or not person.active:
        if current_user.is_authenticated and request.method == "POST":
            return redirect(url_for("home"), 303)  # pressed twice: the first did it
        flash(str(LINK_DIED), "warning")
        return redirect(url_for("security.forgot_password"), 303)
    form = NewPasswordForm()
    if request.method == "POST" and _chosen(form, person):
        enter(person)
        flash(_("Votre mot de passe est enregistré. Bienvenue !"), "success")
        return redirect(url_for("home"), 303)
    page = render_template("security/reset_password.html", form=form, user_name=person.user_name)
    return page if request.method != "POST" else (page, 422)


@security.route("/mot-de-passe", methods=["GET", "POST"])
@auth_required()
def change_password() -> Response | str | tuple[str, int]:
    """Choose another password, knowing the one in use."""
    form = ChangePasswordForm()
    if request.method != "POST":
        return render_template("security/change_password.html", form=form)
    rates.signing_in(current_user.user_name)
    person = db.session.get_one(SignIn, current_user.id)
    remember = "remember_token" in request.cookies
    if form.validate() and _knows(form, person) and _chosen(form, person):
        enter(person, remember=remember)
        flash(_("Votre mot de passe a changé. Sur vos autres appareils, il faudra vous reconnecter."), "success")
        return redirect(url_for("members.me"), 303)
    return render_template("security/change_password.html", form=form), 422


def _knows(form: ChangePasswordForm, person: SignIn) -> bool:
    if person.password and person.verify_and_update_password(normal(form.password.data)):
        return True
    form.refuse(WrongPassword())
    return False


def _chosen(form: NewPasswordForm | ChangePasswordForm, person: SignIn) -> bool:
    """Take the new password if it is good enough; every session of the person ends, and they are told by letter."""
    if not form.validate():
        return False
    password = normal(form.new.data)
    try:
        check_password(password, user_name=person.user_name)
    except Refused as weak:
        form.refuse(weak)
        return False
    with transaction() as at_work:
        first = person.password is None
        members.choose_password(at_work, person, hashed=hash_password(password))
        if person.email and not first:
            to = [(person.email, person.language)]
            address = url_for("security.forgot_password", _external=True)
            name = sign_in_names(at_work, [person.id])[person.id]
            outbox.write(at_work, to, "password_changed", at=clock.now(), name=name, address=address)
    return True


SETTINGS: dict[str, Any] = {
    "SECURITY_RECOVERABLE": True,
    "SECURITY_RESET_PASSWORD_WITHIN": timedelta(days=LINK_LIVES),
    "SECURITY_USER_IDENTITY_ATTRIBUTES": [{"user_name": {"mapper": lambda given: given, "case_insensitive": True}}],
    "SECURITY_PASSWORD_HASH": "argon2",
    "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
        "argon2__memory_cost": 19456, "argon2__time_cost": 2, "argon2__parallelism": 1,
    },
    # A link carries a digest of the password's hash, which is slow enough already; the default takes seconds.
    "SECURITY_HASHING_SCHEMES": ["hex_sha256"],
    "SECURITY_JOIN_USER_ROLES": False,
    "SECURITY_API_ENABLED_METHODS": ["session"],
    "REMEMBER_COOKIE_HTTPONLY": True,
    "REMEMBER_COOKIE_SAMESITE": "Lax",
    "REMEMBER_COOKIE_DURATION": 60 * 60 * 24 * 31,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "WTF_CSRF_TIME_LIMIT": None,  # a form left open all day can still be sent
}  # fmt: skip


def of_this_browser(secret: str) -> SignIn | None:
    """Who is signed in on the browser that holds this secret. What Flask-Login asks of every request."""
    person = sign_in_of_session(db.session(), secret, clock.now())
    if person is not None:
        person.session_token = secret
        set_request_attr("fs_authn_via", "session")  # else Flask-Security takes it for a token
    return person


def nobody(_request: object) -> None:
    """Nobody is known by anything but their cookie: Flask-Security would look for tokens in addresses and in JSON."""


def sent_to_sign_in(mechanisms: Any = None, headers: Any = None) -> Response:
    """A page that needs a sign-in: sign in first, then come back to it if it can be read."""
    flash(_("Connectez-vous pour voir cette page."), "notice")
    back = request.full_path.rstrip("?") if request.method != "POST" else None
    return redirect(url_for("security.login", next=back), 303)


def not_our_name(_error: SecurityError) -> Response:
    """We were called by a name that is not ours: there is no page to show."""
    return Response("400", 400, mimetype="text/plain")


def init(app: Flask) -> None:
    """Bind to the application."""
    for name, value in SETTINGS.items():
        if app.config.get(name) is None:  # Flask presets some of these to None
            app.config[name] = value
    app.config.setdefault("REMEMBER_COOKIE_SECURE", app.config.get("SESSION_COOKIE_SECURE", False))
    if app.config["TRUSTED_HOSTS"] is None:
        # Links carry our own name (``config``), and only our own names are answered. Without a public address we are on
        # somebody's own machine.
        here = urlsplit(app.config.get("PUBLIC_ADDRESS") or "").netloc
        app.config["TRUSTED_HOSTS"] = [*filter(None, [here]), "localhost", "127.0.0.1", "[::1]"]
        app.register_error_handler(SecurityError, not_our_name)
    engine = Security(app, SQLAlchemyUserDatastore(db, SignIn, NoRole), register_blueprint=False)
    engine.unauthn_handler(sent_to_sign_in)
    app.login_manager.user_loader(of_this_browser)  # type: ignore[attr-defined]  # Flask-Login hangs itself there
    app.login_manager.request_loader(nobody)  # type: ignore[attr-defined]
    app.register_blueprint(security)
