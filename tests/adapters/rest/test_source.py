"""An HTTP API is a source: every page once, in order, what is new only where that can be asked, whole or not at all."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.rest.conftest import Api, reply

from heptad.core.errors import DataError, SettingsError, UnavailableError
from heptad.data import Place, RestSettings, Source, SourceSettings, open_source
from heptad.testing.source_contract import SourceContract

Open = Callable[..., Source]


class TestRestSource(SourceContract):
    @pytest.fixture
    def source(self, open_api: Open) -> Source:
        return open_api()

    @pytest.fixture
    def change(self, api: Api) -> Callable[[], None]:
        return lambda: api.rows.append({"number": 99, "name": "new"})


def numbers(source: Source) -> list[int]:
    return source.read().rows.collect()["number"].to_list()


def by_number(api: Api, name: str, size: int, first: int) -> None:
    """Pages of so many rows by number of page or row."""

    def answer(asked: dict[str, str]) -> tuple[Any, dict[str, str]]:
        place = int(asked.get(name, first)) - first
        start = place * size if name == "page" else place
        return {"data": {"items": api.rows[start : start + size]}, "total": len(api.rows)}, {}

    api.answer = answer


def test_pages_by_number(api: Api, open_api: Open) -> None:
    """Until one is empty, or has fewer rows than a page holds."""
    by_number(api, "page", 3, 1)
    assert numbers(open_api(records="data.items", paging="page")) == list(range(7))
    assert api.asked("page") == ["1", "2", "3", "4"]
    api.requests.clear()
    assert numbers(open_api(records="data.items", paging="page", size=3, size_parameter="n")) == list(range(7))
    assert (api.asked("page"), api.asked("n")) == (["1", "2", "3"], ["3"] * 3)


def test_pages_by_offset(api: Api, open_api: Open) -> None:
    """By as many rows as came."""
    by_number(api, "skip", 3, 0)
    assert numbers(open_api(records="data.items", paging="offset", parameter="skip")) == list(range(7))
    assert api.asked("skip") == ["0", "3", "6", "7"]


def test_pages_of_a_server_that_gives_less_than_it_is_asked_for(api: Api, open_api: Open) -> None:
    """It is asked on until a page is empty or shorter than the first."""
    by_number(api, "offset", 3, 0)
    assert numbers(open_api(records="data.items", paging="offset", size=10)) == list(range(7))
    assert api.asked("offset") == ["0", "3", "6"]


def test_a_page_behind_the_last_may_be_missing(api: Api, open_api: Open) -> None:
    """Where it is asked for only to be sure, 404 says that there is none; elsewhere it is an error."""
    by_number(api, "page", 10, 1)
    api.trouble = lambda handler, count: count > 1 and reply(handler, 404)
    assert numbers(open_api(records="data.items", paging="page", size=20)) == list(range(7))
    assert api.asked("page") == ["1", "2"]
    api.requests.clear()
    with pytest.raises(DataError, match="404"):
        open_api(records="data.items", paging="page", size=7).digest()


def test_a_first_answer_without_a_cursor_is_doubted(api: Api, open_api: Open) -> None:
    """Once pages were seen to follow each other, a single one of what is new is none to doubt."""
    pages = {None: {"rows": [{"number": 1}], "next": "x"}, "x": {"rows": [{"number": 2}]}}
    api.answer = lambda asked: (pages[asked.get("cursor")], {})
    settings = {"paging": "cursor", "cursor": "number", "key": ["number"], "since": "since"}
    assert open_api(**settings).read().doubts == []
    api.answer = lambda _: ({"rows": [{"number": 3}]}, {})
    assert open_api(**settings).read().doubts == []
    (doubt,) = open_api(paging="cursor").read().doubts
    assert doubt.startswith("the first answer has no 'next', and was taken for the only page.")
    assert open_api(paging="cursor", refresh="1h").read().doubts == [doubt]


def test_pages_by_a_cursor_in_the_answer(api: Api, open_api: Open) -> None:
    """Which may be at any path, and is missing in the last one."""

    def answer(asked: dict[str, str]) -> tuple[Any, dict[str, str]]:
        start = int(asked.get("after", "0"))
        more = {"cursor": str(start + 3)} if start + 3 < len(api.rows) else {"cursor": None}
        return {"orders": api.rows[start : start + 3], "meta": more}, {}

    api.answer = answer
    assert numbers(open_api(paging="cursor", parameter="after", next="meta.cursor")) == list(range(7))
    assert api.asked("after") == [None, "3", "6"]


@pytest.mark.parametrize("how", ["next", "link", ""])
def test_pages_by_address(api: Api, open_api: Open, how: str) -> None:
    """In the answer or in its header, absolute or relative; parameters of ours stay those of the address."""

    def answer(asked: dict[str, str]) -> tuple[Any, dict[str, str]]:
        start = int(asked.get("from", "0"))
        following = f"/orders?from={start + 3}" if start + 3 < len(api.rows) else ""
        if how == "next":
            return {"rows": api.rows[start : start + 3], "next": following or None}, {}
        link = {"Link": f'<{api.url}{following}>; rel="next", <x>; rel="first"'} if following else {}
        return api.rows[start : start + 3], link

    api.answer = answer
    assert numbers(open_api(paging=how)) == list(range(7))
    assert api.asked("from") == [None, "3", "6"]


def test_nested_objects_become_columns(api: Api, open_api: Open) -> None:
    """As of any JSON lines."""
    api.rows = [{"number": 1, "by": {"name": "x"}, "tags": ["a", "b"]}]
    rows = open_api().read().rows.collect()
    assert rows.rows() == [(1, "x", "a b")]


def test_only_what_is_new_is_asked_for(api: Api, open_api: Open) -> None:
    """From the greatest value of the cursor on; a row that comes again replaces the one before."""

    def answer(asked: dict[str, str]) -> tuple[Any, dict[str, str]]:
        return [row for row in api.rows if row["at"] >= asked.get("since", "")], {}

    api.answer = answer
    api.rows = [{"number": x, "at": f"2026-01-0{x}"} for x in (1, 2, 3)]
    settings = {"cursor": "at", "key": ["number"], "since": "since"}
    first = open_api(**settings).digest()
    assert open_api(**settings).digest() == first
    api.rows = [{"number": 2, "at": "2026-01-05"}, {"number": 4, "at": "2026-01-04"}]
    source = open_api(**settings)
    assert source.digest() != first
    assert sorted(source.read().rows.collect().select("number", "at").rows()) == [
        (1, source.read().rows.collect()["at"][0]),
        *source.read().rows.collect().sort("number").select("number", "at").rows()[1:],
    ]
    assert numbers(source) == [1, 3, 2, 4]
    assert api.asked("since") == [None, "2026-01-03", "2026-01-03"]


def test_one_command_reads_an_api_once(api: Api, open_api: Open) -> None:
    """Asked several times within a minute, and with `refresh` in other commands too."""
    source = open_api(refresh="")
    source.digest()
    source.read()
    source.digest()
    assert len(api.requests) == 1
    for _ in range(3):
        open_api(refresh="1h").read()
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({"auth": "bearer", "token": "${SECRET}"}, "Authorization", "Bearer sesame-1"),
        ({"auth": "basic", "user": "me", "password": "${SECRET}"}, "Authorization", "Basic bWU6c2VzYW1lLTE="),
        ({"auth": "key", "api_key": "${SECRET}"}, "X-API-Key", "sesame-1"),
    ],
)
def test_requests_are_authorised(
    api: Api, open_api: Open, settings: dict[str, str], header: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the environment holds."""
    monkeypatch.setenv("SECRET", "sesame-1")
    open_api(**settings).digest()
    assert api.requests[0][2][header] == value


def test_a_key_may_be_a_parameter(api: Api, open_api: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And is in no file, though addresses hold it."""
    monkeypatch.setenv("SECRET", "sesame-1")
    source = open_api(auth="key", api_key="${SECRET}", key_in="query", key_name="k")
    source.read()
    assert api.asked("k") == ["sesame-1"]
    assert not [one for one in tmp_path.rglob("*") if one.is_file() and b"sesame-1" in one.read_bytes()]


def test_a_token_that_ends_is_renewed(api: Api, open_api: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it ends, and where the server does not take it any more; the page is asked for again."""
    monkeypatch.setenv("SECRET", "sesame-1")
    by_number(api, "page", 3, 1)
    api.trouble = lambda handler, count: count == 3 and reply(handler, 401)
    oauth = {"auth": "oauth2", "token_url": f"{api.url}/token", "client_id": "me", "client_secret": "${SECRET}"}
    source = open_api(records="data.items", paging="page", scope="read", **oauth)
    assert numbers(source) == list(range(7))
    used = [headers["Authorization"] for _, _, headers in api.requests]
    assert used == ["Bearer token-1"] * 3 + ["Bearer token-2"] * 2
    assert api.tokens[0] == "Basic bWU6c2VzYW1lLTE= grant_type=client_credentials&scope=read"
    api.lasting = 1e-9
    api.requests.clear()
    open_api(records="data.items", paging="page", size=7, **oauth).digest()
    open_api(records="data.items", paging="page", **oauth).digest()
    assert len({headers["Authorization"] for _, _, headers in api.requests}) == len(api.requests)


def test_credentials_that_are_not_taken_are_named_without_them(
    api: Api, open_api: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are they tried for ever."""
    monkeypatch.setenv("SECRET", "sesame-1")
    api.trouble = lambda handler, _: reply(handler, 401)
    with pytest.raises(DataError, match=r"may not be read with the credentials at hand \(401\)") as raised:
        open_api(auth="bearer", token="${SECRET}").digest()
    assert "sesame" not in str(raised.value)
    oauth = {"auth": "oauth2", "token_url": f"{api.url}/token", "client_id": "me", "client_secret": "${SECRET}"}
    with pytest.raises(DataError, match="401"):
        open_api(**oauth).digest()
    assert api.granted == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"auth": "bearer", "token": "sesame"}, r"rest\.token is written out"),
        ({"auth": "bearer"}, 'auth = "bearer" needs token'),
        ({"parameters": {"api_key": "sesame"}}, r"rest\.parameters\.api_key is written out"),
        ({"since": "since"}, "nothing says what that is"),
    ],
)
def test_settings_that_cannot_be_used(open_api: Open, settings: dict[str, Any], said: str) -> None:
    """Secrets that are written out, and what is lacking."""
    with pytest.raises(SettingsError, match=said):
        open_api(**settings)


def test_a_server_that_asks_for_patience_gets_it(api: Api, open_api: Open, pauses: list[float]) -> None:
    """In seconds or until a date."""
    answers = {1: "7", 2: "Fri, 31 Dec 2055 23:59:59 GMT", 3: "whenever"}
    api.trouble = lambda handler, count: count in answers and reply(handler, 429, Retry_After=answers[count])
    assert numbers(open_api()) == list(range(7))
    assert pauses == [7.0, 60.0, 0.8]


def test_requests_keep_to_a_rate(api: Api, open_api: Open, pauses: list[float]) -> None:
    """The next one waits for its time."""
    by_number(api, "page", 3, 1)
    open_api(records="data.items", paging="page", per_second=0.1).digest()
    waits = [one for one in pauses if one > 0]
    assert len(waits) == 3
    assert all(5 < one <= 10 for one in waits)


def test_a_server_that_goes_away_in_the_middle_changes_nothing(api: Api, open_api: Open, tmp_path: Path) -> None:
    """What was kept before is still there, and the next time everything is read."""
    by_number(api, "page", 3, 1)
    settings = {"records": "data.items", "paging": "page", "retries": 1}
    source = open_api(**settings)
    first = source.digest()
    api.rows = [*api.rows, {"number": 7, "name": "x"}]

    def cut(handler: Any, count: int) -> bool:
        if count < 7:
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"data": {"items": [{"numb')
        handler.close_connection = True
        return True

    api.trouble = cut
    with pytest.raises(UnavailableError, match="attempts: 2"):
        open_api(**settings).digest()
    api.trouble = lambda _handler, _count: False
    assert not list((tmp_path / "cache").rglob(".*"))
    later = open_api(**settings)
    assert later.digest() != first
    assert numbers(later) == list(range(8))


def test_a_server_that_does_not_answer_is_left_after_its_time(api: Api, open_api: Open) -> None:
    """The timeout is a setting, and told."""
    release = threading.Event()
    api.trouble = lambda _handler, _count: release.wait(20)
    try:
        with pytest.raises(UnavailableError, match=r"attempts: 2; no bytes came for 100ms"):
            open_api(timeout="100ms", retries=1).digest()
    finally:
        release.set()


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (
            lambda handler: reply(handler, 200, b"<html>login</html>", Content_Type="text/html; x"),
            "answers with text/html",
        ),
        (
            lambda handler: reply(handler, 200, b'[{"id":1,"name":', Content_Type="application/json"),
            "JSON that cannot be read, on a page of 16 bytes: .*truncated",
        ),
        (lambda handler: reply(handler, 404), "was answered with 404"),
        (
            lambda handler: reply(handler, 302, Location="http://example.org/?token=sesame"),
            r"moved to http://example\.org/ ",
        ),
        (lambda handler: reply(handler, 200, {"a": {"b": []}}), r"no array.*\n.*a\.b"),
        (lambda handler: reply(handler, 200, [1, 2]), "is no array of objects"),
        (lambda handler: reply(handler, 200, []), "has no rows"),
    ],
)
def test_answers_that_are_no_table(api: Api, open_api: Open, trouble: Any, said: str) -> None:
    """Each with what came and what to look at."""
    api.trouble = lambda handler, _: trouble(handler)
    with pytest.raises(DataError, match=said) as raised:
        open_api().read()
    assert "sesame" not in str(raised.value)


def test_pages_of_another_server_are_not_followed(api: Api, open_api: Open) -> None:
    """They would get our credentials."""
    api.answer = lambda _: ({"rows": api.rows, "next": "http://example.org/2"}, {})
    with pytest.raises(DataError, match=r"at another server, example\.org"):
        open_api(paging="next").digest()


def test_pages_that_do_not_end_are_found(api: Api, open_api: Open) -> None:
    """A parameter that the server does not know, an address that comes again."""
    with pytest.raises(DataError, match="'page'"):
        open_api(paging="page").digest()
    api.answer = lambda _: ({"rows": api.rows, "next": "/orders?x=1"}, {})
    with pytest.raises(DataError, match="has been read already"):
        open_api(paging="next").digest()


SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        page = int(parse_qs(urlsplit(self.path).query)["page"][0])
        if page == 3:
            print("third", flush=True)
            sys.stdin.readline()
        body = json.dumps([{"number": page * 10 + x} for x in range(10)] if page < 5 else []).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def test_a_server_process_that_is_killed_between_pages(tmp_path: Path) -> None:
    """It is an error after which trying again may help, with nothing half kept."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    uri = f"rest:http://127.0.0.1:{process.stdout.readline().strip()}/x"
    settings = SourceSettings(uri=uri, retries=2, rest=RestSettings(paging="page"))
    source = open_source(settings, Place(root=tmp_path, cache=tmp_path / "cache"))

    def kill() -> None:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(UnavailableError, match="attempts: 3"):
        source.digest()
    killer.join()
    process.wait()
    process.stdout.close()
    process.stdin.close()
    assert not [one for one in tmp_path.rglob("*") if one.is_file()]


def test_an_api_that_is_none_is_named(tmp_path: Path) -> None:
    """With how it is written."""
    with pytest.raises(DataError, match=r"names no API"):
        open_source(SourceSettings(uri="rest:ftp://x/y"), Place(root=tmp_path))
    with pytest.raises(SettingsError, match="holds the password"):
        open_source(SourceSettings(uri="rest:https://me:sesame@x/y"), Place(root=tmp_path))
