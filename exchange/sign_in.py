"""Sign-in by user name, on Flask-Security: its forms in our words, its letters through the outbox."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_babel import lazy_gettext as _
from flask_security import MailUtil, RoleMixin, Security, SQLAlchemyUserDatastore
from flask_security.forms import ForgotPasswordForm, LoginForm
from wtforms import BooleanField, PasswordField, StringField, SubmitField
from wtforms.validators import InputRequired, Length

from exchange import clock
from exchange.db import db
from exchange.members.models import SignIn
from exchange.outbox import Letter, send_later


class NoRole(RoleMixin):
    """Flask-Security wants a class of roles; ours are mandates, so this one has no instance."""


class UserNameForm(LoginForm):
    """User name and password. An unknown name and a wrong password get the same answer."""

    email = None
    username = StringField(_("Identifiant"), validators=[InputRequired(_("Écrivez votre identifiant.")), Length(max=80)])
    password = PasswordField(_("Mot de passe"), validators=[InputRequired(_("Écrivez votre mot de passe.")), Length(max=200)])
    remember = BooleanField(_("Rester connecté sur cet appareil"))
    submit = SubmitField(_("Se connecter"))

    def validate(self, **more: Any) -> bool:
        self.ifield = self.username
        self.user = _sign_in_named(self.username.data)
        return bool(super().validate(**more))


class ForgottenForm(ForgotPasswordForm):
    """Asked by user name: two people may share one e-mail."""

    email = StringField(_("Identifiant"), validators=[InputRequired(_("Écrivez votre identifiant.")), Length(max=80)])
    submit = SubmitField(_("Recevoir un lien"))

    def validate(self, **more: Any) -> bool:
        self.user = _sign_in_named(self.email.data)
        if self.user is None or not self.user.email:
            self.email.errors = [*self.email.errors, _("Aucun courriel n'est connu pour cet identifiant.")]
            return False
        return bool(super().validate(**more))


def _sign_in_named(name: str | None) -> SignIn | None:
    if not name or "\x00" in name or not name.isprintable():
        return None
    return db.session.scalar(db.select(SignIn).where(SignIn.user_name == name.strip()))


class ThroughOutbox(MailUtil):
    """Flask-Security's letters leave as ours do: after the commit."""

    def send_mail(
        self, template: str, subject: str, recipient: str, sender: str, body: str, html: str | None, **more: Any
    ) -> None:
        if not recipient:
            return
        session = db.session()
        send_later(session, Letter(recipient=recipient, subject=subject, body=body, written_at=clock.now()))


SETTINGS: dict[str, Any] = {
    "SECURITY_LOGIN_URL": "/connexion",
    "SECURITY_LOGOUT_URL": "/deconnexion",
    "SECURITY_RECOVERABLE": True,
    "SECURITY_RESET_URL": "/mot-de-passe/oublie",
    "SECURITY_CHANGEABLE": True,
    "SECURITY_CHANGE_URL": "/mot-de-passe",
    "SECURITY_RESET_PASSWORD_WITHIN": "3 days",
    "SECURITY_USER_IDENTITY_ATTRIBUTES": [{"user_name": {"mapper": lambda given: given, "case_insensitive": True}}],
    "SECURITY_RETURN_GENERIC_RESPONSES": True,
    "SECURITY_PASSWORD_HASH": "argon2",
    "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
        "argon2__memory_cost": 19456, "argon2__time_cost": 2, "argon2__parallelism": 1,
    },
    "SECURITY_PASSWORD_LENGTH_MIN": 10,
    "SECURITY_PASSWORD_NORMALIZE_FORM": "NFKC",
    "SECURITY_EMAIL_HTML": False,
    "SECURITY_LOGOUT_CSRF": True,
    "SECURITY_STATIC_FOLDER": None,
    "SECURITY_JOIN_USER_ROLES": False,
    "SECURITY_API_ENABLED_METHODS": ["session"],
    "SECURITY_EMAIL_SUBJECT_PASSWORD_RESET": _("Choisir un nouveau mot de passe"),
    "SECURITY_EMAIL_SUBJECT_PASSWORD_NOTICE": _("Votre mot de passe a changé"),
    "SECURITY_EMAIL_SUBJECT_PASSWORD_CHANGE_NOTICE": _("Votre mot de passe a changé"),
    "REMEMBER_COOKIE_HTTPONLY": True,
    "REMEMBER_COOKIE_SAMESITE": "Lax",
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "WTF_CSRF_TIME_LIMIT": None,  # a form left open all day can still be sent
}  # fmt: skip


def init(app: Flask) -> None:
    """Bind Flask-Security to the application."""
    for name, value in SETTINGS.items():
        app.config.setdefault(name, value)
    app.config.setdefault("REMEMBER_COOKIE_SECURE", app.config.get("SESSION_COOKIE_SECURE", False))
    Security(
        app,
        SQLAlchemyUserDatastore(db, SignIn, NoRole),
        login_form=UserNameForm,
        forgot_password_form=ForgottenForm,
        mail_util_cls=ThroughOutbox,
    )
