"""What an import has to say to people: a code and its figures here, the sentence in one table.

The codes are for programs, the sentences for the officer. The sentences are msgids in French: the
edge translates them, the command line prints them as they are.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Reason:
    """One thing to say about a file or a line: its code, the words it quotes, the field it concerns."""

    code: str
    params: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    field: str | None = None


class RefusedError(Exception):
    """A whole file or mapping that can't be used; `reason` says why, for people."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(sentence(reason))
        self.reason = reason


def sentence(reason: Reason) -> str:
    """The reason in French words."""
    return SENTENCES[reason.code] % reason.params


def N_(msgid: str) -> str:  # noqa: N802 - the name that extractors of messages look for
    """Mark a sentence for translation and leave it as it is: this module knows no language but its own."""
    return msgid


SENTENCES: Final[Mapping[str, str]] = {
    # The file can't be read at all.
    "file-empty": N_("Le fichier est vide."),
    "file-too-big": N_("Le fichier pèse plus de %(limit)s Mo. Coupez-le en plusieurs fichiers."),
    "file-excel": N_(
        "C’est un classeur Excel (.xlsx). Ouvrez-le dans votre tableur, choisissez « Enregistrer sous », "
        "puis le format CSV, et déposez ce nouveau fichier."
    ),
    "file-excel-old": N_(
        "C’est un ancien document Excel ou Word (.xls, .doc). Ouvrez-le dans votre tableur, choisissez "
        "« Enregistrer sous », puis le format CSV, et déposez ce nouveau fichier."
    ),
    "file-opendocument": N_(
        "C’est un classeur LibreOffice (.ods). Ouvrez-le dans votre tableur, choisissez « Enregistrer sous », "
        "puis le format CSV, et déposez ce nouveau fichier."
    ),
    "file-archive": N_("C’est une archive compressée. Ouvrez-la, puis déposez le fichier CSV qu’elle contient."),
    "file-pdf": N_(
        "C’est un document PDF, pas un tableau. Demandez le tableur d’origine et enregistrez-le au format CSV."
    ),
    "file-image": N_("C’est une image, pas un tableau. Déposez un fichier CSV."),
    "file-web-page": N_("C’est une page web, pas un tableau. Téléchargez le fichier CSV lui-même."),
    "file-rich-text": N_("C’est un document de traitement de texte, pas un tableau. Déposez un fichier CSV."),
    "file-utf16": N_(
        "Le fichier est enregistré en « texte Unicode » (UTF-16). Enregistrez-le de nouveau, "
        "en choisissant « CSV UTF-8 »."
    ),
    "file-binary": N_("Ce fichier n’est pas du texte : il contient des octets nuls. Déposez un fichier CSV."),
    "encoding-unknown": N_(
        "Les lettres accentuées de ce fichier ne sont pas reconnues. Enregistrez-le de nouveau, "
        "en choisissant « CSV UTF-8 »."
    ),
    "delimiter-unknown": N_("Le séparateur choisi n’est ni la virgule, ni le point-virgule, ni la tabulation."),
    "too-many-lines": N_("Le fichier a plus de %(limit)s lignes. Coupez-le en plusieurs fichiers."),
    "too-many-columns": N_("Le fichier a %(count)s colonnes ; il en faut au plus %(limit)s."),
    "header-unreadable": N_("La ligne des titres (ligne %(line)s) est illisible. Corrigez-la dans votre tableur."),
    "header-only": N_("Le fichier ne contient que la ligne des titres : il n’y a rien à importer."),
    # The mapping can't be used.
    "mapping-not-json": N_("La correspondance des colonnes n’est pas un document JSON lisible."),
    "mapping-not-pairs": N_(
        "La correspondance des colonnes doit donner, pour chaque information, le nom d’une colonne."
    ),
    "mapping-kind-unknown": N_("« %(kind)s » n’est ni un lieu (place-with-room) ni du matériel (thing)."),
    "mapping-field-unknown": N_("« %(field)s » n’est pas une information que l’on sait importer."),
    "mapping-column-missing": N_("La colonne « %(column)s » n’existe pas dans ce fichier."),
    "mapping-name-missing": N_("Indiquez quelle colonne contient le nom."),
    # Notes on the table as a whole.
    "header-duplicated": N_("Plusieurs colonnes s’appellent « %(column)s » ; la suivante est nommée « %(renamed)s »."),
    "header-empty": N_("La colonne %(position)s n’a pas de titre ; elle est nommée « %(renamed)s »."),
    # A line that can't be read.
    "line-too-long": N_("Il y a trop de cellules : %(count)s au lieu de %(expected)s."),
    "line-too-short": N_("Il manque des cellules : %(count)s au lieu de %(expected)s."),
    "line-too-wide": N_("La ligne a plus de %(limit)s cellules."),
    "quote-unclosed": N_("Un guillemet est ouvert et jamais refermé."),
    "quote-misplaced": N_("Un guillemet est mal placé : doublez-le s’il fait partie du texte."),
    "cell-too-long": N_("Une cellule dépasse %(limit)s caractères."),
    "line-bad-bytes": N_(
        "La ligne contient des lettres illisibles, écrites dans un autre codage que le reste du fichier."
    ),
    # A line in error.
    "reference-missing": N_(
        "La référence (colonne « %(column)s ») manque : sans elle, la ligne serait créée deux fois."
    ),
    "reference-twice": N_(
        "La référence « %(reference)s » est déjà celle de la ligne %(line)s, dont le contenu est différent."
    ),
    "likeness-twice": N_(
        "Même nom et même lieu qu’à la ligne %(line)s, mais le reste diffère. "
        "Donnez à chacune une référence ou un numéro d’inventaire."
    ),
    "name-missing": N_("Le nom (colonne « %(column)s ») manque."),
    "text-too-long": N_("« %(column)s » compte %(length)s caractères ; il en faut au plus %(limit)s."),
    "quantity-wrong": N_("La quantité « %(text)s » n’est pas un nombre entier entre 1 et %(limit)s."),
    "inventory-range": N_(
        "« %(text)s » désigne une suite de numéros : écrivez-les un par un, séparés par des virgules."
    ),
    "inventory-twice": N_("Le numéro d’inventaire « %(number)s » est donné deux fois dans la ligne."),
    "inventory-taken": N_("Le numéro d’inventaire « %(number)s » est déjà à la ligne %(line)s."),
    # A line that waits for a tick.
    "owner-differs": N_(
        "Le propriétaire indiqué est « %(owner)s », pas vous. Cochez la ligne si vous pouvez prêter ce bien."
    ),
    "owner-missing": N_("Le propriétaire n’est pas indiqué. Cochez la ligne si vous pouvez prêter ce bien."),
    "collectivity-differs": N_(
        "Le fichier réunit plusieurs collectivités ; cette ligne est de « %(owner)s ». "
        "Cochez-la si vous pouvez prêter ce bien."
    ),
    "erp-category-unknown": N_(
        "La catégorie de sécurité « %(text)s » n’est pas reconnue. Cochée, la ligne sera importée sans elle."
    ),
    "erp-category-disagrees": N_(
        "La catégorie de sécurité est « %(text)s » dans une colonne et « %(words)s » dans l’autre. "
        "Cochée, la ligne sera importée sans elle."
    ),
    "position-unusable": N_(
        "La position (%(text)s) n’est pas utilisable. Cochée, la ligne sera importée sans position."
    ),
    "number-ambiguous": N_(
        "« %(text)s » (colonne « %(column)s ») peut se lire de deux façons : mille ou virgule ? "
        "Cochée, la ligne sera importée sans ce nombre."
    ),
    "number-unreadable": N_(
        "« %(text)s » (colonne « %(column)s ») n’est pas un nombre. Cochée, la ligne sera importée sans lui."
    ),
    "date-unreadable": N_(
        "« %(text)s » (colonne « %(column)s ») n’est pas une date jour/mois/année. "
        "Cochée, la ligne sera importée sans elle."
    ),
    "quantity-differs": N_(
        "La quantité est %(quantity)s, mais il y a %(count)s numéros d’inventaire. "
        "Cochée, la ligne sera importée avec une fiche par numéro."
    ),
    "hours-unreadable": N_(
        "Les horaires « %(text)s » ne sont pas compris. Cochée, la ligne sera importée sans horaires."
    ),
    "hours-unreadable-from": N_(
        "Les horaires « %(text)s » ne sont plus compris à partir du caractère %(position)s (« %(there)s »). "
        "Cochée, la ligne sera importée sans horaires."
    ),
    "capacity-above-limit": N_(
        "La capacité indiquée (%(capacity)s) dépasse la limite du bâtiment (%(limit)s personnes). "
        "Cochée, la ligne sera importée sans capacité."
    ),
    # A remark beside a line: nothing waits for it.
    "street-number-placeholder": N_("Le numéro de rue « %(text)s » semble mis pour « inconnu » : il n’est pas repris."),
    "category-missing": N_("La ligne n’a pas de catégorie."),
    "characters-removed": N_("Des caractères invisibles ont été retirés de la colonne « %(column)s »."),
    "postcode-odd": N_("Le code postal « %(text)s » n’a pas cinq chiffres (un zéro perdu ?) : il n’est pas repris."),
    "email-odd": N_("L’adresse électronique « %(text)s » n’est pas complète : elle n’est pas reprise."),
    "link-odd": N_("L’adresse « %(text)s » ne commence pas par http:// ou https:// : elle n’est pas reprise."),
    "accessibility-unknown": N_("« %(text)s » ne dit pas si le lieu est accessible : l’accessibilité reste inconnue."),
    "quantity-assumed": N_("La quantité n’est pas indiquée : un seul exemplaire est compté."),
    # What became of a line once imported.
    "category-not-chosen": N_("La catégorie « %(category)s » n’a pas été choisie."),
    "category-none-not-chosen": N_("Les lignes sans catégorie n’ont pas été choisies."),
    "edited-since": N_("Ce que vous avez modifié vous-même depuis le dernier import est gardé."),
    "retired-since": N_("Vous ne prêtez plus ceci : la ligne ne le remet pas dans vos prêts."),
    "limit-lowered": N_(
        "La limite du bâtiment est maintenant de %(limit)s personnes : la capacité donnée (%(capacity)s) la dépasse."
    ),
    "kind-differs": N_(
        "Cette référence est déjà celle d’autre chose dans votre catalogue (une salle, un objet seul ou un lot)."
    ),
    "quantity-booked": N_(
        "Le nombre ne peut pas descendre sous %(peak)s : c’est ce qui est déjà réservé pour un même moment, le %(day)s."
    ),
    "line-not-kept": N_("Une des valeurs de la ligne ne peut pas être enregistrée."),
    # Left out without waiting for anything, and the last line of a dry run.
    "line-repeated": N_("Cette ligne répète la ligne %(line)s : elle n’est importée qu’une fois."),
    "summary": N_(
        "Lignes lues : %(read)s ; prêtes : %(ready)s ; à vérifier : %(warned)s ; "
        "laissées de côté : %(left_out)s ; en erreur : %(in_error)s."
    ),
}
