"""What looks like a secret is taken out of texts before they are stored: code, commands, output, reasons of failures.

Every pattern reads a text once, however long its lines are: nothing is tried again from each of its signs.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_WORD = (
    r"(?:password|passwd|passphrase|passwort|\bpwd|secret|(?<!(?:pad|unk|bos|eos|sep|cls)_)(?<!mask_)token(?!s|iz)"
    r"|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|credential)"
)
"""What a name of a secret holds; the marks of a tokenizer, such as `pad_token`, are none."""
_NAMED = rf"{_WORD}[\w-]{{0,40}}"
_QUOTED = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
_BEGIN = r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_END = r"-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_EQUALS = r"\s{0,3}(?::\s{0,3}[\w.\[\]| ]{1,40}=|[=:])\s{0,3}"
"""What stands between a name and its value; in Python a type may, too."""
_OPENED = r"\(?(?:[rbuf]{1,2}(?=[\"']))?"
_PLAIN = r"(?!(?:str|int|float|bool|bytes|object|Any|None|True|False|null|true|false)\b)[^\s\"';&]*[^\s\"';&,)\]}]"
"""A value without quotes; a type or a constant is none."""
_SECRETS = (
    # An assignment, option, JSON member or argument whose name speaks of a secret: the value goes, quoted or not.
    re.compile(rf"(?i)({_NAMED}(?:[\"']\s?\]?)?{_EQUALS}{_OPENED})(?:{_QUOTED}|{_PLAIN})"),
    re.compile(rf"(?i)([\"']{_NAMED}[\"']\s{{0,3}},\s{{0,3}}{_OPENED})(?:{_QUOTED})"),
    # User and password of an address; a password may hold an @ or a slash that should have been written as %40 or %2F.
    re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://)[^/\s\"'<>@]{1,200}(?:@[^/\s\"'<>@]{1,200}(?=@))?(?=@)"),
    re.compile(r"(\b(?!https?:)[a-z][a-z0-9+.-]{0,30}://)[^/\s\"'<>@:]{1,100}:[^\s\"'<>@]{1,200}(?=@)"),
    re.compile(r"(?i)(\bbearer\s{1,3})[\w.~+/-]{8,}=*"),
    re.compile(r"(?i)(\bauthorization[\"']?\s{0,3}[=:]\s{0,3}[\"']?[a-z]{1,20}\s{1,3})[^\s\"']+"),
    # Well-known forms of keys: AWS, GitHub, GitLab, Slack, OpenAI and its like, Stripe, Hugging Face, Google, JWT.
    re.compile(
        r"()\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abps]-[\w-]{10,}"
        r"|sk-[\w-]{20,}|[sr]k_(?:live|test)_\w{16,}|hf_\w{20,}|AIza[\w-]{30,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"
    ),
    re.compile(rf"({_BEGIN})(?:.*?)(?={_END}|\Z)", re.DOTALL),
)
_BEGINS, _ENDS = re.compile(_BEGIN), re.compile(_END)
_SECRET_NAME = re.compile(rf"(?i){_WORD}s?$")
"""Names whose values are secrets: a `token_pattern` or a `token_limit` is none."""
_SECRET_OPTION = re.compile(r"(?i)--?[\w-]*(?:password|passwd|passphrase|secret|token|key|credentials?)$")
_HIDDEN = r"\g<1>***"


def scrub(text: str) -> str:
    """The text with whatever looks like a secret replaced by `***`.

    >>> scrub("API_KEY=abc123 postgresql://me:sesame@host/db")
    'API_KEY=*** postgresql://***@host/db'
    """
    for pattern in _SECRETS:
        text = pattern.sub(_HIDDEN, text)
    return text


def scrub_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name, with `***` for those whose name ends as that of a secret, and the texts of others scrubbed.

    Nested ones too.

    >>> scrub_values({"api_key": "abc123", "max_tokens": 100, "url": "postgresql://me:sesame@host/db"})
    {'api_key': '***', 'max_tokens': 100, 'url': 'postgresql://***@host/db'}
    """
    return {name: _scrubbed(value, hidden=_is_secret(name)) for name, value in values.items()}


def _scrubbed(value: Any, *, hidden: bool) -> Any:
    match value:
        case Mapping():
            return {name: _scrubbed(one, hidden=hidden or _is_secret(name)) for name, one in value.items()}
        case list() | tuple():
            return [_scrubbed(one, hidden=hidden) for one in value]
        case bool() | None | "":
            return value
        case _ if hidden:
            return "***"
        case _:
            return scrub(value) if isinstance(value, str) else value


def _is_secret(name: Any) -> bool:
    return bool(_SECRET_NAME.search(str(name)))


def scrub_arguments(arguments: Sequence[str]) -> list[str]:
    """A command with the values of options that name a secret replaced, whichever way they are given."""
    before = ["", *arguments]
    return [
        "***" if _SECRET_OPTION.match(option) else scrub(one) for option, one in zip(before, arguments, strict=False)
    ]


class LineScrubber:
    """Scrubs a text that comes line by line: a private key goes on over many of them."""

    def __init__(self) -> None:
        self._in_key = False

    def scrub(self, line: str) -> str | None:
        """The line without secrets; `None` for one within a private key."""
        if self._in_key:
            self._in_key = not _ENDS.search(line)
            return None if self._in_key else scrub(line[line.index("-----END") :])
        begun = _BEGINS.search(line)
        self._in_key = bool(begun) and not _ENDS.search(line, begun.end() if begun else 0)
        return scrub(line)
