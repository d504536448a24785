# ruff: noqa: SIM905 - a list of words is read as words
"""Words as people write them: invisible characters out, capitals turned into French names, headers compared.

Nothing is invented: "ECOLE" becomes "Ecole", never "École", since only the town knows its names.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

_WORD = re.compile(r"[^\W_]+")
_ROMAN = re.compile(r"(?=[IVX]{2})X{0,3}(?:IX|IV|V?I{0,3})")
_ORDINAL = re.compile(r"[0-9]+(?:ER|ERE|E|EME|ND|NDE|ÈRE|ÈME)")
_VOWEL = re.compile(r"[AEIOUYÀÂÄÉÈÊËÎÏÔÖÙÛÜŒÆ]")

ACRONYMS: Final = frozenset(
    "ACM ALAE ALSH BEA CAF CCAS CIAS CLSH CPAM CREPS EHPAD EREA ERP ESAT HLM ISEM MJC MPT OPAC PMI RH SDIS SIAE UFR "
    "UM ZAC ZAE ZUP".split()
)
"""Those that have a vowel are listed; a short word without one is taken to be an acronym (DSP, CG)."""

SHORTENED: Final = frozenset("BD BLD CDT CH DR GRD MGR MR PL PR PT ST".split())
"""Words cut short, which are no acronyms: "St Jean", "Dr Roux"."""

LINKING: Final = frozenset(
    "a à au aux avec chez d dans de des du en et ex l la le les ou par pour sans sous sur un une van von vers y".split()
)

# The nouns that say what a place is. The rest of its name is taken to be a proper name.
COMMON: Final = frozenset(
    """
    accueil administratif administration affectation age agees air allee ancien ancienne animation annexe
    archives associatif association associations atelier ateliers autres avenue bains banques bas basket
    batiment batiments bibliotheque bis boulevard boulodrome bureau bureaux cabinet camping cantine carrefour
    caserne centre chapelle chateau chemin choeurs cimetiere cinema clos club clubs college commercial
    commerciaux communal communale complexe conservatoire copropriete cote cour couvert creche creches culte
    cultuels culturel culturelle danse direction domaine droit ecole ecoles eglise elementaire elementaires
    enfance enfants ensemble equipement equipements espace espaces etudiant ferme fetes fleurs football foyer
    galerie garderie gare gendarmerie groupe gymnase halle halles halte haut hebergement hotel immeuble
    immobilier impasse informatique internat internationales jardin jeunes jeunesse jeux justice laboratoire
    local locaux logement ludotheque lycee lycees mairie maison maisons marche maternelle maternelles
    mediatheque multi multisports municipal municipale municipaux musee musique nautique nombre omnisports or
    palais parc parking pavillon personnes petanque petite piscine place police polyvalent polyvalente
    population poste presbytere primaire primaires principal principale professionnel protocole proximite
    public publique quai quartier quater relations residence restaurant restaurants reunion reunions route rue
    rugby salle salles scolaire scolaires secretariat senior seniors service services social sociale
    socioculturel solidarite sport sportif sportifs sportive sports square stade stand stockage syndicats
    technique techniques tennis ter terrain theatre tous tribune vestiaire vestiaires vie ville volume
    """.split()
)


def one_line(text: str) -> str:
    """The text on one line with single spaces, as a name or an address is kept."""
    return " ".join(text.split())


def without_invisible(text: str) -> str:
    """The text without control characters, bidirectional overrides and what takes no room; line breaks stay.

    Overrides reorder what is read: a name could show another. The joiner stays, it holds some letters together.
    """
    if text.isprintable():  # nearly every cell: nothing to look for sign by sign
        return text
    return "".join(character for character in text if character in _HARMLESS or not _is_invisible(character))


_HARMLESS: Final = frozenset("\t\n\r\u200d")


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")


def fold(text: str) -> str:
    """The text for comparing: no accents, no case, no punctuation ("N° d'inventaire" -> "n d inventaire")."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(_WORD.findall(bare.casefold()))


def proper_name(text: str) -> str:
    """A name in capitals as French writes it: "MAISON POUR TOUS JEAN MOULIN" -> "Maison pour tous Jean Moulin".

    A text that already has a small letter was written with care and is left alone.
    """
    return _recased(text, lambda word: word if word in COMMON else word.capitalize(), starts=(" - ",))


def street_name(text: str) -> str:
    """A street in capitals as French writes it: "RUE DES ECOLES" -> "Rue des Ecoles"."""
    return _recased(text, str.capitalize, starts=(", ",))


def common_words(text: str) -> str:
    """A category in capitals as a sentence: "EQUIPEMENT SPORTIFS" -> "Equipement sportifs"."""
    return _recased(text, str, starts=())


def _recased(text: str, unknown: Callable[[str], str], *, starts: tuple[str, ...]) -> str:
    if any(character.islower() for character in text):
        return text
    return "".join(_pieces(text, unknown, starts))


def _pieces(text: str, unknown: Callable[[str], str], starts: tuple[str, ...]) -> Iterator[str]:
    position, words = 0, list(_WORD.finditer(text))
    for index, word in enumerate(words):
        between = text[position : word.start()]
        followed = index + 1 < len(words) and text[word.end()] not in ".)"
        cased = _word(word[0], followed=followed, unknown=unknown)
        yield between
        yield cased[:1].upper() + cased[1:] if index == 0 or between in starts else cased
        position = word.end()
    yield text[position:]


def _word(word: str, *, followed: bool, unknown: Callable[[str], str]) -> str:
    """One word of capitals; one that nothing follows links nothing ("BATIMENT D", "BERTIN-SANS")."""
    small = word.lower()
    if (small in LINKING and followed) or _ORDINAL.fullmatch(word):
        return small
    return word if _stays_in_capitals(word) else unknown(small)


def _stays_in_capitals(word: str) -> bool:
    if len(word) == 1 or word in ACRONYMS or _ROMAN.fullmatch(word):
        return True
    if any(character.isdigit() for character in word):
        return True
    return len(word) < 6 and word not in SHORTENED and not _VOWEL.search(word)
