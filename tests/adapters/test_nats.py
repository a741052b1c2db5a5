"""Subjects of NATS JetStream land exactly once: against a real server."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.adapters.brokers import (
    NATS,
    Traffic,
    answering,
    free_port,
    in_nats,
    killed_while_landing,
    land,
    landed_of,
    nats_stream,
    own_server,
    read_on,
    send_nats,
    settings_of,
)

from heptad.core.errors import DataError, UnavailableError
from heptad.data import open_stream
from heptad.testing.stream_contract import Opened, Send, StreamContract, received


@pytest.fixture(scope="module")
def server() -> str:
    found = answering(NATS)
    if not found:
        pytest.skip(f"no NATS answers on {NATS}")
    return found


@pytest.fixture
def name(server: str) -> Iterator[str]:
    """A JetStream stream with subjects `NAME.>`."""
    with nats_stream(server) as made:
        yield made


class TestNatsStream(StreamContract):
    @pytest.fixture
    def opened(self, server: str, name: str) -> Opened:
        return lambda: open_stream(settings_of(f"nats://{server}/{name}.>"), "reader")

    @pytest.fixture
    def send(self, server: str, name: str) -> Send:
        def sent(payloads: Sequence[bytes]) -> None:
            send_nats(server, f"{name}.some", payloads)

        return sent


@pytest.mark.slow
def test_each_message_lands_once_whenever_the_process_is_killed(server: str, name: str, tmp_path: Path) -> None:
    """Under load, with repeats, disorder and poison."""
    settings = settings_of(f"nats://{server}/{name}.>", id="number")
    killed_while_landing(tmp_path, settings, Traffic(2, 2_000), lambda some: send_nats(server, f"{name}.a", some))


def test_a_queue_of_work_is_emptied(server: str, tmp_path: Path) -> None:
    """What has landed is acknowledged one by one, so that the broker lets go of it."""
    with nats_stream(server, retention="workqueue") as name:
        settings = settings_of(f"nats://{server}/{name}.>")
        for start in (0, 100):
            send_nats(server, f"{name}.a", [b'{"number": %d}' % one for one in range(start, start + 100)])
            land(tmp_path, settings)
        assert sorted(landed_of(tmp_path, settings)[0]["number"]) == list(range(200))
        land(tmp_path, settings)
        kept = in_nats(server, lambda _, stream: stream.stream_info(name))
        assert kept.state.messages == 0


def test_what_another_reader_had_asked_for_is_not_waited_for(server: str, name: str) -> None:
    """A reader that died with messages in hand holds none of them back, although the broker would wait a minute."""
    settings = settings_of(f"nats://{server}/{name}.>")
    send_nats(server, f"{name}.a", [b"1", b"2", b"3"])
    first, second = open_stream(settings, "reader"), open_stream(settings, "reader")
    first.start({})
    assert len(received(first, 2)) == 2
    second.start({})
    assert received(second, 3).payloads == [b"1", b"2", b"3"]
    first.close()
    second.close()


def test_messages_that_are_gone_are_told(server: str, tmp_path: Path) -> None:
    """Where the whole stream is read: what its limits removed before it landed is an error."""
    with nats_stream(server, max_msgs=10) as name:
        settings = settings_of(f"nats://{server}/{name}.>")
        send_nats(server, f"{name}.a", [b'{"number": 1}'] * 5)
        land(tmp_path, settings)
        send_nats(server, f"{name}.a", [b'{"number": 2}'] * 20)
        with pytest.raises(DataError, match=r"the next would have been 6, and the stream .* has 16 to 25"):
            land(tmp_path, settings)


def test_a_stream_made_anew_is_told(server: str, name: str) -> None:
    """Its numbers begin again: to go on with them would take new messages for old ones, whatever loss is accepted."""
    settings = settings_of(f"nats://{server}/{name}.>")
    send_nats(server, f"{name}.a", [b'{"number": 1}'] * 3)
    for accept_loss in (False, True):
        stream = open_stream(settings, "reader")
        with pytest.raises(DataError, match=r"counts its messages anew: the next would have been 1001, and .* 1 to 3"):
            stream.start({0: 1_000}, accept_loss=accept_loss)
        stream.close()


def test_a_subject_that_no_stream_keeps_is_told(server: str, name: str, tmp_path: Path) -> None:
    """With the subjects that are kept; and a stream that forgets what nobody wants is refused."""
    with pytest.raises(DataError, match="No JetStream stream keeps") as told:
        land(tmp_path, settings_of(f"nats://{server}/{name}x.some"))
    assert f"{name}.>" in told.value.allowed
    with nats_stream(server, retention="interest") as other, pytest.raises(DataError, match="no consumer wants"):
        land(tmp_path, settings_of(f"nats://{server}/{other}.>"))


def test_a_broker_that_is_gone_and_comes_back_costs_nothing(tmp_path: Path) -> None:
    """In the middle it is told; when it is there again, landing goes on behind what has landed."""
    port = free_port()
    options = ("-js", "-sd", str(tmp_path / "jetstream"), "-a", "127.0.0.1", "-p", f"{port}")
    settings = settings_of(f"nats://127.0.0.1:{port}/some", timeout="3s")
    with own_server("nats-server", *options, port=port) as process:
        in_nats(f"127.0.0.1:{port}", lambda _, stream: stream.add_stream(name="some", subjects=["some"]))
        send_nats(f"127.0.0.1:{port}", "some", [b'{"number": %d}' % one for one in range(50)])
        land(tmp_path, settings)
        stream = open_stream(settings, "reader")
        stream.start({0: 50})
        process.kill()
        process.wait()
        with pytest.raises(UnavailableError, match="does not answer"):
            read_on(stream)
        stream.close()
        with pytest.raises(UnavailableError, match="does not answer"):
            land(tmp_path, settings)
    with own_server("nats-server", *options, port=port):
        send_nats(f"127.0.0.1:{port}", "some", [b'{"number": %d}' % one for one in range(50, 60)])
        land(tmp_path, settings)
    assert sorted(landed_of(tmp_path, settings)[0]["number"]) == list(range(60))


def test_a_user_that_the_server_does_not_know_is_told_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal is no outage: trying again does not help."""
    port = free_port()
    monkeypatch.setenv("NATS_PASSWORD", "sesame-open")
    with own_server("nats-server", "-a", "127.0.0.1", "-p", f"{port}", "--user", "me", "--pass", "other", port=port):
        with pytest.raises(DataError, match="refuses this reader") as told:
            land(tmp_path, settings_of(f"nats://me:${{NATS_PASSWORD}}@127.0.0.1:{port}/some"))
        assert "sesame" not in str(told.value)


def test_a_stream_made_anew_is_told_when_it_has_as_many_messages(server: str, tmp_path: Path) -> None:
    """It was made at another time, which the broker says."""
    with nats_stream(server) as name:
        settings = settings_of(f"nats://{server}/{name}.>")
        send_nats(server, f"{name}.a", [b'{"number": 1}'] * 3)
        land(tmp_path, settings)
        in_nats(server, lambda _, stream: stream.delete_stream(name))
        in_nats(server, lambda _, stream: stream.add_stream(name=name, subjects=[f"{name}.>"]))
        send_nats(server, f"{name}.a", [b'{"number": 2}'] * 5)
        with pytest.raises(DataError, match="counts its messages anew: the broker has another topic"):
            land(tmp_path, settings)
        assert list(landed_of(tmp_path, settings)[0]["number"]) == [1, 1, 1]
