"""What every page shows around its content: who is signed in, where they can go.

The menu is one line: what everybody does, then the rest under a few words that open. It asks the database nothing:
what it needs comes with the mandates, which every page reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from exchange import i18n
from exchange.keeping import last
from exchange.members.queries import Held, PartyView
from exchange.security import held, own_name, territory

Link = dict[str, Any]
Entry = dict[str, Any]  # a link, or a label with the links under it


def link(label: str, endpoint: str, **values: Any) -> Link | None:
    """A link to a page, or None on an install that lacks the page."""
    if endpoint not in current_app.view_functions:
        return None
    current = request.endpoint == endpoint and request.view_args == values
    return {"label": label, "href": url_for(endpoint, **values), "current": current}


def offices(mandates: tuple[Held, ...]) -> list[Link]:
    """The links of the offices that a person holds, each once."""
    return _each_once(mandate for mandate in mandates if not _lends_their_own(mandate))


def own_loans(mandates: tuple[Held, ...]) -> list[Link]:
    """The links of a neighbour who lends what is theirs."""
    return _each_once(mandate for mandate in mandates if _lends_their_own(mandate))


def _lends_their_own(mandate: Held) -> bool:
    return mandate.role == "officer" and mandate.party_kind == "person"


def _each_once(mandates: Iterable[Held]) -> list[Link]:
    links = [found for mandate in mandates for found in _office(mandate) if found is not None]
    return list({found["href"]: found for found in links}.values())


def _office(mandate: Held) -> tuple[Link | None, ...]:
    of = mandate.party_token
    match mandate.role:
        case "facilitator":
            return (_desk(_("Comptoir"), _("Déclarer, publier, confirmer pour une personne que vous aidez."),
                          "members.counter", community=of),)  # fmt: skip
        case "officer" if mandate.party_kind == "person":
            return (
                _desk(_("Ce que je prête"), _("Vos objets, leurs photos, leurs conditions."), "catalogue.index",
                      lender=of),
                _desk(_("On me demande"), _("Répondre à qui veut emprunter, remettre, reprendre."),
                      "bookings.requests", lender=of),
            )  # fmt: skip
        case "officer":
            return (
                _desk(_("Demandes de réservation"), _("Décider, remettre, reprendre."), "bookings.requests", lender=of),
                _desk(_("Ce que nous prêtons"), _("Salles, objets, photos, règles, fermetures."), "catalogue.index",
                      lender=of),
                _reports(of),
            )  # fmt: skip
        case "treasurer" | "auditor" if mandate.community_id is None:
            return (_reports(of),)
        case "treasurer" | "auditor":
            return (_books(of),)
        case "administrator":
            return (
                _desk(_("Demandes d’adhésion"), _("Qui veut rejoindre le groupe."), "members.applications",
                      community=of),
                _books(of),
            )  # fmt: skip
    return ()


def _reports(lender: str) -> Link | None:
    said = _("Prêts de l’année et leur valeur, fréquentation, refus.")
    return _desk(_("Bilans"), said, "reports.loans", lender=lender)


def _books(community: str) -> Link | None:
    said = _("Soldes, écritures, corrections, mois, et la preuve que tout est juste.")
    return _desk(_("Les comptes"), said, "audit.trial_balance", community=community)


def _desk(label: str, said: str, endpoint: str, **values: Any) -> Link | None:
    """A link with what one does there."""
    found = link(label, endpoint, **values)
    return {**found, "said": said} if found else None


def group(label: str, links: list[Link | None]) -> Entry | None:
    """Links under one word, which opens; None when there is none."""
    found = [each for each in links if each is not None]
    return {"label": label, "links": found, "current": any(each["current"] for each in found)} if found else None


def _own_accounts() -> list[Link | None]:
    """Their account, and what is done most with it; with several, pages where one is chosen."""
    mine = [mandate for mandate in held() if mandate.role in ("member", "delegate")]
    kinds = {token: mandate.party_kind for mandate in mine for token in mandate.accounts}
    if not kinds:
        return []
    if len(kinds) > 1:
        return [link(_("Mes comptes"), "statements.mine"), link(_("Déclarer un échange"), "declarations.begin")]
    token, kind = kinds.popitem()
    return [
        link(_("Mon compte") if kind == "person" else _("Notre compte"), "statements.show", account=token),
        link(_("Déclarer un échange"), "declarations.new", account=token),
    ]


def shelf(lender: PartyView) -> str:
    """What the list of all that a lender lends is called on their own pages."""
    return _("Ce que je prête") if lender.kind == "person" else _("Salles et matériel")


def _menu() -> list[Entry]:
    """The main menu, for who is signed in."""
    if not current_user.is_authenticated:
        wanted = [
            link(_("Accueil"), "home"),
            link(_("Salles"), "bookings.search"),
            link(_("Structures"), "organisations.index"),
            link(_("Rejoindre"), "members.join"),
        ]
    else:
        wanted = [
            link(_("Accueil"), "home"),
            *_own_accounts(),
            link(_("Annonces"), "adverts.mine"),
            link(_("Salles"), "bookings.search"),
            group(_("Plus"), [
                link(_("Messages"), "adverts.threads"),
                link(_("Mes réservations"), "bookings.mine"),
                link(_("Mes documents"), "bookings.my_documents"),
                *own_loans(held()),
                link(_("Membres"), "members.mine"),
                link(_("Structures"), "organisations.index"),
            ]),
            group(_("Gestion"), [*offices(held())]),
        ]  # fmt: skip
    return [found for found in wanted if found is not None]


def around() -> dict[str, Any]:
    """What ``base.html`` needs; an error page must show even when the database doesn't answer."""
    context: dict[str, Any] = {"locale": i18n.locale_name(), "languages": i18n.choices(), "link": link, "shelf": shelf}
    if g.get("unanswered"):
        return context | {"territory": last("territory"), "me": None, "my_name": "", "navigation": []}
    try:
        context["territory"] = territory()
        context["me"] = current_user if current_user.is_authenticated else None
        context["my_name"] = own_name() if current_user.is_authenticated else ""
        context["navigation"] = _menu()
    except SQLAlchemyError:
        context |= {"territory": None, "me": None, "my_name": "", "navigation": []}
    return context


def init(app: Flask) -> None:
    """Bind to the application."""
    app.context_processor(around)
