"""What each check verifies, in words."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

CHECKED = {
    "sum-zero": _("Dans chaque communauté, la somme des comptes est zéro"),
    "balances": _("Chaque solde est celui de ses mouvements"),
    "lines": _("Sur chaque compte, les lignes se suivent : numéros, soldes, dates d’enregistrement"),
    "entries": _("Chaque écriture a ses mouvements, un jour passé, et ses mots d’origine"),
    "corrections": _("Chaque correction est le miroir de ce qu’elle corrige"),
    "holds": _("Chaque réserve de minutes a été comptée ou rendue au plus une fois, comme convenu"),
    "held": _("Les minutes réservées de chaque compte sont celles de ses réserves en cours"),
    "floors": _("Aucune écriture n’est passée sous la limite qui valait ce jour-là"),
    "limits": _("Chaque compte connaît la limite qui vaut pour lui"),
    "accounts": _("Chaque ouverture et chaque clôture de compte est gardée"),
    "declarations": _("Chaque échange confirmé a son écriture, telle que déclarée"),
    "exchanges": _("Chaque écriture d’échange vient d’une déclaration confirmée"),
    "loans": _("Chaque prêt accepté a ses minutes réservées"),
    "followed": _("Aucune minute ne reste réservée pour un prêt fini"),
    "leaves": _("Chaque ligne scellée est celle qui est dans les comptes"),
    "sealed": _("Aucune ligne n’a échappé au sceau"),
    "heads": _("Chaque signature est celle de ses lignes, par une clé du livre"),
    "mandates": _("Chaque écriture a été saisie par une personne qui en avait le mandat"),
}
