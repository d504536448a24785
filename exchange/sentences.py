"""Every refusal in words: what happened, and what the person can do about it. One table for pages and API alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext

from ledger.errors import Refused
from ledger.minutes import spell

ROLES = {
    "member": lazy_gettext("les membres"),
    "delegate": lazy_gettext("les personnes mandatées par la structure"),
    "officer": lazy_gettext("les agents du prêteur"),
    "facilitator": lazy_gettext("les animateurs"),
    "treasurer": lazy_gettext("les trésoriers"),
    "auditor": lazy_gettext("les vérificateurs des comptes"),
    "administrator": lazy_gettext("les administrateurs"),
}


class Sentence(NamedTuple):
    """What to say, and what can be done."""

    what: str
    remedy: str = ""


Facts = dict[str, Any]


def _floor(facts: Facts) -> Sentence:
    lacking = facts["floor"] - (facts["balance"] - facts["held"] - facts["minutes"])
    return Sentence(
        _(
            "Cet échange ferait descendre le compte sous sa limite de %(floor)s : il manque %(lacking)s.",
            floor=spell(facts["floor"]), lacking=spell(lacking),
        ),
        _("Rendre un service, donner un savoir ou un objet fait remonter le compte."),
    )  # fmt: skip


def _not_allowed(facts: Facts) -> Sentence:
    roles = [str(ROLES[role]) for role in facts.get("roles", ())]
    who = _(" ou ").join(roles) or _("d'autres personnes")
    if facts.get("party"):
        return Sentence(
            _("Cette page est réservée : y ont accès %(who)s de « %(party)s ».", who=who, party=facts["party"]),
            _("Si vous devriez y avoir accès, demandez à une personne qui l'a déjà."),
        )
    return Sentence(_("Cette page est réservée : y ont accès %(who)s.", who=who))


def _pool(facts: Facts) -> Sentence:
    return Sentence(
        ngettext(
            "Il n'en reste que %(num)s à ce moment-là.", "Il n'en reste que %(num)s à ce moment-là.", facts.get("left", 0)
        ),
        _("Demandez-en moins, ou choisissez un autre moment."),
    )


def _fixed(what: str, remedy: str = "") -> Callable[[Facts], Sentence]:
    return lambda _facts: Sentence(_(what), _(remedy) if remedy else "")


N = lambda sentence: sentence  # noqa: E731 - marks a sentence for the catalogue; it is translated when it is said

SENTENCES: dict[str, Callable[[Facts], Sentence]] = {
    "floor-reached": _floor,
    "not-allowed": _not_allowed,
    "pool-exhausted": _pool,
    "not-found": _fixed(N("Cette page n'existe pas, ou elle n'est pas à vous."), N("Vérifiez l'adresse, ou repartez de l'accueil.")),
    "account-unknown": _fixed(N("Ce compte n'existe pas dans cette communauté.")),
    "account-closed": _fixed(N("Ce compte est clos : on n'y écrit plus rien.")),
    "account-exists": _fixed(N("Cette personne a déjà un compte dans cette communauté.")),
    "account-not-settled": _fixed(N("Un compte se clôt à zéro, sans minutes réservées."), N("Soldez-le d'abord par une écriture.")),
    "entry-malformed": _fixed(N("Cette écriture est incomplète : il faut deux comptes différents et au moins une minute.")),
    "entry-unknown": _fixed(N("Cette écriture n'existe pas dans cette communauté.")),
    "key-reused": _fixed(
        N("Ce formulaire a déjà été envoyé, avec un autre contenu. Le premier envoi est enregistré ; le second ne l'est pas."),
        N("Pour enregistrer autre chose, reprenez un formulaire neuf."),
    ),
    "reason-missing": _fixed(N("Dites pourquoi : une correction porte toujours sa raison.")),
    "correction-of-correction": _fixed(N("Une correction ne se corrige pas."), N("Écrivez un nouvel échange.")),
    "entry-corrected-already": _fixed(N("Cette écriture est déjà corrigée : une écriture se corrige une seule fois.")),
    "correction-gains": _fixed(
        N("Vous gagneriez des minutes à cette correction : une autre personne doit l'écrire."),
        N("Demandez à un autre trésorier ou administrateur."),
    ),
    "hold-unknown": _fixed(N("Ces minutes réservées n'existent pas.")),
    "hold-resolved": _fixed(N("Ces minutes réservées ont déjà été comptées ou rendues.")),
    "hold-exceeded": _fixed(N("On ne peut pas compter plus de minutes qu'il n'en a été réservé.")),
    "written-once": _fixed(N("Ce qui est écrit dans les comptes ne se modifie pas."), N("Une erreur se corrige par une autre écriture.")),
    "already-answered": _fixed(N("Une réponse a déjà été donnée."), N("Rechargez la page pour la voir.")),
    "slot-taken": _fixed(N("Ce créneau vient d'être pris."), N("Choisissez un autre moment ou une autre salle.")),
    "council-decision-missing": _fixed(
        N("Un tarif public en minutes demande une délibération du conseil : indiquez son numéro et sa date."),
    ),
    "slip-keyed-twice": _fixed(N("Ce bon d'échange a déjà été saisi sous ce numéro.")),
    "user-name-taken": _fixed(N("Cet identifiant est déjà pris."), N("Choisissez-en un autre.")),
    "happens-later": _fixed(N("Cette date n'est pas encore passée."), N("Un échange se déclare une fois qu'il a eu lieu.")),
    "too-old": _fixed(N("Cet échange a plus d'un an : il ne peut plus être déclaré ici."), N("Parlez-en à un administrateur.")),
    "with-oneself": _fixed(N("Un échange se fait avec quelqu'un d'autre.")),
    "other-unknown": _fixed(N("Choisissez une personne qui a un compte dans cette communauté.")),
}  # fmt: skip


def sentence_of(error: Refused) -> Sentence:
    """The words of a refusal."""
    say = SENTENCES.get(error.rule)
    return say(error.facts) if say else Sentence(_("Ce n'est pas possible : %(rule)s.", rule=error.rule))
