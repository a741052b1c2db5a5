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
    Shape("ip address", r"^(\d{1,3}\.){3}\d{1,3}$|^([0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}$", proves=True),
    Shape("phone", r"^(\+|00)[1-9][0-9 ()/.-]{6,20}$|^\(?0\d{1,5}\)?[ /-][0-9 -]{4,14}$"),
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


NAMES = (
    _words("email", "direct", "e_?mails?", "e_?mail_?(adress\\w*|address)", "correo", "courriel"),
    _words("phone", "direct", "(tele)?phone\\w*", "telefon\\w*", "telefono", "mobile", "handy\\w*", "tel", "fax"),
    _words("name", "direct", "(first|last|sur|full|middle|maiden|given|family|user|nick)_?name", "(vor|nach|zu)name",
           "nom", "prenom", "nombre", "apellidos?", "cognome", "nome", "achternaam", "voornaam", "imie", "nazwisko"),
    _words("address", "direct", "address\\w*", "adresse?\\w*", "street\\w*", "strasse", "rue", "calle", "via", "straat",
           "house_?(no|number)", "hausnummer", "direccion", "indirizzo"),
    _words("payment card", "direct", "(credit_?|debit_?)?card_?(no|num|number)", "pan", "kartennummer", "cvv", "cvc"),
    _words("bank account", "direct", "iban", "bic", "swift", "account_?(no|num|number)", "kontonummer", "konto"),
    _words("national id", "direct", "ssn", "social_?security\\w*", "national_?id", "tax_?id\\w*", "steuer_?id\\w*",
           "nir", "dni", "nie", "bsn", "pesel", "cpf", "personnummer", "codice_fiscale", "passport\\w*",
           "reisepass\\w*", "pasaporte", "passeport", "driving_?licen[cs]e\\w*", "fuhrerschein\\w*"),
    _words("ip address", "direct", "ip", "ip_?addr(ess)?", "ip_?adresse"),
    _words("device", "direct", "device_?id", "imei", "mac_?address", "cookie_?id", "advertising_?id", "idfa", "gaid"),
    _words("birth", "indirect", "birth\\w*", "dob", "date_of_birth", "geburt\\w*", "naissance", "nacimiento",
           "nascita"),
    _words("age", "indirect", "age", "alter", "edad", "eta", "leeftijd"),
    _words("postcode", "indirect", "zip(_?code)?", "post_?(al_?)?code", "plz", "postleitzahl", "code_postal", "cap"),
    _words("place", "indirect", "city", "town", "stadt", "wohnort", "ville", "ciudad", "citta", "lat(itude)?",
           "lon(gitude)?", "lng", "geo\\w*"),
    _words("gender", "indirect", "gender", "sex", "geschlecht", "sexe", "sexo", "sesso", "geslacht"),
    _words("occupation", "indirect", "occupation", "profession", "beruf", "job_?title", "employer", "arbeitgeber"),
    _words("health", "special", "health\\w*", "diagnos\\w*", "disease\\w*", "illness", "medication\\w*", "icd_?(9|10)?",
           "disab\\w*", "krankheit\\w*", "gesundheit\\w*", "blood_?(type|pressure)", "pregnan\\w*"),
    _words("faith or origin", "special", "religion\\w*", "faith", "konfession", "race", "ethnic\\w*", "nationality",
           "staatsangehorigkeit", "caste", "tribe"),
    _words("politics or union", "special", "politic\\w*", "party", "partei", "trade_?union", "gewerkschaft"),
    _words("sexuality", "special", "sexual\\w*", "orientation"),
    _words("biometrics", "special", "biometric\\w*", "fingerprint", "face_?id", "genetic\\w*", "dna"),
)  # fmt: skip


def plain_name(column: str) -> str:
    """A column's name in small letters with `_` between its words, and without accents.

    >>> plain_name("E-MailAdresse"), plain_name("Prénom du père")
    ('e_mail_adresse', 'prenom_du_pere')
    """
    import unicodedata  # noqa: PLC0415 - only who looks for personal data needs it

    letters = unicodedata.normalize("NFKD", column.replace("ß", "ss")).encode("ascii", "ignore").decode()
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", letters)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
