"""What personal data looks like: patterns with their check digits, and what columns of it are called."""

import re
from typing import Literal, NamedTuple

from heptad.data.privacy.check_digits import (
    Check,
    always,
    brazilian_cpf,
    dutch_bsn,
    french_nir,
    german_tax_id,
    iban,
    luhn,
    octets,
    polish_pesel,
    spanish_dni,
)

Category = Literal["direct", "indirect", "special"]
"""`direct` names a person alone; `indirect` does with others; `special` is about health, faith and the like."""


class Shape(NamedTuple):
    """A kind of data that is told by its values: a pattern of the whole text, and the check of its digits."""

    kind: str
    pattern: str
    check: Check = always
    category: Category = "direct"
    proves: bool = False
    """Whether the pattern or its check digit is hardly met by chance."""


SHAPES = (
    Shape("email", r"^[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$", proves=True),
    Shape("payment card", r"^[2-6]\d{3}([ -]?\d{4}){2}[ -]?\d{1,7}$", luhn, proves=True),
    Shape("iban", r"^[A-Za-z]{2}\d{2}[ ]?([A-Za-z0-9]{4}[ ]?){2,7}[A-Za-z0-9]{0,4}$", iban, proves=True),
    Shape(
        "ip address",
        r"^(\d{1,3}\.){3}\d{1,3}$|^([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}$"
        r"|^(([0-9A-Fa-f]{1,4}:){1,6}|:)(:[0-9A-Fa-f]{1,4}){1,6}$|^([0-9A-Fa-f]{1,4}:){1,7}:$",
        octets,
        proves=True,
    ),
    Shape("device", r"^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$|^([0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}$", proves=True),
    Shape(
        "phone",
        r"^(\+|00)[1-9][0-9 ()/.-]{6,20}$|^\(?0\d{1,5}\)?[ /-][0-9 -]{4,14}$"
        # As the United States and Canada write them: no area code and no exchange begins with 0 or 1.
        r"|^(1[ .-]?)?(\([2-9]\d{2}\)[ -]?|[2-9]\d{2}[.-])[2-9]\d{2}[ .-]\d{4}( ?(x|ext\.?) ?\d{1,5})?$",
    ),
    Shape("german tax id", r"^[1-9]\d([ ]?\d{3}){3}$", german_tax_id, proves=True),
    Shape("spanish dni", r"^[XYZxyz0-9]-?\d{7}-?[A-Za-z]$", spanish_dni, proves=True),
    Shape(
        "french nir", r"^[12][ ]?\d{2}[ ]?\d{2}[ ]?(\d{2}|2[AB])[ ]?\d{3}[ ]?\d{3}[ ]?\d{2}$", french_nir, proves=True
    ),
    Shape("dutch bsn", r"^\d{9}$", dutch_bsn),
    Shape("polish pesel", r"^\d{11}$", polish_pesel),
    Shape("brazilian cpf", r"^\d{3}\.?\d{3}\.?\d{3}-?\d{2}$", brazilian_cpf, proves=True),
    Shape("us ssn", r"^[0-8]\d{2}-\d{2}-\d{4}$"),
)


class Called(NamedTuple):
    """A kind of data that is told by the name of its column, in some languages."""

    kind: str
    pattern: re.Pattern[str]
    category: Category


def _words(kind: str, category: Category, *words: str) -> Called:
    """Names that are these words, or hold one of them between other words."""
    return Called(kind, re.compile(rf"(^|_)({'|'.join(words)})(_|$)"), category)


_PEOPLE = (
    "customer|client|patient|employee|person|people|contact|member|guest|student|pupil|teacher|doctor|physician|nurse"
    "|buyer|seller|owner|holder|passenger|driver|rider|applicant|candidate|borrower|tenant|resident|citizen|author"
    "|sender|recipient|subscriber|participant|respondent|child|father|mother|parent|spouse|guardian|staff|worker"
    "|manager|beneficiary|donor|player|athlete"
)
_LEUTE = (
    "kunden?|patient(en|innen)?|mitarbeiter|angestellten|personen|(be)?nutzer|schuler|lehrer|arzt|mieter|halter"
    "|inhaber|gast|teilnehmer|ansprechpartner|empfanger|absender|mitglieds?|versicherten|familien|ruf|geburts|madchen"
)
"""What people are called in names of columns, without accents as `plain_name` leaves them."""

NAMES = (
    _words("email", "direct", "e_?mails?", "e_?mail_?(adress\\w*|address)", "correo", "courriel"),
    _words("phone", "direct", "(tele)?phone\\w*", "telefon\\w*", "telefono", "mobile", "handy\\w*", "tel", "fax"),
    _words("name", "direct", "(first|last|sur|full|middle|maiden|given|family|user|nick)_?name", "(vor|nach|zu)name",
           f"({_PEOPLE})(s|_s)?_?names?", f"({_LEUTE})_?namen?",
           "nom", "prenom", "nombre", "apellidos?", "cognome", "nome", "achternaam", "voornaam", "imie", "nazwisko"),
    _words("address", "direct", "address\\w*", "adresse?\\w*", "street\\w*", "strasse", "rue", "calle", "via", "straat",
           "house_?(no|number)", "hausnummer", "direccion", "indirizzo"),
    _words("payment card", "direct", "(credit_?|debit_?)?card_?(no|num|number)", "pan", "kartennummer", "cvv", "cvc"),
    _words("bank account", "direct", "iban", "bic", "swift", "account_?(no|num|number)", "kontonummer", "konto"),
    _words("national id", "direct", "ssn", "social_?security\\w*", "national_?id", "tax_?id\\w*", "steuer_?id\\w*",
           "nir", "dni", "nie", "bsn", "pesel", "cpf", "personnummer", "codice_fiscale", "passport\\w*",
           "reisepass\\w*", "pasaporte", "passeport", "driv(ing|ers?|er_s)_?licen[cs]e\\w*", "fuhrerschein\\w*"),
    _words("ip address", "direct", "ip", "ip_?addr(ess)?", "ip_?adresse"),
    _words("device", "direct", "device_?id", "imei", "mac_?addr(ess)?", "cookie_?id", "advertising_?id", "idfa",
           "gaid"),
    _words("birth", "indirect", "birth\\w*", "born", "dob", "date_of_birth", "geburt\\w*", "geboren", "naissance",
           "nacimiento", "nascita"),
    _words("age", "indirect", "age", "alter", "edad", "eta", "leeftijd"),
    _words("postcode", "indirect", "zip(_?code)?", "post_?(al_?)?code", "plz", "postleitzahl", "code_postal", "cap"),
    _words("place", "indirect", "city", "town", "stadt", "wohnort", "ville", "ciudad", "citta", "lat(itude)?",
           "lon(gitude)?", "lng", "geo\\w*"),
    _words("gender", "indirect", "gender", "sex", "geschlecht", "sexe", "sexo", "sesso", "geslacht"),
    _words("occupation", "indirect", "occupation", "profession", "beruf", "job_?title", "employer", "arbeitgeber"),
    _words("health", "special", "health\\w*", "diagnos\\w*", "disease\\w*", "illness", "medication\\w*", "icd_?(9|10)?",
           "disab\\w*", "krankheit\\w*", "gesundheit\\w*", "blood_?(type|pressure)", "pregnan\\w*"),
    _words("faith or origin", "special", "religion\\w*", "faith", "konfession", "ethnic\\w*", "nationality",
           "race(?!_(times?|dates?|days?|distances?|results?|tracks?|courses?|cars?|numbers?|no|id|names?|laps?)(_|$))",
           "staatsangehorigkeit", "caste", "tribe"),
    _words("politics or union", "special", "politic\\w*", "party(?!_(size|of|date|time|type)(_|$))", "partei",
           "trade_?union", "gewerkschaft"),
    _words("sexuality", "special", "sexual\\w*", "orientation"),
    _words("biometrics", "special", "biometric\\w*", "fingerprint", "face_?id", "genetic\\w*", "dna"),
)  # fmt: skip

MAY_NAME_PEOPLE = re.compile(rf"name[ns]?(_|$)|(^|_)({_PEOPLE}|kunde|patientin|mitarbeiter)(_|$)")
"""Names of columns that hold names of people or of anything else, so that the values have to tell."""

_THINGS = (
    "product|produkt|item|article|artikel|part|brand|marken?|model|modell|file|datei|folder|path|column|spalten|field|feld"
    "|table|tabellen|sheet|variable|function|method|class|module|package|library|app|process|task|job|host|server|domain"
    "|cluster|device|gerate|sensor|machine|station|stations|stop|haltestellen|line|route|airport|flughafen|airline"
    "|carrier|ship|vessel|company|firmen|firm|business|org(anization|anisation)?|institution|department|abteilungs?|dept"
    "|team|club|vereins|league|bank|store|shop|market|school|schul|university|hospital|clinic|hotel|restaurant|city|town"
    "|orts?|stadt|country|land|lander|region|state|county|district|province|zone|area|place|location|site|street"
    "|strassen|building|park|river|lake|mountain|project|projekt|event|campaign|category|kategorie|group|gruppen|segment"
    "|feature|metric|layer|test|game|film|movie|song|album|track|book|show|series|species|plant|animal|breed|drug"
    "|medicine|medication|disease|food|recipe|color|colour|font|currency|language|code|plan|tariff|policy"
)
NAMES_THINGS = re.compile(rf"(^|_)({_THINGS})(s|_s)?_?name[ns]?(_|$)")
"""Names of columns that say what it is that they name, and it is nobody."""

_WORD = r"\p{Lu}[\p{L}\p{M}'\u2019]*([-.]\p{Lu}[\p{L}\p{M}'\u2019]*)*\.?"
_SMALL = "van|von|vom|zu|de|del|della|der|den|da|di|do|dos|la|le|bin|al|el|y"
NAME_OF_SOMEBODY = rf"^{_WORD}(,? ({_WORD}|{_SMALL})){{0,4}},? {_WORD}$"
"""Two words or more that begin with capitals and have letters only; places and companies may be called so, too."""
NAME_OF_A_THING = (
    r"(?i)\b(gmbh|ag|kg|inc|ltd|llc|plc|corp(oration)?|company|group|holdings?|university|school|hospital|hotel|airport"
    r"|station|street|avenue|road)\b"
)
WORDS = r"^[\p{L}\p{M}'\u2019., -]+$"


def plain_name(column: str) -> str:
    """A column's name in small letters with `_` between its words, and without accents.

    >>> plain_name("E-MailAdresse"), plain_name("Prénom du père")
    ('e_mail_adresse', 'prenom_du_pere')
    """
    import unicodedata  # noqa: PLC0415 - only who looks for personal data needs it

    letters = unicodedata.normalize("NFKD", column.replace("ß", "ss")).encode("ascii", "ignore").decode()
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", letters)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
