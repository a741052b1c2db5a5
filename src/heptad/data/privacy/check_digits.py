"""Check digits of numbers that name people, and the like: nine in ten numbers that only look like one are told by them.

Formats and weights are those that the issuing bodies publish: Luhn (ISO/IEC 7812-1), modulo 97 (ISO 13616, ISO 7064),
modulo 11,10 (ISO 7064), and the national schemes named at each function.
"""

from collections.abc import Callable, Sequence

_SMALL, _LARGEST = 31, 255
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def luhn(text: str) -> bool:
    """Payment cards, Swedish personnummer: every second digit from the right doubled; the sum ends in 0.

    >>> luhn("4111 1111 1111 1111"), luhn("4111 1111 1111 1112")
    (True, False)
    """
    digits = _digits(text)
    doubled = [2 * one - 9 * (one > 4) for one in digits[-2::-2]]
    return len(digits) > 1 and len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban(text: str) -> bool:
    """Bank accounts: moved around and read with letters as numbers, 1 is left modulo 97.

    >>> iban("DE89 3704 0044 0532 0130 00"), iban("DE88 3704 0044 0532 0130 00")
    (True, False)
    """
    plain = "".join(text.split()).upper()
    moved = plain[4:] + plain[:4]
    return moved.isalnum() and moved.isascii() and int("".join(str(int(one, 36)) for one in moved)) % 97 == 1


def german_tax_id(text: str) -> bool:
    """Steuer-Identifikationsnummer: 11 digits, ISO 7064 modulo 11,10, a digit repeated among the first ten."""
    digits = _digits(text)
    product = 10
    for one in digits[:-1]:
        product = 2 * ((one + product) % 10 or 10) % 11
    return (
        len(digits) == 11 and digits[0] != 0 and len(set(digits[:-1])) in {8, 9} and (11 - product) % 10 == digits[-1]
    )


def spanish_dni(text: str) -> bool:
    """DNI and NIE: the letter stands for the number modulo 23."""
    plain = text.strip().upper().replace("-", "").replace(" ", "")
    number = plain[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdecimal() and _DNI[int(number) % 23] == plain[-1]


def french_nir(text: str) -> bool:
    """Numéro de sécurité sociale: the last two digits are 97 minus the number modulo 97; Corsica is 2A and 2B."""
    plain = "".join(text.split()).upper().replace("2A", "19").replace("2B", "18")
    return plain.isdecimal() and len(plain) == 15 and 97 - int(plain[:13]) % 97 == int(plain[13:])


def dutch_bsn(text: str) -> bool:
    """Burgerservicenummer: weights 9 to 2 and -1, divisible by 11."""
    return _weighted(text, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11)


def polish_pesel(text: str) -> bool:
    """PESEL: weights 1, 3, 7, 9 repeated, divisible by 10."""
    return _weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10)


def brazilian_cpf(text: str) -> bool:
    """CPF: two check digits, each of the digits before it with falling weights modulo 11."""
    digits = _digits(text)
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    return all(
        digits[end] == 10 * sum(one * (end + 1 - place) for place, one in enumerate(digits[:end])) % 11 % 10
        for end in (9, 10)
    )


def octets(text: str) -> bool:
    """Internet addresses: of version 4 each part fits into a byte, and not all are as small as those of a release.

    >>> octets("192.168.0.17"), octets("2.14.0.3"), octets("10.0.300.7"), octets("fe80::1")
    (True, False, False, True)
    """
    parts = [int(one) for one in text.split(".")] if ":" not in text else [_LARGEST]
    return _SMALL < max(parts) <= _LARGEST


def always(text: str) -> bool:
    """A format without a check digit."""
    return bool(text)


Check = Callable[[str], bool]


def _digits(text: str) -> list[int]:
    return [int(one) for one in text if one.isdecimal() and one.isascii()]


def _weighted(text: str, weights: Sequence[int], modulus: int) -> bool:
    digits = _digits(text)
    alike = len(digits) == len(weights) and len(set(digits)) > 1
    return alike and sum(one * weight for one, weight in zip(digits, weights, strict=True)) % modulus == 0
