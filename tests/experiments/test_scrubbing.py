"""Secrets in what is stored: found however they are written, in time that grows as the text does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.experiments.scrubbing import LineScrubber, scrub, scrub_arguments, scrub_values

SECRET = "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        '{"api_key": "hunter2"}',
        '{"token":"hunter2","b":1}',
        "AWS_SECRET_ACCESS_KEY=hunter2",
        "export DB_PASSWORD=hunter2",
        'password: str = "hunter2"',
        'os.environ["API_TOKEN"] = "hunter2"',
        'setenv("API_KEY", "hunter2")',
        'db_password = "correct hunter2 staple"',
        "PASSPHRASE = 'it\\'s hunter2'",
        'token = b"hunter2"',
        'password=("hunter2")',
        "secret=abc,hunter2",
        "pwd=hunter2",
        "AccountKey=hunter2==;EndpointSuffix=core",
        "password:\n  hunter2",
        "https://a.b/c?token=hunter2&x=1",
        "postgresql://ada:hunter2@db/heptad",
        "postgresql://ada:p@hunter2@db",
        "postgresql://ada:pa/hunter2@db",
        "Authorization: Bearer hunter2hunter2",
        "Authorization: Basic hunter2",
        "id = 'AKIAHUNTER2EXAMPLE00'",
        "ghp_hunter2abcdefghijABCDEFGHIJ",
        "github_pat_11ABCDEFG0hunter2abcdef",
        "glpat-hunter2abcdefghijklmn",
        "sk_live_hunter2abcdefghijk",
        "hf_abcdefghijhunter2klmnopqr",
        "AIzahunter2bcdefghijklmnopqrstuvwxyz01234",
        "eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXIyIjoxfQ.hunter2signature00",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nhunter2\n-----END PGP PRIVATE KEY BLOCK-----",
        "-----BEGIN PRIVATE KEY-----\nhunter2",
    ],
)
def test_what_looks_like_a_secret_is_replaced(text: str) -> None:
    """Assignments in several languages, well-known forms of keys, addresses with passwords, and private keys."""
    assert SECRET not in scrub(text).lower()
    assert "***" in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "learning_rate = 0.1\nkeys = sorted(table)\nurl = 'https://example.org/a?b=c'\n",
        "max_tokens=512",
        '{"tokens": 5, "loss": 1}',
        "tokenizer: Tokenizer = build()",
        "for token in tokens: num_tokens, loss = step(token)",
        "def login(user, password: str | None) -> None:",
        "see https://example.org/@user and mail me@example.org",
        "basic arithmetic, the bearer of bad news",
        "hf_hub_download(x)",
    ],
)
def test_ordinary_code_stays_as_it_is(text: str) -> None:
    """Nothing is taken out that is not a secret."""
    assert scrub(text) == text


@pytest.mark.parametrize("unit", ["a1b2c3d4", "token", "token: str ", "password:", "a://", "a.b-", "x@", '"', "eyJ"])
def test_long_lines_take_as_long_as_they_are(unit: str) -> None:
    """A minified file or a printed list of digests must not stop a training: tried from each sign, this would."""
    scrub(unit * (500_000 // len(unit)))


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_stands_beside_it_a_quoted_password_goes(before: str, after: str) -> None:
    """On a line of its own."""
    assert f'"{SECRET}"' not in scrub(f'{before}\npassword = "{SECRET}"\n{after}')


def test_a_private_key_that_is_printed_goes_line_by_line() -> None:
    """What comes before and after it stays, and so does what another key ends on the same line."""
    lines = [
        "begin",
        "x -----BEGIN RSA PRIVATE KEY-----",
        "hunter2",
        "hunter2",
        "-----END RSA PRIVATE KEY----- y",
        "end",
    ]
    scrubber = LineScrubber()
    kept = [line for one in lines if (line := scrubber.scrub(one)) is not None]
    assert kept == ["begin", "x -----BEGIN RSA PRIVATE KEY-----***", "-----END RSA PRIVATE KEY----- y", "end"]
    whole = scrubber.scrub("-----BEGIN PRIVATE KEY-----hunter2-----END PRIVATE KEY-----")
    assert whole == "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----"
    assert scrubber.scrub("after") == "after"


def test_options_of_a_command_lose_their_values() -> None:
    """Whichever way they are given."""
    command = ["train.py", "--rate", "0.1", "--token", "abc123", "--db-password=hunter2"]
    assert scrub_arguments(command) == ["train.py", "--rate", "0.1", "--token", "***", "--db-password=***"]


def test_values_whose_names_speak_of_secrets_are_replaced() -> None:
    """Texts and numbers alike; nested ones by the names above them."""
    values = {
        "api_key": "hunter2",
        "password": 1234,
        "hub_token": ["hunter2"],
        "login": {"credentials": {"user": "hunter2", "tries": [1, "hunter2"]}},
        "urls": ["postgresql://ada:hunter2@db/heptad"],
        "note": "token=hunter2",
    }
    scrubbed = scrub_values(values)
    assert "hunter2" not in repr(scrubbed)
    assert "1234" not in repr(scrubbed)
    assert list(scrubbed) == list(values)


def test_values_of_other_names_stay_as_they_are() -> None:
    """As do a secret that is not given, and what is counted in tokens."""
    values = {
        "depth": 3,
        "name": "bert",
        "max_tokens": 100,
        "token_limit": 5,
        "token_pattern": r"(?u)\b\w\w+\b",
        "pad_token": "<pad>",
        "mask_token": "[MASK]",
        "tokenizer": "bpe",
        "key": "id",
        "rate": 0.5,
    }
    values |= {"api_key": None, "password": "", "secret": False, "sizes": [1, 2], "model": {"kind": "tree"}}
    assert scrub_values(values) == values
