"""The stand-in for Google Cloud Storage: buckets and objects that outlive it, for the cloud variant only."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scripts.chapters import DEFAULT
from scripts.runner.directory import claim
from scripts.runner.objectstore import GoogleStorage
from scripts.runner.records import RAN
from scripts.runner.standins import stand_ins
from tests.runner.sample import UV, Tiny, sh

HOST = "STORAGE_EMULATOR_HOST"
CREATE = """
    curl -fsS -o /dev/null -H 'Content-Type: application/json' -d '{"name": "planets"}' \\
      "$STORAGE_EMULATOR_HOST/storage/v1/b?project=mine"
    """
UPLOAD = """
    curl -fsS -o /dev/null --data-binary blue \\
      "$STORAGE_EMULATOR_HOST/upload/storage/v1/b/planets/o?uploadType=media&name=earth"
    """
DOWNLOAD = 'curl -fsS "$STORAGE_EMULATOR_HOST/storage/v1/b/planets/o/earth?alt=media"'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GoogleStorage]:
    store = GoogleStorage(tmp_path / "storage")
    store.start()
    yield store
    store.stop()


def ask(store: GoogleStorage, path: str, data: bytes | None = None, kind: str = "text/plain") -> bytes:
    request = urllib.request.Request(store.environment[HOST] + path, data=data, headers={"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=10) as answer:
        body: bytes = answer.read()
        return body


def test_a_bucket_holds_what_is_put_into_it(store: GoogleStorage) -> None:
    ask(store, "/storage/v1/b?project=mine", json.dumps({"name": "planets"}).encode(), "application/json")
    ask(store, "/upload/storage/v1/b/planets/o?uploadType=media&name=earth", b"blue")
    assert ask(store, "/storage/v1/b/planets/o/earth?alt=media") == b"blue"
    assert store.requests == 3


def test_there_is_no_bucket_that_nobody_created(store: GoogleStorage) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ask(store, "/storage/v1/b/planets/o/earth")


def test_it_is_gone_when_it_is_stopped(store: GoogleStorage) -> None:
    port = urlsplit(store.environment[HOST]).port
    store.stop()
    assert store.environment == {}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


# ---------------------------------------------------------------- in a chapter


def options(tmp_path: Path) -> dict[str, object]:
    variant = {**UV, "place": "cloud"}
    return {"variant": variant, "standins": stand_ins(tmp_path, variant)}


def test_what_was_stored_is_there_after_a_checkpoint(tiny: Tiny, tmp_path: Path) -> None:
    tiny.write("1.1", sh("echo before"), sh(CREATE), sh(UPLOAD))
    tiny.write("1.2", sh(DOWNLOAD))
    first = tiny.do("1.1", **options(tmp_path))
    assert [(r.outcome, list(r.standins)) for r in first.records] == [
        (RAN, []),
        (RAN, [GoogleStorage.name]),
        (RAN, [GoogleStorage.name]),
    ]
    tiny.close()
    assert tiny.do("1.2", **options(tmp_path)).last.output == "blue"


def test_it_is_there_for_the_cloud_without_an_account(tmp_path: Path) -> None:
    run = claim(tmp_path / "runs", "uv")

    def names(place: str, *accounts: str) -> set[str]:
        variant = {**DEFAULT, "place": place}
        return {standin.name for standin in stand_ins(tmp_path, variant, frozenset(accounts))(run)}

    try:
        assert GoogleStorage.name in names("cloud")
        assert GoogleStorage.name in names("cloud", "github")
        assert GoogleStorage.name not in names("laptop")
        assert GoogleStorage.name not in names("cloud", "gcloud")
    finally:
        run.close()
