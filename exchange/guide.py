"""Help: a few sentences under each screen where people hesitate, and first steps for each role."""

from __future__ import annotations

from typing import NamedTuple

from flask import Flask, render_template, request
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from flask_login import current_user

from exchange.security import held

# endpoint -> what is asked most about this screen
OF_SCREENS: dict[str, tuple[LazyString, ...]] = {
    "declarations.new": (
        _("Une heure vaut une heure, quel que soit le service. Comptez le temps passé ensemble ; pour un objet, mettez-vous d’accord sur un temps."),
        _("Vous avez été aidé : les minutes passent tout de suite de votre compte à celui de l’autre. Vous avez aidé : l’autre personne confirme d’abord."),
        _("Écrivez la durée comme vous la dites : 1h30, 45 min, 2 heures."),
    ),
    "declarations.show": (
        _("Tant que personne n’a répondu, rien n’a bougé. Sans réponse à temps, la déclaration se ferme d’elle-même."),
        _("Une erreur dans un échange déjà écrit ? Demandez à un trésorier : il la corrige par une autre écriture, et rien ne s’efface."),
    ),
    "statements.show": (
        _("Un solde sous zéro n’est pas une dette d’argent : vous avez reçu plus d’aide que vous n’en avez donné, pour l’instant."),
        _("La somme des comptes de tout le groupe est toujours zéro : ce que l’un gagne, un autre l’a donné."),
        _("« Preuve de la ligne » donne un petit fichier qui montre, sans nous croire sur parole, que cette ligne est dans le livre du groupe."),
    ),
    "statements.mine": (
        _("Vous agissez pour plusieurs comptes : le vôtre, et celui de chaque structure dont vous êtes délégué. Ils ne se mélangent pas."),
    ),
    "adverts.search": (
        _("Les mots se cherchent sans les accents ni les pluriels : « jardins » trouve « jardinage »."),
        _("Écrivez à la personne depuis son annonce : elle reçoit un courriel, et votre adresse n’est pas montrée."),
    ),
    "adverts.new": (
        _("Une annonce par idée, avec un titre que l’on comprend seul : « Ourlets et retouches », « Qui m’apprend à greffer un pommier ? »"),
        _("Vous pourrez la modifier ou la retirer quand vous voudrez."),
    ),
    "bookings.search": (
        _("Le jour et les heures ne laissent que ce qui est libre ; un jour sans heures montre ce qu’il en reste ; sans jour, tout ce qui se prête."),
        _("Un nombre de personnes ne garde que les salles assez grandes."),
    ),
    "bookings.on_map": (
        _("Un numéro est un lieu : il mène à ce qui s’y prête, dans la liste. Des lieux trop proches pour le doigt sont comptés ensemble ; agrandissez la carte pour les voir séparés."),
        _("Ce que les voisins prêtent est dans la liste, sans point sur la carte : c’est chez eux."),
    ),
    "bookings.resource": (
        _("Appuyez sur « Libre » dans la semaine pour demander ce moment. Les personnes qui ont réservé ne sont jamais nommées."),
    ),
    "bookings.day": (
        _("Appuyez sur « Libre » pour demander ce moment. « Mois » montre d’un coup d’œil les jours où il reste de la place."),
    ),
    "bookings.month": (
        _("« En partie » : il reste des heures ce jour-là. Appuyez dessus pour les voir."),
    ),
    "bookings.lender_week": (
        _("Imprimée, cette page tient en travers d’une feuille A4, sans le menu : choisissez le lieu et le premier jour, puis imprimez."),
        _("Seul le prêteur voit qui a réservé, et pour quoi. La feuille à afficher sur la porte n’a pas les noms."),
    ),
    "feeds.index": (
        _("Chaque agenda a son adresse : le vôtre, et celui de chaque structure pour qui vous agissez. Votre téléphone vient lire ce qui a changé, plusieurs fois par jour."),
        _("Quand vous n’agissez plus pour une structure, son agenda se ferme de lui-même pour vous."),
    ),
    "bookings.new": (
        _("Avant d’envoyer, une page vous dit ce que cela coûte et quelles règles s’appliquent."),
        _("Au nom d’une structure, les conditions ne sont pas toujours celles d’une personne : choisissez bien « Au nom de qui »."),
    ),
    "bookings.show": (
        _("Prévenez dès que vous n’en avez plus besoin : le créneau sert à quelqu’un d’autre, et les minutes réservées vous reviennent si c’est à temps."),
    ),
    "bookings.new_wish": (
        _("Votre place compte dès maintenant. Quand votre tour vient, vous recevez un courriel, et cela vous est gardé un temps : dites oui ou non, même si c’est non."),
        _("Si le créneau est seulement sous option, la personne qui hésite est prévenue : elle a quelques jours pour confirmer."),
    ),
    "bookings.wishes_": (
        _("On est servi dans l’ordre des inscriptions, dès que toute la demande tient. Une demande plus petite passe avant la vôtre seulement si la vôtre ne tient pas encore."),
    ),
    "bookings.waiting_": (
        _("Vous ne changez pas cet ordre. Une option, ou ce qui est gardé pour quelqu’un, se refuse comme une demande : avec un motif, que la personne lira."),
    ),
    "bookings.requests": (
        _("Les demandes sont dans l’ordre où elles sont arrivées. Pendant qu’une demande attend, son créneau est gardé."),
    ),
    "bookings.request_": (
        _("Accepter garde le créneau et réserve les minutes. Refuser demande un motif, que la personne lira."),
        _("La remise, puis le retour, se notent ici : c’est le retour qui termine le prêt et compte les minutes."),
    ),
    "bookings.handing_over": (
        _("C’est rempli comme réservé : changez seulement ce qui diffère, par exemple 18 chaises au lieu de 20. Le reste redevient libre."),
        _("Sur place, scannez l’étiquette de l’objet avec l’appareil photo de votre téléphone : sa page vous propose la remise ou le retour."),
    ),
    "bookings.taking_back": (
        _("C’est rempli comme si tout revenait en bon état. Il manque quelque chose ? Notez ce qui revient aujourd’hui ; le prêt reste ouvert pour le reste."),
        _("Ce qui est abîmé ou perdu sort du stock tout de suite : vous le retrouvez dans « Fermé pour un temps », et l’y rouvrez une fois réparé ou retrouvé."),
    ),
    "bookings.extending_": (
        _("Demandez avant la fin : en retard, c’est encore possible, mais une autre personne attend peut-être."),
    ),
    "bookings.extending_for": (
        _("Prolonger vérifie toutes les règles de nouveau. Si quelqu’un suit, proposez-lui d’abord autre chose depuis la liste."),
        _("Tant qu’un prêt est en retard, personne d’autre ne peut le demander pour les sept jours qui viennent, jusqu’à la prochaine réservation acceptée."),
    ),
    "bookings.pictures": (
        _("Une photo au départ et une au retour évitent bien des discussions. Elles ne sont montrées qu’à vous et à qui emprunte."),
    ),
    "bookings.new_damage": (
        _("Les minutes sont le temps de réparer ; les euros se paient ailleurs et sont seulement notés. Donnez l’un ou l’autre."),
    ),
    "bookings.open_damages": (
        _("Tant que la personne n’a pas répondu, rien n’est dû. Contesté, l’animateur de la communauté règle ; sans communauté, notez ce dont vous convenez."),
    ),
    "bookings.disputes": (
        _("Vous pouvez maintenir, baisser ou abandonner. Les minutes maintenues ne partent que quand leur titulaire les donne."),
    ),
    "bookings.dispute": (
        _("Votre phrase est lue par les deux côtés : dites ce que vous avez entendu, et pourquoi vous décidez ainsi."),
    ),
    "keys.index": (
        _("Donnez à chaque clé le nom qui est écrit dessus. À la remise, celles qui ouvrent la salle sont proposées d’abord."),
    ),
    "keys.show": (
        _("Une clé perdue n’est plus proposée. Une clé qui ne sert plus se retire ; qui l’a eue reste noté."),
    ),
    "catalogue.index": (
        _("Ce qui vient d’un tableur n’est pas public : vérifiez, complétez, puis publiez ce qui est coché."),
        _("« Ne plus publier » retire de la recherche pour un temps ; « Ne plus prêter » pour de bon, sans rien effacer de ce qui a été prêté."),
    ),
    "imports.index": (
        _("Un fichier CSV ou un export de votre tableur suffit, avec ses propres titres de colonnes : la page suivante vous montre ce qui a été compris avant de rien écrire."),
    ),
    "members.counter": (
        _("Les premières lettres du nom suffisent. Tout ce que vous faites pour une personne porte aussi votre nom, et elle le voit sur son relevé."),
        _("Qui a son propre accès paie et confirme soi-même : vous pouvez l’aider à le faire, pas le faire à sa place."),
    ),
    "audit.trial_balance": (
        _("Choisissez un jour passé pour lire les soldes tels qu’ils étaient ce soir-là."),
        _("Un compte hors de ses limites n’est pas une faute : une correction ou une nouvelle limite peut l’y mettre. Il ne peut alors que revenir."),
    ),
    "audit.entry": (
        _("Une écriture ne se modifie pas et ne s’efface pas. Une correction écrit l’inverse, une fois, avec sa raison."),
    ),
    "audit.verification": (
        _("Ce contrôle ne croit rien de ce qui est affiché : il refait chaque solde, chaque limite et chaque sceau à partir des écritures."),
        _("Pour vérifier sans ce serveur, prenez le livre entier sur la page « Les comptes scellés »."),
    ),
    "stewardship.levy": (
        _("Tout est écrit d’un coup, ou rien : avant d’écrire, une page montre qui serait refusé, et pourquoi."),
    ),
    "stewardship.months": (
        _("Clore un mois fixe ses chiffres. Ce qui est saisi ensuite pour un jour d’un mois clos compte dans le premier mois encore ouvert, comme arrivé tard."),
    ),
    "seals.index": (
        _("Gardez la signature du jour, où vous voulez. Plus tard, elle permet à n’importe qui de montrer si le passé a été changé."),
    ),
    "members.tokens": (
        _("Une clé permet à un programme d’agir en votre nom : ne la donnez à personne. Vous pouvez la retirer à tout moment."),
    ),
    "adverts.show": (
        _("Écrivez ici plutôt que de chercher un numéro : la personne reçoit un courriel, et votre conversation reste dans « Messages »."),
    ),
    "adverts.thread": (
        _("Quand vous avez échangé, déclarez-le : c’est ce qui compte les minutes, la conversation ne le fait pas."),
    ),
    "audit.account": (
        _("Le solde est la somme des mouvements qui précèdent : chaque ligne porte celui d’après elle."),
    ),
    "audit.entries": (
        _("Cherchez par numéro, par nom, par jour ou par nature. Une correction porte le numéro de ce qu’elle corrige."),
    ),
    "audit.exceptions": (
        _("Ce qui sort de l’ordinaire est ici pour être relu à plusieurs : qui l’a décidé, quand, pourquoi, jusqu’à quand."),
    ),
    "audit.letters": (
        _("Une lettre qui n’a pas pu partir est gardée : appelez la personne, ou corrigez son adresse."),
    ),
    "bookings.mine": (
        _("Ce que vous avez demandé plusieurs fois est sur une seule ligne ; ouvrez-la pour voir chaque jour."),
    ),
    "bookings.week": (
        _("Appuyez sur un jour libre pour voir la salle heure par heure. « Pris » n’est pas toujours accepté : une demande qui attend garde son moment."),
    ),
    "bookings.new_series": (
        _("Dites la première fois, puis comment cela revient. Les jours pris, fermés ou de congé seront montrés : rien n’est demandé avant que vous ayez choisi."),
    ),
    "bookings.show_series": (
        _("Chaque jour se décide et s’annule à part. Annuler tout ne touche pas ce qui a déjà eu lieu."),
    ),
    "bookings.answer_many": (
        _("Chaque demande cochée reçoit sa réponse et sa lettre. Ce qui n’a pas pu être accepté est dit, et reste à décider."),
    ),
    "bookings.asked_series": (
        _("Tout accepter, tout refuser, ou ouvrir un jour pour en décider à part. Un jour que les règles refusent reste en attente et vous est dit."),
    ),
    "bookings.decided": (
        _("Ce qui a été décidé ne se décide plus ; ouvrez-le pour noter une remise, un retour, ou proposer autre chose."),
    ),
    "bookings.closed": (
        _("Fermer ne retire rien à personne : les réservations touchées vous sont montrées, et vous proposez autre chose à chacun."),
    ),
    "bookings.closing": (
        _("Le dernier jour est compris. Sans dernier jour, c’est fermé jusqu’à ce que vous le rouvriez. Une salle ferme avec ses moitiés."),
    ),
    "bookings.closure": (
        _("Rouvrir rend tout de suite à nouveau possible de réserver. Ce que vous avez déjà déplacé reste déplacé."),
    ),
    "bookings.offering": (
        _("Ce que vous proposez est gardé jusqu’à la réponse. Si la personne dit non, sa réservation reste comme elle est."),
    ),
    "bookings.revoking": (
        _("Annulez seulement quand rien d’autre ne convient : la personne reçoit le motif, ses minutes, et les voies de recours."),
    ),
    "catalogue.special_hours": (
        _("Ces heures ne valent que ce jour-là ; le lendemain, les heures habituelles reviennent."),
        _("Une réservation déjà acceptée le reste, même si vous ouvrez moins longtemps ce jour-là : prévenez la personne."),
    ),
    "agreements.index": (
        _("Un modèle s’écrit une fois ; chaque prêt qu’il concerne a ensuite sa convention, avec son numéro, que les deux côtés acceptent l’un après l’autre."),
        _("Quand une réservation est changée ou annulée, sa convention le dit ; faites-en une autre pour ce qui la remplace."),
    ),
    "agreements.new_template": (
        _("Écrivez comme dans une lettre. Un mot entre accolades devient le nom, le jour ou le lieu de chaque prêt ; « Aperçu » le montre pour une vraie réservation, sans rien enregistrer."),
    ),
    "agreements.edit_template": (
        _("Ce qui a déjà été accepté garde ses mots. Pour ne plus vous servir d’un modèle, choisissez « Plus aucun prêt »."),
    ),
    "agreements.of_loan": (
        _("Qui n’a pas d’accès au site signe sur papier : imprimez la convention, puis notez ici qui a signé, et quel jour."),
    ),
    "agreements.show": (
        _("Accepter en ligne garde votre nom, la date, et la phrase que vous acceptez. Le papier se télécharge à tout moment."),
    ),
    "agreements.euros": (
        _("Le service n’encaisse rien. Notez le chèque quand vous l’avez en main, puis, après le prêt, que vous l’avez rendu, ou ce que vous en gardez et pourquoi."),
        _("Chaque somme a son reçu numéroté, que l’emprunteur peut imprimer aussi."),
    ),
    "agreements.paid": (
        _("Les euros se règlent auprès du prêteur, qui note ici ce qu’il a reçu et rendu. S’il manque quelque chose, appelez-le."),
    ),
    "documents.index": (
        _("Un document donné une fois sert pour toutes les réservations de la même personne ou structure, jusqu’à sa date de fin."),
        _("Les demandes se décident dans l’ordre où les dossiers sont complets. Ce que vous demandez aujourd’hui ne change rien aux demandes déjà faites."),
    ),
    "documents.new": (
        _("Demandez le moins possible : chaque document est une démarche de plus. « À vérifier par nous » ajoute un clic pour vous, et un délai pour eux."),
    ),
    "bookings.request_paper": (
        _("« C’est le bon » compte pour toutes les réservations de cette personne. Un refus dit pourquoi, et part par courriel."),
        _("Si l’on vous apporte le papier, notez que vous l’avez vu : il n’y a rien à numériser."),
    ),
    "bookings.giving_document": (
        _("Avec un téléphone : posez le papier à plat, à la lumière, et appuyez sur le bouton du fichier pour le prendre en photo."),
    ),
    "bookings.my_documents": (
        _("Remplacez un document quand vous recevez le suivant, sans attendre la fin de l’ancien."),
    ),
    "charters.index": (
        _("La charte s’affiche dans le formulaire de demande, avec une case à cocher. Un lieu qui a la sienne ne demande que celle-là."),
    ),
    "charters.new": (
        _("Quelques lignes que l’on lit vraiment valent mieux qu’un règlement de dix pages."),
    ),
    "charters.edit": (
        _("Pour corriger une faute sans rien redemander à personne, attendez la prochaine vraie version : chaque enregistrement est à accepter de nouveau."),
    ),
    "circuits.index": (
        _("Un circuit, c’est la suite des personnes qui répondent à une demande. Chacune est avertie par courriel quand c’est son tour."),
        _("Une demande garde le circuit qui existait quand elle a été faite."),
    ),
    "circuits.new": (
        _("Une seule étape suffit pour réserver la décision à quelques personnes. Si plus aucune n’est en poste, tout le service peut répondre : rien ne reste bloqué."),
    ),
    "circuits.edit": (
        _("Quelqu’un part ou arrive : cochez et décochez ici. Les demandes qui attendent à cette étape passent aussitôt à la nouvelle personne."),
    ),
    "authorisations.index": (
        _("Une autorisation compte le jour du prêt : si elle finit avant, la demande est refusée et dit pourquoi."),
        _("La donner de nouveau remplace la précédente, avec sa propre date de fin."),
    ),
    "catalogue.edit": (
        _("Ce que vous changez vaut pour les demandes à venir ; ce qui est déjà réservé garde ses conditions."),
    ),
    "catalogue.edit_many": (
        _("Rien ne change avant la dernière page, qui dit pour combien de ressources, et ce qui s’y oppose. Alors tout change, ou rien."),
        _("Si un collègue change autre chose pendant ce temps, ce qu’il a écrit reste."),
    ),
    "catalogue.new": (
        _("Le nom et, pour une salle, le nombre de personnes suffisent pour commencer. Rien n’est public avant que vous le publiiez."),
    ),
    "imports.columns": (
        _("Dites ce que veut dire chaque colonne. Le choix est retenu : le prochain fichier du même genre sera compris tout seul."),
    ),
    "imports.show": (
        _("Une ligne en erreur n’empêche pas les autres. Corrigez le tableur et déposez-le de nouveau : ce qui est déjà là n’est pas doublé."),
    ),
    "lending.begin": (
        _("Un nom que tout le monde comprend suffit. Une photo, prise avec le téléphone, dit le reste."),
        _("Vous prêtez à qui vous voulez : chaque demande attend votre réponse, sauf si vous préférez accepter d’avance."),
    ),
    "lending.terms": (
        _("Le jour, l’heure et la durée se changent quand vous voulez ; ce qui est déjà accepté garde ses conditions."),
        _("Votre rue n’est jamais montrée : ni dans la recherche, ni sur la carte. Seule la commune l’est."),
    ),
    "labels.index": (
        _("Imprimez sans réduire ni agrandir, sur une planche du commerce. Une planche entamée se reprend à n’importe quelle étiquette."),
    ),
    "members.applications": (
        _("La première demande est la plus ancienne. Chacun reçoit une réponse, aussi pour un refus."),
    ),
    "members.application": (
        _("Accepter ouvre un compte à zéro et envoie un lien pour choisir un mot de passe. Sans courriel, le comptoir aidera."),
    ),
    "members.card": (
        _("Imprimez-la, ou montrez-la sur votre téléphone : elle ne donne accès à rien d’autre qu’à déclarer un échange avec vous."),
    ),
    "members.directory": (
        _("Chacun choisit ce qu’il montre : s’il manque un téléphone, écrivez par une annonce."),
    ),
    "members.edit": (
        _("Ce qui n’est pas coché n’est vu que par vous et par ceux qui administrent le groupe."),
    ),
    "members.me": (
        _("« Me déconnecter partout ailleurs » ferme vos autres téléphones et ordinateurs : utile quand on en a perdu un."),
    ),
    "members.join": (
        _("Un courriel ou un téléphone suffit. Personne d’autre que les administrateurs ne lit ce que vous écrivez ici."),
    ),
    "pictures.index": (
        _("La première photo est celle que montrent les listes. Pour changer l’ordre, supprimez et ajoutez de nouveau."),
    ),
    "rulebook.index": (
        _("Une règle ne se modifie pas : on lui donne une fin, et on en écrit une autre. Ce qui est déjà demandé garde la sienne."),
    ),
    "rulebook.new": (
        _("Un tarif dit combien de minutes ; une condition dit qui peut demander. Plusieurs conditions doivent toutes être remplies."),
    ),
    "reports.loans": (
        _("Seuls comptent les prêts qui ont eu lieu. Ce qui a été annulé ou refusé n’y est pas ; ce que personne n’est venu chercher est compté à part."),
        _("Les habitants sont comptés ensemble, sans leur nom : ce document peut être joint aux comptes."),
    ),
    "reports.use": (
        _("L’occupation est la part des heures ouvertes qui ont été prises, fermetures pour travaux déduites. Une salle en deux moitiés est prise quand l’une d’elles l’est."),
    ),
    "reports.refusals": (
        _("Comparez la part refusée de chacun : l’accès doit être égal pour tous. Le texte de chaque refus est celui que la personne a reçu."),
    ),
    "reports.rates": (
        _("Un taux se compte par heure, par demi-journée (matin ou après-midi, séparés à 13 h) ou par jour entamé. Pour un lot, il vaut pour chaque pièce."),
    ),
    "reports.statement": (
        _("C’est la valeur que la collectivité donne à ses prêts, pour vos comptes annuels : rien n’est à payer."),
    ),
    "security.login": (
        _("L’identifiant est souvent prénom.nom. Perdu ? « J’ai oublié mon mot de passe, ou mon identifiant » les renvoie par courriel."),
    ),
    "statements.year": (
        _("Chaque image a son tableau : ouvrez « Voir les chiffres »."),
    ),
    "stewardship.correct": (
        _("La correction écrit l’inverse, en entier, et les deux écritures restent lisibles. Pour un autre montant, corrigez puis faites déclarer le bon échange."),
    ),
    "stewardship.limits": (
        _("Une nouvelle limite vaut pour la suite. Un compte qui la dépasse déjà ne peut plus que revenir."),
    ),
    "stewardship.exception": (
        _("Une exception a une fin : passé ce jour, le compte retrouve les limites de tous."),
    ),
    "stewardship.leave": (
        _("Prévenez d’abord la personne. Son compte ne peut plus que revenir vers zéro ; à zéro, il se clôt."),
    ),
    "stewardship.settle": (
        _("Deux administrateurs : l’un propose, l’autre approuve. Le reste passe au compte commun, ou en vient."),
    ),
}  # fmt: skip

# what shows a screen again, or one like it: a form that was refused needs its help most
AS_ON = {
    "adverts.threads": "adverts.thread",
    "declarations.check": "declarations.new",
    "declarations.create": "declarations.new",
    "bookings.check": "bookings.new",
    "bookings.join": "bookings.new_wish",
    "bookings.confirm_option": "bookings.show",
    "bookings.create": "bookings.new",
    "bookings.check_series": "bookings.new_series",
    "bookings.create_series": "bookings.new_series",
    "bookings.accept": "bookings.request_",
    "bookings.decline": "bookings.request_",
    "bookings.decide_many": "bookings.answer_many",
    "bookings.decline_series": "bookings.asked_series",
    "bookings.check_closing": "bookings.closing",
    "bookings.close": "bookings.closing",
    "bookings.offer": "bookings.offering",
    "bookings.revoke": "bookings.revoking",
    "reports.write_rate": "reports.rates",
    "catalogue.create": "catalogue.new",
    "catalogue.update": "catalogue.edit",
    "catalogue.edit_ticked": "catalogue.edit_many",
    "catalogue.check_many": "catalogue.edit_many",
    "catalogue.change_many": "catalogue.edit_many",
    "catalogue.add_special_hours": "catalogue.special_hours",
    "agreements.receive": "agreements.euros",
    "agreements.end_receipt": "agreements.euros",
    "documents.create": "documents.new",
    "documents.edit": "documents.new",
    "documents.rewrite": "documents.new",
    "bookings.give_document": "bookings.giving_document",
    "bookings.refuse_paper": "bookings.request_paper",
    "bookings.note_paper_seen": "bookings.request_paper",
    "charters.create": "charters.new",
    "charters.rewrite": "charters.edit",
    "circuits.create": "circuits.new",
    "circuits.settle": "circuits.edit",
    "agreements.write_template": "agreements.new_template",
    "agreements.rewrite_template": "agreements.edit_template",
    "agreements.make": "agreements.of_loan",
    "agreements.note_paper": "agreements.of_loan",
    "agreements.accept_": "agreements.show",
    "authorisations.give": "authorisations.index",
    "rulebook.create": "rulebook.new",
    "pictures.create": "pictures.index",
    "bookings.hand_over": "bookings.handing_over",
    "bookings.take_back": "bookings.taking_back",
    "bookings.add_picture": "bookings.pictures",
    "bookings.extend": "bookings.extending_",
    "bookings.extend_for": "bookings.extending_for",
    "bookings.grant_extension": "bookings.extending_for",
    "bookings.decline_extension": "bookings.extending_for",
    "bookings.propose_damage": "bookings.new_damage",
    "bookings.mediate": "bookings.dispute",
    "keys.create": "keys.index",
    "keys.update": "keys.show",
    "imports.create": "imports.index",
    "imports.map_columns": "imports.columns",
}


class Tour(NamedTuple):
    """The first steps of a role, in order."""

    roles: tuple[str, ...]
    title: LazyString
    steps: tuple[LazyString, ...]


TOURS = (
    Tour(("visitor",), _("Vous découvrez"), (
        _("Lisez sans compte ce qui se prête, et quand c’est libre ; les structures ont leur page."),
        _("Pour échanger des services ou réserver, demandez à rejoindre le groupe : on vous répond par courriel, avec un lien pour choisir un mot de passe."),
        _("Vous représentez une structure ? Dites-le dans votre demande : on vous fera son délégué."),
    )),
    Tour(("member",), _("Vous êtes membre"), (
        _("Regardez les annonces : qui propose, qui cherche. Écrivez à quelqu’un, ou publiez la vôtre."),
        _("Quand on vous a aidé, déclarez l’échange : les minutes passent de votre compte au sien. Quand vous avez aidé, déclarez-le aussi : l’autre personne confirme."),
        _("Votre compte peut passer sous zéro : on commence souvent par recevoir. La limite est écrite sous votre solde."),
        _("Pour une salle ou un outil, dites le jour et l’heure : ce qui est libre s’affiche, et vous demandez à réserver."),
        _("Vous avez une échelle, une remorque, un jeu ? « Prêter quelque chose », sur l’accueil, le propose à vos voisins."),
        _("Au marché, montrez votre carte : qui la scanne déclare un échange avec vous. Elle est dans « Mon profil »."),
    )),
    Tour(("delegate",), _("Vous êtes délégué d’une structure"), (
        _("Son compte est dans « Mes comptes », à côté du vôtre ; vous déclarez et confirmez pour elle."),
        _("Pour réserver en son nom, choisissez-la dans « Au nom de qui »."),
        _("Sa page publique dit ce qu’elle fait et à qui écrire : tenez-la à jour depuis « Structures »."),
    )),
    Tour(("facilitator",), _("Vous tenez le comptoir"), (
        _("Cherchez la personne par les premières lettres de son nom, puis déclarez ou publiez pour elle."),
        _("Votre nom reste écrit à côté du sien, et elle le voit sur son relevé."),
        _("Vous ne pouvez ni payer pour qui a son propre accès, ni vous payer depuis le compte d’une personne que vous aidez."),
    )),
    Tour(("officer",), _("Vous gérez des salles et du matériel"), (
        _("Dans « Ce que nous prêtons », ajoutez vos salles et vos objets un par un, ou par un tableur, puis publiez-les."),
        _("Écrivez vos règles : qui paie combien de minutes, qui peut emprunter, combien de temps à l’avance."),
        _("Répondez aux demandes dans leur ordre ; un refus dit son motif."),
        _("Le jour venu, notez la remise, puis le retour. Si personne n’est venu, notez-le aussi."),
        _("Dans « Bilans », écrivez les taux votés par le conseil : la liste des prêts de l’année, avec leur valeur, s’imprime pour les comptes."),
    )),
    Tour(("treasurer", "auditor"), _("Vous tenez ou vérifiez les comptes"), (
        _("« Les comptes » montre tous les soldes ; leur somme est toujours zéro."),
        _("Chaque écriture dit qui l’a saisie, pour qui, et d’où elle vient. Une erreur se corrige par une autre écriture, avec sa raison."),
        _("« Tout recalculer » refait tout à partir des écritures : chaque nuit, et quand vous voulez."),
        _("Gardez les lettres qui portent la tête du livre : elles permettent de prouver que le passé n’a pas changé."),
    )),
    Tour(("administrator",), _("Vous administrez le groupe"), (
        _("Répondez aux demandes d’adhésion : accepter ouvre un compte, et envoie un lien pour choisir un mot de passe."),
        _("Fixez les limites des comptes, et les exceptions, avec leurs dates et leur raison."),
        _("Pour un départ : notez-le, laissez le solde revenir vers zéro ; s’il reste quelque chose, deux administrateurs le soldent."),
        _("L’accueil vous dit ce qui demande votre attention : demandes, limites, lettres perdues, comptes qui ne concordent pas."),
    )),
)  # fmt: skip


def page() -> str:
    """First steps: those of one's own roles, then the others'."""
    roles = {mandate.role for mandate in held()} if current_user.is_authenticated else {"visitor"}
    mine = [tour for tour in TOURS if roles & {*tour.roles}]
    return render_template("help.html", mine=mine, others=[tour for tour in TOURS if tour not in mine and "visitor" not in tour.roles])


def here(endpoint: str) -> tuple[LazyString, ...]:
    """What is said under the screen of an endpoint."""
    return OF_SCREENS.get(AS_ON.get(endpoint, endpoint), ())


def init(app: Flask) -> None:
    """Bind to the application."""
    app.add_url_rule("/aide", "help", page)
    app.context_processor(lambda: {"help_here": here(request.endpoint or "")})
