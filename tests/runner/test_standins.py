"""The published guide, served by a local https server at its real address."""

from __future__ import annotations

import hashlib
import socket
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.runner import processes
from scripts.runner.directory import RunDirectory, claim
from scripts.runner.records import BLOCKED, FAILED, RAN
from scripts.runner.standins import HOST, PublishedGuide
from tests.runner.sample import Tiny, sh

SITE = f"https://{HOST}"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """What is published: a zip and its checksum."""
    folder = tmp_path / "site/downloads"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "planets.zip", "w") as archive:
        archive.writestr("planets/earth.txt", "blue\n" * 20_000)
    digest = hashlib.sha256((folder / "planets.zip").read_bytes()).hexdigest()
    (folder / "planets.zip.sha256").write_text(f"{digest}  planets.zip\n")
    return tmp_path / "site"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    directory = claim(tmp_path / "runs", "uv")
    directory.empty()
    yield directory
    directory.close()


@pytest.fixture
def publish(run: RunDirectory) -> Iterator[Callable[..., PublishedGuide]]:
    """Start a stand-in in ``run`` that serves what a function makes."""
    started = list[PublishedGuide]()

    def start(make: Callable[[], Path]) -> PublishedGuide:
        started.append(PublishedGuide(make, run.home, run.state))
        started[-1].start()
        return started[-1]

    yield start
    for guide in started:
        guide.stop()


def curl(run: RunDirectory, arguments: str) -> tuple[int | None, str]:
    """Status and output of curl, as a reader calls it."""
    ended = processes.run(
        ["bash", "-c", f"curl -sS {arguments}"], cwd=run.work, env=run.environment(), log=run.log / "x", timeout=20
    )
    return ended.status, ended.output


def test_a_file_comes_verbatim_from_the_real_address(
    run: RunDirectory, content: Path, publish: Callable[..., PublishedGuide]
) -> None:
    guide = publish(lambda: content)
    assert curl(run, f"-fLO {SITE}/downloads/planets.zip") == (0, "")
    assert (run.work / "planets.zip").read_bytes() == (content / "downloads/planets.zip").read_bytes()
    assert curl(run, f"-f {SITE}/downloads/planets.zip.sha256 | sha256sum -c") == (0, "planets.zip: OK\n")
    assert guide.requests == 2


def test_its_certificate_is_checked(run: RunDirectory, content: Path, publish: Callable[..., PublishedGuide]) -> None:
    publish(lambda: content)
    (run.home / ".curlrc").write_text(
        "".join(line for line in (run.home / ".curlrc").read_text().splitlines(True) if "cacert" not in line)
    )
    status, told = curl(run, f"-f {SITE}/downloads/planets.zip")
    assert status == 60
    assert "certificate" in told


def test_a_proxy_of_this_machine_is_not_asked(
    run: RunDirectory, content: Path, publish: Callable[..., PublishedGuide], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    publish(lambda: content)
    assert curl(run, f"-f -o x {SITE}/downloads/planets.zip") == (0, "")


def test_what_is_not_published(run: RunDirectory, content: Path, publish: Callable[..., PublishedGuide]) -> None:
    publish(lambda: content)
    status, told = curl(run, f"-f {SITE}/downloads/other.zip")
    assert status == 22
    assert "404" in told
    assert curl(run, f"-o x -w '%{{http_code}}' {SITE}/../../../../../../etc/passwd --path-as-is")[1] == "404"


def test_asking_only_for_the_head(run: RunDirectory, content: Path, publish: Callable[..., PublishedGuide]) -> None:
    publish(lambda: content)
    status, told = curl(run, f"-fI {SITE}/downloads/planets.zip")
    assert status == 0
    size = (content / "downloads/planets.zip").stat().st_size
    assert f"content-length: {size}" in told.lower()


@pytest.mark.parametrize(
    "error", [RuntimeError("no manifest"), RuntimeError(), RuntimeError("é → …\nmore"), SystemExit("told and left")]
)
def test_content_that_cannot_be_made(
    run: RunDirectory, publish: Callable[..., PublishedGuide], error: BaseException
) -> None:
    def broken() -> Path:
        raise error

    guide = publish(broken)
    for _ in range(2):
        status, told = curl(run, f"-f {SITE}/downloads/planets.zip")
        assert (status, "500" in told) == (22, True), told
    assert type(error).__name__ in guide.problem


def test_content_is_made_once_and_only_when_it_is_asked_for(
    run: RunDirectory, content: Path, publish: Callable[..., PublishedGuide]
) -> None:
    made = list[None]()

    def make() -> Path:
        made.append(None)
        time.sleep(0.2)
        return content

    publish(make)
    assert made == []
    urls = f"{SITE}/downloads/planets.zip {SITE}/downloads/planets.zip.sha256"
    assert curl(run, f"-f --parallel --parallel-immediate --remote-name-all {urls}")[0] == 0
    assert made == [None]


def test_a_client_that_says_nothing_holds_up_nobody(
    run: RunDirectory, content: Path, publish: Callable[..., PublishedGuide]
) -> None:
    guide = publish(lambda: content)
    port = int((run.home / ".curlrc").read_text().split('"\n')[0].rsplit(":", 1)[1])
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    silent[1].sendall(b"this is no handshake\n")
    silent[2].close()
    started = time.monotonic()
    assert curl(run, f"-f -o x {SITE}/downloads/planets.zip") == (0, "")
    guide.stop()
    assert time.monotonic() - started < 15
    for client in silent:
        client.close()


def test_other_hosts_are_not_led_here(run: RunDirectory, content: Path, publish: Callable[..., PublishedGuide]) -> None:
    guide = publish(lambda: content)
    curl(run, "-f --max-time 2 https://127.0.0.1:9/downloads/planets.zip")
    assert guide.requests == 0


# ---------------------------------------------------------------- in a chapter


def download(name: str = "planets.zip") -> str:
    return sh(
        f"""
        curl -fsSO {SITE}/downloads/{name}
        curl -fsSO {SITE}/downloads/{name}.sha256
        sha256sum -c {name}.sha256
        """
    )


def published(content: Callable[[], Path]) -> Callable[[RunDirectory], list[PublishedGuide]]:
    return lambda run: [PublishedGuide(content, run.home, run.state)]


def test_a_block_that_relied_on_it_says_so(tiny: Tiny, content: Path) -> None:
    done = tiny.perform(sh("echo before"), download(), sh("ls"), standins=published(lambda: content))
    assert done.outcomes == [RAN] * 3, done.records
    assert [list(record.standins) for record in done.records] == [[], [PublishedGuide.name], []]


def test_a_wrong_checksum_fails_the_block_at_its_line(tiny: Tiny, content: Path) -> None:
    (content / "downloads/planets.zip").write_bytes(b"another one")
    done = tiny.perform(sh("echo before"), download(), sh("ls"), standins=published(lambda: content))
    assert done.outcomes == [RAN, FAILED, BLOCKED]
    assert "planets.zip: FAILED" in done.records[1].output
    place = done.performer.guide.chapters["1.1"].blocks[1].place
    assert done.last.problem == f"after the failure at {place}"


def test_why_it_could_not_answer_is_told_with_the_block(tiny: Tiny, tmp_path: Path) -> None:
    def broken() -> Path:
        raise RuntimeError("the manifest names no planets.zip")

    done = tiny.perform(download(), standins=published(broken))
    assert done.outcomes == [FAILED]
    assert "the manifest names no planets.zip" in done.last.problem


def test_it_is_there_in_a_chapter_that_starts_from_a_checkpoint(tiny: Tiny, content: Path) -> None:
    tiny.write("1.1", download())
    tiny.write("1.2", download())
    for number in ("1.1", "1.2"):
        assert tiny.do(number, standins=published(lambda: content)).outcomes == [RAN]
        tiny.close()


def test_it_is_gone_after_the_run(tiny: Tiny, content: Path) -> None:
    done = tiny.perform(download(), standins=published(lambda: content))
    port = int((done.performer.run.home / ".curlrc").read_text().split('"\n')[0].rsplit(":", 1)[1])
    tiny.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
