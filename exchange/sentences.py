"""Every refusal in words: what happened, and what the person can do about it. One table for pages and API alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple

from flask_babel import format_decimal, lazy_gettext, ngettext
from flask_babel import gettext as _

from exchange.i18n import spell
from ledger.errors import Refused

ROLES = {
    "member": lazy_gettext("les membres"),
    "delegate": lazy_gettext("les personnes mandatées par la structure"),
    "officer": lazy_gettext("les agents du prêteur"),
    "facilitator": lazy_gettext("les animateurs"),
    "treasurer": lazy_gettext("les trésoriers"),
    "auditor": lazy_gettext("les vérificateurs des comptes"),
    "administrator": lazy_gettext("les administrateurs"),
}

CLASSES = {
    "town": lazy_gettext("La ville"),
    "local-association": lazy_gettext("Les associations d’ici"),
    "inhabitant": lazy_gettext("Les habitants"),
    "firm": lazy_gettext("Les entreprises"),
    "outside": lazy_gettext("Ceux d’ailleurs"),
}
GROUNDS = {
    "property": lazy_gettext("Administration des propriétés communales"),
    "services": lazy_gettext("Fonctionnement des services"),
    "order": lazy_gettext("Maintien de l’ordre public"),
    "rule": lazy_gettext("Une règle votée"),
    "other": lazy_gettext("Un autre motif"),
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
            "Cet échange ferait descendre le compte sous sa limite de %(floor)s : il manque %(lacking)s.",
            floor=spell(facts["floor"]), lacking=spell(lacking),
        ),
        _("Rendre un service, donner un savoir ou un objet fait remonter le compte."),
    )  # fmt: skip


def _not_allowed(facts: Facts) -> Sentence:
    roles = [str(ROLES[role]) for role in facts.get("roles", ())]
    who = _(" ou ").join(roles) or _("d’autres personnes")
    if facts.get("party"):
        return Sentence(
            _("Cette page est réservée : y ont accès %(who)s de « %(party)s ».", who=who, party=facts["party"]),
            _("Si vous devriez y avoir accès, demandez à une personne qui l’a déjà."),
        )
    return Sentence(_("Cette page est réservée : y ont accès %(who)s.", who=who))


PASSWORDS = {
    "short": lazy_gettext("Ce mot de passe est trop court : 10 caractères au moins."),
    "long": lazy_gettext("Ce mot de passe est trop long : 200 caractères au plus."),
    "common": lazy_gettext("Ce mot de passe est parmi les premiers que l’on essaie."),
    "name": lazy_gettext("Ce mot de passe ressemble trop à votre identifiant."),
}


def _weak_password(facts: Facts) -> Sentence:
    return Sentence(str(PASSWORDS[facts["why"]]), _("Trois mots sans rapport entre eux font un bon mot de passe."))


OUTLINES = {
    "too-big": lazy_gettext("Ce fichier dépasse 5 Mo."),
    "not-json": lazy_gettext("Ce fichier n’est pas un texte JSON correct."),
    "no-polygon": lazy_gettext("Il n’y a pas de contour ici : il faut un Polygon, un MultiPolygon, ou un Feature ou une FeatureCollection qui n’en contient pas d’autre."),
    "other-system": lazy_gettext("Ce fichier est dans un autre système de coordonnées."),
    "not-a-position": lazy_gettext("Une position s’écrit [longitude, latitude] : deux nombres."),
    "out-of-bounds": lazy_gettext("La longitude va de −180 à 180, la latitude de −90 à 90."),
    "too-short": lazy_gettext("Un contour a au moins quatre positions, dont trois différentes."),
    "not-closed": lazy_gettext("Un contour se referme : sa dernière position est la même que la première."),
}


def _outline(facts: Facts) -> Sentence:
    said = str(OUTLINES[facts["why"]])
    if facts["where"]:
        said = _("%(said)s (À cet endroit : %(where)s)", said=said, where=facts["where"])
    in_degrees = facts["why"] in {"other-system", "out-of-bounds"}
    return Sentence(said, _("Exportez-le de nouveau, en WGS 84.") if in_degrees else "")


def _too_often(facts: Facts) -> Sentence:
    return Sentence(
        _("Trop d’essais en peu de temps : par sécurité, nous faisons une pause."),
        ngettext(
            "Attendez %(num)s minute au plus, puis recommencez.", "Attendez %(num)s minutes au plus, puis recommencez.",
            facts["minutes"],
        ),
    )  # fmt: skip


def _pool(facts: Facts) -> Sentence:
    if not facts["left"]:
        return Sentence(_("Il n’en reste plus à ce moment-là."), _("Choisissez un autre moment."))
    return Sentence(
        ngettext(
            "Il n’en reste que %(num)s à ce moment-là.", "Il n’en reste que %(num)s à ce moment-là.", facts["left"]
        ),
        _("Demandez-en moins, ou choisissez un autre moment."),
    )


def _quantity_booked(facts: Facts) -> Sentence:
    from exchange.formats import day  # here, since how a day is written needs these sentences

    return Sentence(
        ngettext(
            "%(num)s exemplaire est déjà réservé à un même moment, le %(day)s : il ne peut pas y en avoir moins.",
            "%(num)s exemplaires sont déjà réservés à un même moment, le %(day)s : il ne peut pas y en avoir moins.",
            facts["peak"], day=day(date.fromisoformat(facts["day"])),
        ),
        _("Prévenez d’abord ceux qui ont réservé, ou gardez ce nombre jusque-là."),
    )  # fmt: skip


INVALID = {
    "account-kind": lazy_gettext("Une personne a un compte de membre ; une structure, un compte de structure ou de collectivité."),
    "before-start": lazy_gettext("Le dernier jour vient avant le premier."),
    "bounds": lazy_gettext("Écrivez un nombre entre 0 et 100 000."),
    "missing": lazy_gettext("Ce renseignement manque."),
    "nobody": lazy_gettext("Il n’y a personne à qui l’écrire."),
    "not-lower": lazy_gettext("Pour baisser, donnez moins que ce qui était proposé."),
    "no-account": lazy_gettext("Le prêteur n’a pas de compte en minutes : une communauté doit d’abord lui en ouvrir un."),
    "to-come": lazy_gettext("Ce jour n’est pas encore venu."),
    "unknown": lazy_gettext("Choisissez dans la liste."),
}


def _invalid(facts: Facts) -> Sentence:
    return Sentence(str(INVALID.get(facts.get("why", ""), INVALID["missing"])))


def _hour_missing(facts: Facts) -> Sentence:
    return Sentence(
        _("Ce jour-là, on passe à l’heure d’été : %(hour)s n’existe pas.", hour=facts["hour"].replace(":", " h ")),
        _("Choisissez une autre heure."),
    )


def _closed(facts: Facts) -> Sentence:
    return Sentence(
        _("« %(name)s » n’est pas ouvert pendant tout ce temps.", name=facts.get("name", "")),
        _("Regardez les heures d’ouverture sur sa page."),
    )


def _out_of_service(facts: Facts) -> Sentence:
    from exchange.formats import instant  # as above

    name, until = facts.get("name", ""), facts.get("until")
    if until is None:
        return Sentence(_("« %(name)s » n’est pas disponible pour le moment.", name=name), _("Choisissez autre chose."))
    return Sentence(
        _("« %(name)s » n’est pas disponible avant le %(instant)s.", name=name,
          instant=instant(datetime.fromisoformat(until))),
        _("Choisissez un autre moment ou une autre salle."),
    )  # fmt: skip


def _not_lent_then(facts: Facts) -> Sentence:
    from exchange.formats import day  # as above

    name, first, last = facts.get("name", ""), facts.get("first"), facts.get("last")
    if first is None:
        what = _("« %(name)s » se prête jusqu’au %(last)s.", name=name, last=day(date.fromisoformat(str(last))))
    elif last is None:
        what = _("« %(name)s » se prête à partir du %(first)s.", name=name, first=day(date.fromisoformat(first)))
    else:
        what = _("« %(name)s » se prête du %(first)s au %(last)s.", name=name, first=day(date.fromisoformat(first)),
                 last=day(date.fromisoformat(last)))  # fmt: skip
    return Sentence(what, _("Choisissez un autre jour."))


def _shorter(facts: Facts) -> Sentence:
    from exchange.formats import length_of_time  # as above

    return Sentence(
        _("« %(name)s » se prête pour %(length)s au moins.", name=facts.get("name", ""), length=length_of_time(facts["minutes"]))
    )


def _least_above_most(facts: Facts) -> Sentence:
    from exchange.formats import length_of_time  # as above

    if "least" not in facts:
        return Sentence(_("La durée la plus courte dépasse la plus longue."), _("Changez l’une des deux."))
    return Sentence(
        _("Ce serait prêté %(least)s au moins, et %(most)s au plus.", least=length_of_time(facts["least"]),
          most=length_of_time(facts["most"])),
        _("Changez l’une des deux."),
    )  # fmt: skip


def _last_before_first(facts: Facts) -> Sentence:
    from exchange.formats import day  # as above

    if "first" not in facts:
        return Sentence(_("Le dernier jour vient avant le premier."))
    first, last = (day(date.fromisoformat(facts[name])) for name in ("first", "last"))
    return Sentence(
        _("Ce serait prêté à partir du %(first)s, et jusqu’au %(last)s.", first=first, last=last),
        _("Changez l’un des deux jours."),
    )


def _not_a_slot(facts: Facts) -> Sentence:
    from exchange.formats import slots  # as above

    return Sentence(_("« %(name)s » se prête %(slots)s.", name=facts.get("name", ""), slots=slots(facts["slots"])))


def _longer(facts: Facts) -> Sentence:
    from exchange.formats import length_of_time  # as above

    return Sentence(
        _("« %(name)s » se prête pour %(length)s au plus.", name=facts.get("name", ""), length=length_of_time(facts["minutes"]))
    )


def _asked_too_late(facts: Facts) -> Sentence:
    from exchange.formats import length_of_time  # as above

    return Sentence(
        _("« %(name)s » se demande au moins %(length)s à l’avance.", name=facts.get("name", ""),
          length=length_of_time(60 * facts["hours"])),
        _("Choisissez un autre jour, ou appelez le prêteur."),
    )  # fmt: skip


def _asked_too_early(facts: Facts) -> Sentence:
    from exchange.formats import length_of_time  # as above

    return Sentence(
        _("« %(name)s » se demande au plus %(length)s à l’avance.", name=facts.get("name", ""),
          length=length_of_time(1440 * facts["days"])),
        _("Revenez plus tard, ou choisissez un jour plus proche."),
    )  # fmt: skip


def _taken(facts: Facts) -> Sentence:
    name = facts.get("name")
    what = _("« %(name)s » est déjà pris à ce moment-là.", name=name) if name else _("Ce créneau est déjà pris.")
    return Sentence(what, _("Choisissez un autre moment, ou autre chose."))


def _under_option(facts: Facts) -> Sentence:
    from exchange.formats import instant  # as below

    name, until = facts.get("name", ""), instant(datetime.fromisoformat(facts["until"]))
    return Sentence(
        _("« %(name)s » est sous option jusqu’au %(instant)s : quelqu’un hésite encore.", name=name, instant=until),
        _("Inscrivez-vous sur la liste d’attente : cette personne devra se décider plus tôt, et vous serez prévenu."),
    )


def _awaited(facts: Facts) -> Sentence:
    return Sentence(
        _("« %(name)s » vient de se libérer, et quelqu’un l’attendait avant vous.", name=facts.get("name") or ""),
        _("Inscrivez-vous sur la liste d’attente, ou choisissez un autre moment."),
    )


def _no_option(facts: Facts) -> Sentence:
    what = _("« %(name)s » ne se prend pas en option.", name=facts.get("name", ""))
    return Sentence(what, _("Demandez à réserver : vous pourrez annuler."))


def _too_many_options(facts: Facts) -> Sentence:
    return Sentence(
        ngettext("Vous avez déjà %(num)s option chez ce prêteur.", "Vous avez déjà %(num)s options chez ce prêteur.",
                 facts.get("most", 0)),
        _("Confirmez-en une, ou renoncez-y."),
    )  # fmt: skip


def _too_many_wishes(facts: Facts) -> Sentence:
    return Sentence(
        ngettext("Vous attendez déjà %(num)s chose.", "Vous attendez déjà %(num)s choses.", facts.get("most", 0)),
        _("Quittez d’abord une liste d’attente."),
    )


def _too_many(facts: Facts) -> Sentence:
    return Sentence(
        ngettext(
            "« %(name)s » reçoit %(num)s personne au plus.", "« %(name)s » reçoit %(num)s personnes au plus.",
            facts["capacity"], name=facts.get("name", ""),
        ),
        _("Cherchez une salle plus grande."),
    )  # fmt: skip


def _rules(facts: Facts) -> Sentence:
    said = [finding_sentence(finding) for finding in facts.get("findings", ())]
    return Sentence(" ".join(said[0]) if said else _("Une règle du prêteur s’y oppose."))


def finding_sentence(finding: Facts) -> Sentence:
    """What a rule said of a request, from its code and facts; kept with the request, so said the same later."""
    facts = finding.get("facts", {})
    code, minutes = finding["code"], facts.get("minutes", 0)
    said: dict[str, Callable[[], Sentence]] = {
        "free": lambda: Sentence(_("Gratuit.")),
        "free-by-tariff": lambda: Sentence(_("Gratuit : %(title)s.", title=finding.get("title", ""))),
        "tariff": lambda: Sentence(_tariff_words(finding, minutes)),
        "nothing-overdue": lambda: Sentence(
            _("Rien à rapporter en retard.") if finding["holds"] else _("Un prêt en retard n’est pas rendu."),
            "" if finding["holds"] else _("Rapportez-le, puis refaites votre demande."),
        ),
        "authorised": lambda: Sentence(
            _("Vous y êtes autorisé.") if finding["holds"] else _("C’est réservé aux personnes autorisées."),
            "" if finding["holds"] else _("Demandez au prêteur comment le devenir."),
        ),
        "charter": lambda: Sentence(
            _("La charte « %(title)s » est acceptée.", title=finding.get("title", "")) if finding["holds"]
            else _("La charte « %(title)s » n’est pas encore acceptée.", title=finding.get("title", "")),
            "" if finding["holds"] else _("Lisez-la et acceptez-la, puis refaites la demande."),
        ),
        "euro-fee": lambda: Sentence(_fee_words(finding)),
        "euro-deposit": lambda: Sentence(_deposit_words(finding)),
        "balance-not-asked": lambda: Sentence(_("Aucun solde n’est demandé à qui n’a pas de compte.")),
        "balance": lambda: Sentence(
            _("Un solde d’au moins %(least)s est demandé.", least=spell(facts.get("least", 0))),
            "" if finding["holds"] else _("Il manque %(lacking)s : rendez un service, puis refaites votre demande.",
                                          lacking=spell(facts.get("lacking", 0))),
        ),
        "several-communities": lambda: Sentence(
            _("Ces tarifs se comptent dans des communautés différentes."), _("Faites une demande pour chacune.")
        ),
        "lender-without-account": lambda: Sentence(
            _("Le prêteur n’a pas de compte pour recevoir ce tarif."), _("Prévenez-le : il doit en ouvrir un.")
        ),
        "account-needed": lambda: Sentence(
            _("Ce prêt se paie en minutes : il faut un compte dans la communauté."),
            _("Demandez à la rejoindre, ou choisissez un prêt gratuit."),
        ),
        "within-floor": lambda: Sentence(
            _("Le compte permet ce prêt.") if finding["holds"]
            else _("Le compte descendrait sous sa limite : il manque %(lacking)s.", lacking=spell(facts["lacking"])),
            "" if finding["holds"] else _("Rendez un service, puis refaites votre demande."),
        ),
    }  # fmt: skip
    return said[code]() if code in said else Sentence(finding.get("title") or code)


def _tariff_words(finding: Facts, minutes: int) -> str:
    facts = finding["facts"]
    rates = {
        "hour": _("%(rate)s par heure", rate=spell(facts["rate"])),
        "half-day": _("%(rate)s par demi-journée", rate=spell(facts["rate"])),
        "day": _("%(rate)s par jour", rate=spell(facts["rate"])),
        "item": _("%(rate)s par objet", rate=spell(facts["rate"])),
        "flat": _("forfait de %(rate)s", rate=spell(facts["rate"])),
    }
    said = _("%(title)s : %(rate)s, soit %(minutes)s.", title=finding.get("title", ""), rate=rates[facts["per"]],
             minutes=spell(minutes))  # fmt: skip
    return said + _decided(facts)


def _fee_words(finding: Facts) -> str:
    from exchange.formats import euros  # as above

    facts = finding["facts"]
    rate = euros(facts["rate"])
    rates = {
        "hour": _("%(rate)s par heure", rate=rate), "half-day": _("%(rate)s par demi-journée", rate=rate),
        "day": _("%(rate)s par jour", rate=rate), "item": _("%(rate)s par objet", rate=rate),
        "flat": _("forfait de %(rate)s", rate=rate),
    }  # fmt: skip
    said = _("%(title)s : %(rate)s, soit %(minutes)s.", title=finding.get("title", ""), rate=rates[facts["per"]],
             minutes=euros(facts["cents"]))  # fmt: skip
    return said + _decided(facts)


def _deposit_words(finding: Facts) -> str:
    from exchange.formats import euros  # as above

    facts = finding["facts"]
    said = _("%(title)s : caution de %(amount)s, rendue après le prêt.", title=finding.get("title", ""),
             amount=euros(facts["cents"]))  # fmt: skip
    return said + _decided(facts)


def _decided(facts: Facts) -> str:
    from exchange.formats import decision_of  # as above

    if not facts.get("decision"):
        return ""
    return " " + str(_("Délibération %(decision)s.", decision=decision_of(facts["decision"], facts.get("decided_on"))))


def _euros_missing(facts: Facts) -> Sentence:
    from exchange.formats import euros  # as above

    amount = euros(facts.get("cents", 0))
    what = (_("La caution n’est pas reçue : il manque %(amount)s.", amount=amount) if facts.get("kind") == "deposit"
            else _("La redevance n’est pas reçue : il manque %(amount)s.", amount=amount))  # fmt: skip
    return Sentence(what, _("Notez ce qui est reçu, puis la remise."))


def _more_than_received(facts: Facts) -> Sentence:
    from exchange.formats import euros  # as above

    return Sentence(_("Il ne reste que %(amount)s de ce qui a été reçu.", amount=euros(facts.get("left", 0))))


def _above_limit(facts: Facts) -> Sentence:
    return Sentence(
        ngettext(
            "La limite légale de ce bâtiment est de %(limit)s personne : une salle ne peut pas en recevoir davantage.",
            "La limite légale de ce bâtiment est de %(limit)s personnes : une salle ne peut pas en recevoir davantage.",
            facts["limit"], limit=format_decimal(facts["limit"]),
        ),
        _("Donnez une capacité plus petite."),
    )  # fmt: skip


def _picture_too_large(facts: Facts) -> Sentence:
    return Sentence(
        _("Cette photo a trop de points : %(number)s millions.", number=format_decimal(facts["megapixels"])),
        _("Choisissez-en une plus petite."),
    )


def _series_too_long(facts: Facts) -> Sentence:
    return Sentence(
        ngettext(
            "Une série a %(num)s jour au plus.", "Une série a %(num)s jours au plus.", facts["most"]
        ),
        _("Choisissez un dernier jour plus proche, ou faites-en plusieurs."),
    )  # fmt: skip


def _fixed(what: str, remedy: str = "") -> Callable[[Facts], Sentence]:
    return lambda _facts: Sentence(_(what), _(remedy) if remedy else "")


N: Callable[[str], str] = lambda sentence: sentence  # noqa: E731 - marks a sentence for the catalogue; it is translated when it is said

def _pays_themselves(facts: Facts) -> Sentence:
    return Sentence(
        _("%(name)s a son propre accès : ses minutes ne partent pas d’ici.", name=facts["name"]),
        _("Déclarez l’aide depuis le compte de qui a aidé : la personne aidée confirmera elle-même."),
    )


def _too_early(facts: Facts) -> Sentence:
    return Sentence(
        ngettext("Une remise se note %(num)d jour avant le début, au plus tôt.",
                 "Une remise se note %(num)d jours avant le début, au plus tôt.", facts["days"]),
        _("Vérifiez que c’est bien ce prêt-là."),
    )  # fmt: skip


def _not_begun(facts: Facts) -> Sentence:
    from exchange.formats import instant  # here, since how an instant is written needs these sentences

    begins = datetime.fromisoformat(facts["starts_at"])
    return Sentence(
        _("Ce prêt n’a pas commencé : une absence se note à partir de son début, le %(when)s.", when=instant(begins)),
        _("Si ce prêt n’est plus utile, la personne qui l’a demandé peut l’annuler."),
    )


def _more_than_booked(facts: Facts) -> Sentence:
    most = facts.get("most", 0)
    return Sentence(ngettext("Il n’y en a que %(num)s de réservé.", "Il n’y en a que %(num)s de réservés.", most))


def _more_than_out(facts: Facts) -> Sentence:
    left = max(facts.get("left", 0), 0)
    return Sentence(
        ngettext("Il n’en reste que %(num)s à rendre.", "Il n’en reste que %(num)s à rendre.", left),
        _("Rendues, abîmées et perdues ne peuvent pas faire davantage."),
    )  # fmt: skip


SENTENCES: dict[str, Callable[[Facts], Sentence]] = {
    "floor-reached": _floor,
    "not-allowed": _not_allowed,
    "pool-exhausted": _pool,
    "quantity-booked": _quantity_booked,
    "not-found": _fixed(N("Cette page n’existe pas, ou elle n’est pas à vous."), N("Vérifiez l’adresse, ou repartez de l’accueil.")),
    "account-unknown": _fixed(N("Ce compte n’existe pas dans cette communauté.")),
    "account-closed": _fixed(N("Ce compte est clos : on n’y écrit plus rien.")),
    "account-leaving": _fixed(N("La personne de ce compte part : son solde ne peut plus que revenir vers zéro.")),
    "account-exists": _fixed(N("Cette personne a déjà un compte dans cette communauté.")),
    "account-not-settled": _fixed(N("Un compte se clôt à zéro, sans minutes réservées."), N("Soldez-le d’abord par une écriture.")),
    "entry-malformed": _fixed(N("Cette écriture est incomplète : il faut deux comptes différents et au moins une minute.")),
    "entry-unknown": _fixed(N("Cette écriture n’existe pas dans cette communauté.")),
    "key-reused": _fixed(
        N("Ce formulaire a déjà été envoyé, avec un autre contenu. Le premier envoi est enregistré ; le second ne l’est pas."),
        N("Pour enregistrer autre chose, reprenez un formulaire neuf."),
    ),
    "reason-missing": _fixed(N("Dites pourquoi : une correction porte toujours sa raison.")),
    "correction-of-correction": _fixed(N("Une correction ne se corrige pas."), N("Écrivez un nouvel échange.")),
    "entry-corrected-already": _fixed(N("Cette écriture est déjà corrigée : une écriture se corrige une seule fois.")),
    "correction-gains": _fixed(
        N("Vous gagneriez des minutes à cette correction : une autre personne doit l’écrire."),
        N("Demandez à un autre trésorier ou administrateur."),
    ),
    "month-not-over": _fixed(N("Ce mois n’est pas fini."), N("On clôt un mois quand il est passé.")),
    "month-closed": _fixed(N("Ce mois est déjà clos.")),
    "month-skipped": _fixed(N("Les mois se closent dans l’ordre."), N("Commencez par le premier mois encore ouvert.")),
    "nothing-to-settle": _fixed(
        N("On ne solde que le compte d’une personne qui part, et qui n’est pas à zéro."), N("Notez d’abord son départ."),
    ),
    "settles-alone": _fixed(
        N("Vous avez proposé de solder ce compte : une autre personne doit l’approuver."),
        N("Demandez à un autre administrateur."),
    ),
    "settlement-changed": _fixed(N("Le solde a changé depuis la proposition."), N("Faites une nouvelle proposition.")),
    "not-sealed": _fixed(N("Cette écriture n’est pas encore scellée."), N("Elle le sera dans une minute : revenez alors.")),
    "limit-ends-before": _fixed(N("Une exception finit après avoir commencé."), N("Choisissez une date de fin à venir.")),
    "hold-unknown": _fixed(N("Ces minutes réservées n’existent pas.")),
    "hold-resolved": _fixed(N("Ces minutes réservées ont déjà été comptées ou rendues.")),
    "hold-exceeded": _fixed(N("On ne peut pas compter plus de minutes qu’il n’en a été réservé.")),
    "written-once": _fixed(N("Ce qui est écrit dans les comptes ne se modifie pas."), N("Une erreur se corrige par une autre écriture.")),
    "already-answered": _fixed(N("Une réponse a déjà été donnée."), N("Rechargez la page pour la voir.")),
    "slot-taken": _taken,
    "under-option": _under_option,
    "slot-awaited": _awaited,
    "no-option": _no_option,
    "option-too-late": _fixed(N("C’est trop tard pour une option."), N("Demandez à réserver.")),
    "too-many-options": _too_many_options,
    "still-free": _fixed(N("C’est libre : rien à attendre."), N("Demandez à réserver.")),
    "waits-already": _fixed(N("Vous attendez déjà cela."), N("Votre place est dans « Mes réservations ».")),
    "too-many-wishes": _too_many_wishes,
    "out-of-service": _out_of_service,
    "not-lent-then": _not_lent_then,
    "not-a-slot": _not_a_slot,
    "shorter-than-lent": _shorter,
    "longer-than-lent": _longer,
    "asked-too-late": _asked_too_late,
    "asked-too-early": _asked_too_early,
    "not-installed": _fixed(
        N("Ce service n’est pas encore installé."),
        N("Qui l’installe dit d’abord quel territoire il sert : marronnier install territory."),
    ),
    "least-above-most": _least_above_most,
    "last-before-first": _last_before_first,
    "hours-too-long": _fixed(
        N("Avec toutes ses heures exceptionnelles, cette écriture est trop longue."),
        N("Retirez des jours exceptionnels, ou oubliez-les."),
    ),
    "too-many-at-once": lambda facts: Sentence(
        _("On ne modifie pas plus de %(most)s ressources à la fois.", most=facts["most"]),
        _("Filtrez d’abord la liste, par catégorie, par état, ou par nom de lieu ou de rue."),
    ),
    "numbered-already": _fixed(N("Ce numéro d’inventaire est déjà celui d’autre chose."), N("Vérifiez-le.")),
    "file-incomplete": lambda facts: Sentence(
        _("Le dossier n’est pas complet. Il manque : %(names)s.", names=", ".join(facts.get("missing", ()))),
        _("Un document donné en ligne, ou vu sur papier par le prêteur, complète le dossier."),
    ),
    "document-unreadable": _fixed(
        N("Ce fichier n’est pas un document que l’on sache lire : il est abîmé, trop lourd, ou d’une autre sorte."),
        N("Donnez un PDF, ou une photo nette du papier (JPEG, PNG ou WebP)."),
    ),
    "document-locked": _fixed(
        N("Ce PDF est protégé par un mot de passe."), N("Enregistrez-le sans mot de passe, ou donnez une photo du papier."),
    ),
    "document-too-long": lambda facts: Sentence(
        _("Ce document a trop de pages : %(most)s au plus.", most=facts["most"]), _("Donnez seulement les pages demandées."),
    ),
    "documents-mixed": lambda facts: Sentence(
        _("Donnez un seul PDF, ou bien des photos, %(most)s au plus : une par page.", most=facts["most"]),
    ),
    "document-expired": _fixed(N("Cette date est passée : ce document ne vaut plus."), N("Donnez celui qui vaut aujourd’hui.")),
    "document-undated": _fixed(
        N("Indiquez jusqu’à quand ce document est valable."), N("La date est écrite dessus, souvent en haut ou en bas."),
    ),
    "documents-full": lambda facts: Sentence(
        _("Vous avez déjà donné ce document %(most)s fois en un mois.", most=facts["most"]), _("Écrivez plutôt au prêteur, ou montrez-lui le papier."),
    ),
    "picture-unreadable": _fixed(
        N("Ce fichier n’est pas une photo que l’on sache lire."),
        N("Donnez une photo au format JPEG, PNG ou WebP. Si elle vient d’un iPhone au format HEIC, partagez-la d’abord en JPEG."),
    ),
    "picture-too-large": _picture_too_large,
    "pictures-full": lambda facts: Sentence(
        _("Il y a déjà autant de photos que possible : %(most)s.", most=facts.get("most", 12)), _("Supprimez-en une d’abord.")
    ),
    "damage-uncountable": _fixed(N("Vous n’avez pas de compte dans une même communauté."), N("Donnez plutôt une somme en euros.")),
    "mediates-own": _fixed(N("Vous êtes de l’un des deux côtés : une autre personne doit régler ce désaccord.")),
    "not-later": _fixed(N("Choisissez un moment plus tard que la fin actuelle."), N("Elle est écrite sur la page du prêt.")),
    "extension-waits": _fixed(N("Une prolongation est déjà demandée."), N("Attendez la réponse du prêteur.")),
    "nothing-leaves": _fixed(N("Rien ne part : dites au moins une chose qui est remise."), N("Si personne n’est venu, notez-le plutôt.")),
    "more-than-booked": _more_than_booked,
    "more-than-out": _more_than_out,
    "nothing-back": _fixed(N("Dites au moins une chose qui est rendue, abîmée ou perdue.")),
    "still-out": _fixed(N("Tout ce qui est parti n’est pas encore compté."), N("Rechargez la page pour voir ce qui manque.")),
    "key-out": _fixed(N("Cette clé est déjà sortie."), N("Rechargez la page pour voir qui l’a.")),
    "key-not-there": _fixed(N("Cette clé n’est pas disponible ici."), N("Rechargez la page, puis choisissez dans la liste.")),
    "key-labelled": _fixed(N("Une autre clé porte déjà ce nom."), N("Donnez-lui un autre nom ou un numéro.")),
    "change-waits": _fixed(
        N("Un changement de cette réservation attend déjà une réponse."), N("Répondez-y, ou renoncez-y, avant d’aller plus loin."),
    ),
    "changed-too-late": _fixed(
        N("Le prêt commence dans moins d’un jour : une réservation payée en minutes ne se change plus."),
        N("Annulez-la, ou appelez le prêteur, qui peut vous proposer autre chose."),
    ),
    "already-offered": _fixed(
        N("Quelque chose est déjà proposé à la place de cette réservation."),
        N("Attendez la réponse, ou retirez d’abord ce que vous proposez."),
    ),
    "council-decision-missing": _fixed(
        N("Un tarif public en minutes demande une délibération du conseil : indiquez son numéro et sa date."),
    ),
    "slip-keyed-twice": _fixed(N("Ce bon d’échange a déjà été saisi sous ce numéro.")),
    "too-often": _too_often,
    "weak-password": _weak_password,
    "outline-wrong": _outline,
    "wrong-password": _fixed(N("Ce n’est pas votre mot de passe actuel.")),
    "contact-missing": _fixed(N("Laissez un courriel ou un numéro de téléphone, pour que l’on puisse vous répondre.")),
    "category-exists": _fixed(N("Cette catégorie existe déjà.")),
    "category-unknown": _fixed(N("Choisissez une catégorie de la liste.")),
    "advert-closed": _fixed(N("Cette annonce n’est plus d’actualité.")),
    "user-name-taken": _fixed(N("Cet identifiant est déjà pris."), N("Choisissez-en un autre.")),
    "happens-later": _fixed(N("Cette date n’est pas encore passée."), N("Un échange se déclare une fois qu’il a eu lieu.")),
    "too-old": _fixed(N("Cet échange a plus d’un an : il ne peut plus être déclaré ici."), N("Parlez-en à un administrateur.")),
    "counter-gains": _fixed(
        N("Vous seriez payé par la personne pour qui vous agissez : un autre animateur doit le saisir.")
    ),
    "too-early": _too_early,
    "not-begun": _not_begun,
    "room-alone": _fixed(
        N("Une salle est utilisée dès le début de sa réservation, que l’on vienne ou non : il n’y a pas d’absence à noter."),
    ),
    "pays-themselves": _pays_themselves,
    "with-oneself": _fixed(N("Un échange se fait avec quelqu’un d’autre.")),
    "charter-not-accepted": lambda facts: Sentence(
        _("La charte « %(title)s » n’est pas encore acceptée.", title=facts.get("title", "")),
        _("Lisez-la et acceptez-la, puis refaites la demande."),
    ),
    "circuit-exists": _fixed(
        N("Vous avez déjà un circuit de ce nom."), N("Donnez-lui un autre nom, ou ouvrez celui qui existe.")
    ),
    "not-your-step": lambda facts: Sentence(
        _("Cette demande est à l’étape « %(step)s » : d’autres que vous y répondent.", step=facts["step"]),
        _("Vous la lisez ; elle avance quand ils ont répondu."),
    ),
    "opinion-awaited": lambda facts: Sentence(
        _("L’étape « %(step)s » n’a pas encore donné son avis.", step=facts["step"]),
        _("La décision vient après."),
    ),
    "charter-exists": _fixed(N("Ce lieu a déjà sa charte."), N("Ouvrez-la, et écrivez sa version suivante.")),
    "euros-missing": _euros_missing,
    "more-than-received": _more_than_received,
    "field-unknown": lambda facts: Sentence(
        _("Ligne %(line)s : « {%(name)s} » n’est pas un champ que l’on sache remplir.", line=facts["line"], name=facts["name"]),
        _("Les champs possibles sont dans la liste, sous le texte."),
    ),
    "brace-alone": lambda facts: Sentence(
        _("Ligne %(line)s : une accolade est seule.", line=facts["line"]),
        _("Un champ s’écrit entre deux accolades, comme {demandeur}."),
    ),
    "template-changed": _fixed(
        N("Quelqu’un d’autre a enregistré ce modèle entre-temps."), N("Rechargez la page, et reportez-y ce que vous vouliez changer."),
    ),
    "template-missing": _fixed(N("Aucun modèle de convention ne vaut pour ce prêt."), N("Écrivez-en un, ou étendez un modèle à ce prêt.")),
    "agreement-exists": _fixed(N("Ce prêt a déjà sa convention."), N("Rechargez la page pour la voir.")),
    "agreement-void": _fixed(
        N("Cette convention ne vaut plus : le prêt est annulé ou changé, ou une autre convention la remplace."),
        N("Ouvrez la page du prêt."),
    ),
    "another-text": _fixed(N("Ce n’est pas l’empreinte du texte de cette convention."), N("Relisez la convention, puis acceptez-la avec son empreinte.")),
    "not-your-turn": lambda facts: Sentence(
        _("Le prêteur accepte d’abord.") if facts.get("first") == "lender" else _("Le demandeur accepte d’abord."),
        _("Revenez quand ce sera fait."),
    ),
    "capacity-missing": _fixed(
        N("Indiquez combien de personnes cette salle peut recevoir : sans cela, elle ne peut pas être publiée."),
    ),
    "capacity-above-limit": _above_limit,
    "quantity-missing": _fixed(N("Indiquez combien il y en a.")),
    "parts-fixed": _fixed(
        N("Les parties de cette salle ne se changent plus : elle a déjà été publiée, ou elle fait partie d’une autre."),
        N("Retirez-la, et ajoutez une nouvelle salle."),
    ),
    "nothing-chosen": _fixed(
        N("Aucune ligne n’est choisie : il n’y a rien à importer."),
        N("Choisissez une catégorie, ou cochez des lignes à vérifier."),
    ),
    "import-started": _fixed(
        N("Cet import est déjà lancé : ses choix ne se changent plus."),
        N("Pour corriger, déposez de nouveau le fichier."),
    ),
    "other-unknown": _fixed(N("Choisissez une personne qui a un compte dans cette communauté.")),
    "ends-before-start": _fixed(N("La fin doit venir après le début.")),
    "in-the-past": _fixed(N("Ce moment est déjà passé."), N("Choisissez un moment à venir.")),
    "too-far": _fixed(N("Ce moment est trop lointain : on réserve au plus dix-huit mois à l’avance.")),
    "series-empty": _fixed(N("Aucun jour ne revient avant cette date."), N("Choisissez une date plus lointaine.")),
    "series-too-long": _series_too_long,
    "too-long": _fixed(N("Une réservation dure au plus 31 jours."), N("Faites-en plusieurs.")),
    "invalid": _invalid,
    "hour-missing": _hour_missing,
    "closed": _closed,
    "too-many-people": _too_many,
    "rule-refuses": _rules,
    "borrower-cannot-pay": _fixed(
        N("Le compte du demandeur ne permet plus ce prêt."), N("Prévenez-le, ou refusez la demande en disant pourquoi.")
    ),
    "not-bookable": _fixed(N("Cela ne se réserve pas, ou plus.")),
    "wrong-state": _fixed(N("Ce n’est plus possible pour cette réservation : son état a changé."), N("Rechargez la page.")),
    "token-missing": _fixed(
        N("Il faut une clé d’accès valable."), N("Créez-en une sur la page « Clés d’accès », et joignez-la à chaque demande."),
    ),
    "key-missing": _fixed(
        N("Il manque l’en-tête Idempotency-Key : 1 à 100 caractères, les mêmes quand vous refaites la même demande."),
    ),
    "malformed-json": _fixed(N("Ce n’est pas un texte JSON correct.")),
    "not-json": _fixed(N("Envoyez du JSON, avec l’en-tête Content-Type: application/json.")),
    "too-big": _fixed(N("Cet envoi est trop gros.")),
    "wrong-fields": _fixed(N("Des champs manquent, ou ne sont pas de la forme attendue."), N("Corrigez-les, puis refaites la demande.")),
    "wrong-cursor": _fixed(N("Cette suite de liste n’existe pas."), N("Repartez du début de la liste.")),
}  # fmt: skip


def sentence_of(error: Refused) -> Sentence:
    """The words of a refusal."""
    say = SENTENCES.get(error.rule)
    return say(error.facts) if say else Sentence(_("Ce n’est pas possible : %(rule)s.", rule=error.rule))
