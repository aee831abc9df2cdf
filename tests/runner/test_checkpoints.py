"""The state at the end of a chapter: kept whole, checked, brought back."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Thread

import pytest

from scripts.runner import capabilities, processes, records
from scripts.runner.checkpoints import ARCHIVE, INDEX, RECORDS, SUMS, VENVS, Checkpoints
from scripts.runner.directory import RunDirectory, claim
from scripts.runner.objects import FOLDER, SMALLEST
from scripts.runner.records import FAILED, RAN, Record
from tests.runner.sample import PIP, Tiny, file, sh, tabs

KEY, OTHER = "a" * 64, "b" * 64
DONE = [Record(RAN, "é\n", seconds=0.5, standins=["x"]), Record("skipped", problem="browser", standins=[])]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    directory = claim(tmp_path / "runs", "uv")
    directory.empty()
    yield directory
    directory.close()


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoints")


def bash(run: RunDirectory, commands: str) -> str:
    ended = processes.run(
        ["bash", "-ec", commands], cwd=run.work, env=run.environment(), log=run.log / "x", timeout=60
    )  # fmt: skip
    assert ended.status == 0, ended.output
    return ended.output


def snapshot(folder: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a folder: its mode, its content, and when a file was changed."""
    found = dict[str, tuple[object, ...]]()
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content: object = None
        if path.is_symlink():
            content = path.readlink()
        elif path.is_file():
            content = (path.read_bytes(), int(status.st_mtime))
        found[str(path.relative_to(folder))] = (stat.filemode(status.st_mode), content)
    return found


# ---------------------------------------------------------------- the same state again


def test_files_modes_links_and_times_come_back(run: RunDirectory, checkpoints: Checkpoints) -> None:
    bash(
        run,
        "mkdir -p a/empty shared; echo x >a/file; touch -d 2020-01-01 a/file\n"
        "chmod 750 a; chmod 664 a/file; chmod 775 shared\n"
        "echo secret >~/.secret; chmod 600 ~/.secret; printf '#!/bin/sh\\n' >program; chmod 755 program\n"
        "ln -s a/file link; ln -s /nowhere dangling; ln -s ../a a/up; touch 'with space é' -- -dash; chmod 444 program",
    )
    before = snapshot(run.work), snapshot(run.home)
    checkpoints.save(KEY, run, DONE)
    bash(run, "rm -rf a; echo other >program; echo later >later; rm ~/.secret")
    assert checkpoints.restore(KEY, run)
    assert (snapshot(run.work), snapshot(run.home)) == before


def test_what_is_not_writable_comes_back_and_goes(run: RunDirectory, checkpoints: Checkpoints) -> None:
    bash(run, "mkdir locked; echo x >locked/file; chmod 444 locked/file; chmod 555 locked")
    checkpoints.save(KEY, run, DONE)
    assert checkpoints.restore(KEY, run)
    assert checkpoints.restore(KEY, run)  # over itself
    assert (run.work / "locked/file").read_text() == "x\n"


def test_a_git_repository_comes_back(run: RunDirectory, checkpoints: Checkpoints) -> None:
    bash(run, "git init -q -b main r; cd r; echo a >a; git add a; git commit -qm First; git tag t")
    bash(run, "cd r; echo b >b; git add b")
    look = "cd r; git log --format=%H; git tag; git fsck --strict; git status --short"
    before = bash(run, look)
    checkpoints.save(KEY, run, DONE)
    bash(run, "cd r; git commit -qm Second; git gc -q")
    assert checkpoints.restore(KEY, run)
    assert bash(run, look) == before
    assert before.endswith("A  b\n")


def test_nothing_of_the_terminals_and_of_temporary_files_is_kept(run: RunDirectory, checkpoints: Checkpoints) -> None:
    (run.state / "terminal.sh").write_text("x=1\n")
    bash(run, "touch $TMPDIR/later")
    checkpoints.save(KEY, run, DONE)
    assert checkpoints.restore(KEY, run)
    assert not list(run.state.iterdir())
    assert not list((run.root / "tmp").iterdir())


def test_records_come_back(run: RunDirectory, checkpoints: Checkpoints) -> None:
    assert checkpoints.records(KEY) is None
    checkpoints.save(KEY, run, DONE)
    assert checkpoints.records(KEY) == DONE
    assert checkpoints.records(OTHER) is None
    assert checkpoints.date(KEY) == time.strftime("%Y-%m-%d", time.gmtime())


# ---------------------------------------------------------------- environments


@pytest.fixture
def environment(run: RunDirectory) -> Path:
    """A virtual environment with a package and a program in it."""
    bash(run, "python3 -m venv --without-pip project/.venv")
    place = run.work / "project/.venv"
    packages = next(place.glob("lib/python*/site-packages"))
    (packages / "planets.py").write_text("NAME = 'earth'\n" + "#" * 1000)
    (place / "bin/planet").write_text(f"#!{place}/bin/python\nimport planets; print(planets.NAME)\n")
    (place / "bin/planet").chmod(0o755)
    (place / "bin/compiled").write_bytes(bytes(SMALLEST))
    return place


ACTIVE = "cd project; . .venv/bin/activate; planet; python -c 'import sys; print(sys.prefix)'; which planet"


def test_an_environment_works_again(run: RunDirectory, checkpoints: Checkpoints, environment: Path) -> None:
    before = bash(run, ACTIVE)
    checkpoints.save(KEY, run, DONE)
    bash(run, "rm -rf project")
    assert checkpoints.restore(KEY, run)
    assert bash(run, ACTIVE) == before == f"earth\n{environment}\n{environment}/bin/planet\n"


def test_an_environment_takes_its_room_once(run: RunDirectory, checkpoints: Checkpoints, environment: Path) -> None:
    shared = [next(environment.rglob(name)) for name in ("planets.py", "compiled")]
    checkpoints.save(KEY, run, DONE)
    checkpoints.save(OTHER, run, DONE)
    assert [file.stat().st_nlink for file in shared] == [3, 3]
    assert checkpoints.restore(KEY, run)
    assert [file.stat().st_nlink for file in shared] == [3, 3]
    assert (checkpoints.place(KEY) / ARCHIVE).stat().st_size < 10_000


def test_an_environment_works_in_another_run_directory(
    run: RunDirectory, checkpoints: Checkpoints, environment: Path, tmp_path: Path
) -> None:
    checkpoints.save(KEY, run, DONE)
    other = claim(tmp_path / "runs", "uv")  # the next slot: the first is in use
    assert checkpoints.restore(KEY, other)
    bash(run, "rm -rf project")
    place = other.work / "project/.venv"
    assert bash(other, ACTIVE) == f"earth\n{place}\n{place}/bin/planet\n"
    other.close()


@pytest.mark.parametrize("edited", ["bin/activate", "pyvenv.cfg", "bin/planet"])
def test_what_a_block_edits_in_an_environment_leaves_the_checkpoint_alone(
    run: RunDirectory, checkpoints: Checkpoints, environment: Path, edited: str
) -> None:
    before = (environment / edited).read_text()
    checkpoints.save(KEY, run, DONE)
    for _ in range(2):
        bash(run, f"echo '# more' >>project/.venv/{edited}")
        assert checkpoints.restore(KEY, run)
        assert (environment / edited).read_text() == before


# ---------------------------------------------------------------- large files


@pytest.fixture
def large(run: RunDirectory) -> Path:
    """A file that is kept as an object."""
    path = run.work / "large"
    path.write_bytes(os.urandom(SMALLEST))
    return path


def objects(checkpoints: Checkpoints) -> list[Path]:
    return [path for path in (checkpoints.folder / FOLDER).rglob("*") if path.is_file()]


def own(checkpoints: Checkpoints, key: str) -> int:
    """Bytes of a checkpoint without its objects."""
    return int(json.loads((checkpoints.place(key) / SUMS).read_text())["own"])


def test_large_files_come_back(run: RunDirectory, checkpoints: Checkpoints, large: Path) -> None:
    bash(
        run,
        "cp large large.again; ln large large.hard; ln -s large large.soft\n"
        "chmod 640 large; chmod 444 large.again; touch -d 2020-01-01T12:00:00.5 large.again; truncate -s 200K zeros\n"
        "mkdir locked; cp large locked/file; chmod 755 locked/file; chmod 555 locked\n"
        "head -c 65535 /dev/urandom >small",
    )
    before = snapshot(run.work)
    checkpoints.save(KEY, run, DONE)
    assert sorted(path.stat().st_size for path in objects(checkpoints)) == [SMALLEST, 200 * 1024]
    assert SMALLEST < (checkpoints.place(KEY) / ARCHIVE).stat().st_size < SMALLEST + 5000
    for _ in range(2):
        assert checkpoints.restore(KEY, run)
        assert snapshot(run.work) == before
        assert large.samefile(run.work / "large.hard")


def test_what_a_block_edits_in_place_leaves_the_object_alone(
    run: RunDirectory, checkpoints: Checkpoints, large: Path
) -> None:
    before = large.read_bytes()
    checkpoints.save(KEY, run, DONE)
    for _ in range(2):
        bash(run, "echo more >>large; printf x | dd of=large conv=notrunc status=none")
        (kept,) = objects(checkpoints)
        assert (kept.read_bytes(), kept.stat().st_nlink) == (before, 1)
        assert checkpoints.restore(KEY, run)
        assert large.read_bytes() == before


def test_a_large_file_takes_its_room_once(run: RunDirectory, checkpoints: Checkpoints, large: Path) -> None:
    checkpoints.save(KEY, run, DONE)
    (kept,) = objects(checkpoints)
    before = kept.stat()
    large.rename(run.home / "elsewhere")
    checkpoints.save(OTHER, run, DONE)
    assert [path.stat() for path in objects(checkpoints)] == [before]


def test_an_object_goes_with_the_last_checkpoint_that_names_it(
    run: RunDirectory, checkpoints: Checkpoints, large: Path
) -> None:
    checkpoints.save(KEY, run, DONE)
    large.with_name("more").write_bytes(os.urandom(SMALLEST))
    checkpoints.save(OTHER, run, DONE)
    os.utime(checkpoints.place(KEY), (0, 0))
    assert len(objects(checkpoints)) == 2
    checkpoints.shrink(limit=own(checkpoints, OTHER) + 2 * SMALLEST)
    assert checkpoints.records(KEY) is None
    assert checkpoints.told == []
    assert checkpoints.restore(OTHER, run)
    large.unlink()
    checkpoints.save(OTHER, run, DONE)
    assert len(objects(checkpoints)) == 1
    checkpoints.shrink(limit=0)
    assert [path.name for path in checkpoints.folder.iterdir()] == [".lock"]


def test_an_object_counts_once(run: RunDirectory, checkpoints: Checkpoints, large: Path) -> None:
    for key in (KEY, OTHER):
        checkpoints.save(key, run, DONE)
    os.utime(checkpoints.place(KEY), (0, 0))
    together = own(checkpoints, KEY) + own(checkpoints, OTHER) + SMALLEST
    checkpoints.shrink(limit=together)
    assert checkpoints.place(KEY).exists()
    checkpoints.shrink(limit=together - 1)
    assert not checkpoints.place(KEY).exists()
    assert checkpoints.restore(OTHER, run)


def test_checkpoints_from_before_there_were_objects_count(run: RunDirectory, checkpoints: Checkpoints) -> None:
    checkpoints.save(KEY, run, DONE)
    sums = json.loads((checkpoints.place(KEY) / SUMS).read_text())
    del sums["objects"]
    (checkpoints.place(KEY) / SUMS).write_text(json.dumps(sums))
    checkpoints.shrink(limit=sums["own"])
    assert checkpoints.place(KEY).exists()
    checkpoints.shrink(limit=sums["own"] - 1)
    assert not checkpoints.place(KEY).exists()


def test_an_object_that_is_missing_is_noticed_at_once(run: RunDirectory, checkpoints: Checkpoints, large: Path) -> None:
    checkpoints.save(KEY, run, DONE)
    objects(checkpoints)[0].unlink()
    assert checkpoints.records(KEY) is None
    assert checkpoints.told == [f"checkpoint {KEY[:24]} is damaged (of its large files, 1 are missing): made anew"]
    assert not checkpoints.place(KEY).exists()


@pytest.mark.parametrize("lost", ["a byte", "half", "all"])
def test_a_damaged_object_is_noticed_before_anything_is_brought_back(
    run: RunDirectory, checkpoints: Checkpoints, large: Path, lost: str
) -> None:
    before = large.read_bytes()
    checkpoints.save(KEY, run, DONE)
    (kept,) = objects(checkpoints)
    {"a byte": flip, "half": lambda path: os.truncate(path, SMALLEST // 2), "all": Path.unlink}[lost](kept)
    large.write_bytes(b"still here")
    assert not checkpoints.restore(KEY, run)
    assert large.read_bytes() == b"still here"
    assert checkpoints.told == [f"checkpoint {KEY[:24]} is damaged (of its large files, 1 have changed): made anew"]
    assert not checkpoints.place(KEY).exists()
    assert objects(checkpoints) == []
    large.write_bytes(before)
    checkpoints.save(KEY, run, DONE)
    assert checkpoints.restore(KEY, run)
    assert large.read_bytes() == before


def test_objects_stay_that_another_process_is_about_to_name(
    run: RunDirectory, checkpoints: Checkpoints, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one saves, and removes what nobody names, between the objects of a checkpoint and its folder."""
    other = claim(tmp_path / "runs", "uv")
    other.empty()
    another = Thread(target=lambda: Checkpoints(checkpoints.folder).save(OTHER, other, DONE))
    dump = records.dump

    def slow(done: Sequence[Record], path: Path) -> None:
        if not another.ident:
            another.start()
            another.join(0.5)
        dump(done, path)

    monkeypatch.setattr("scripts.runner.records.dump", slow)
    checkpoints.save(KEY, run, DONE)
    another.join()
    assert checkpoints.records(KEY) == checkpoints.records(OTHER) == DONE
    assert checkpoints.restore(KEY, other)
    other.close()


def test_what_a_save_that_died_has_left_goes(run: RunDirectory, checkpoints: Checkpoints, large: Path) -> None:
    checkpoints.save(KEY, run, DONE)
    for name in ("00/.part-x", f"00/{'0' * 64}"):
        left = checkpoints.folder / FOLDER / name
        left.parent.mkdir(exist_ok=True)
        left.write_text("left")
    checkpoints.save(OTHER, run, DONE)
    assert [path.stat().st_size for path in objects(checkpoints)] == [SMALLEST]


# ---------------------------------------------------------------- damage


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def object_beside(place: Path) -> Path:
    return next((place.parent / FOLDER).glob("*/*"))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a byte of the archive": lambda place: flip(place / ARCHIVE),
    "half of the archive": lambda place: os.truncate(place / ARCHIVE, 100),
    "no archive": lambda place: (place / ARCHIVE).unlink(),
    "a byte of the records": lambda place: flip(place / RECORDS),
    "no records": lambda place: (place / RECORDS).unlink(),
    "empty records": lambda place: (place / RECORDS).write_text(""),
    "half of the sums": lambda place: os.truncate(place / SUMS, 30),
    "no sums": lambda place: (place / SUMS).unlink(),
    "sums that are another thing": lambda place: (place / SUMS).write_text("[]"),
    "no environment": lambda place: shutil.rmtree(place / VENVS),
    "a byte of an object": lambda place: flip(object_beside(place)),
    "half of an object": lambda place: os.truncate(object_beside(place), 100),
    "no object": lambda place: object_beside(place).unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_noticed_and_named(
    run: RunDirectory, checkpoints: Checkpoints, environment: Path, large: Path, damage: Callable[[Path], object]
) -> None:
    checkpoints.save(KEY, run, DONE)
    damage(checkpoints.place(KEY))
    assert checkpoints.records(KEY) is None or not checkpoints.restore(KEY, run)
    (told,) = checkpoints.told
    assert told.startswith(f"checkpoint {KEY[:24]} is damaged (")
    assert len(told.splitlines()) == 1
    assert not checkpoints.place(KEY).exists()


@pytest.mark.parametrize("damage", ["a byte of the archive", "no environment", "a byte of an object", "no object"])
def test_a_damaged_checkpoint_is_made_anew(tiny: Tiny, damage: str) -> None:
    make = "python3 -m venv --without-pip .venv\necho one >one; head -c 99999 /dev/zero >big"
    tiny.write("1.1", sh(f"mkdir project; cd project\n{make}"))
    tiny.write(
        "1.2", sh("cat project/one; cksum project/big; ls project/.venv/bin/python; echo x >>~/count; cat ~/count")
    )
    first = tiny.performer()
    assert tiny.do("1.1", first).outcomes == [RAN]
    first.close()
    DAMAGE[damage](first.checkpoints.place(first.key(first.guide.chapters["1.1"])))
    done = tiny.do("1.2")
    assert done.last.output == "one\n1719020843 99999 project/big\nproject/.venv/bin/python\nx\n", done.last.problem
    assert len(done.performer.told()) == 1
    done.performer.close()
    again = tiny.performer()
    assert all(again.performance(chapter).cached for chapter in again.guide.chapters.values())
    assert again.told() == []


def test_a_half_written_checkpoint_is_none(run: RunDirectory, checkpoints: Checkpoints) -> None:
    checkpoints.save(KEY, run, DONE)
    old, new = (checkpoints.folder / f".part-{name}" for name in ("old", "new"))
    checkpoints.place(KEY).rename(old)
    shutil.copytree(old, new)
    os.utime(old, (time.time() - 7200,) * 2)  # of a process that died; the other may still be written
    assert checkpoints.records(KEY) is None
    checkpoints.save(OTHER, run, DONE)
    assert {p.name for p in checkpoints.folder.iterdir() if p.is_dir()} == {OTHER[:24], new.name}


def no_space(*_: object) -> None:
    raise OSError(28, "No space left")


def test_an_error_while_it_is_written_leaves_nothing(
    run: RunDirectory, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.save(OTHER, run, DONE)
    (run.work / "large").write_bytes(os.urandom(SMALLEST))
    monkeypatch.setattr("scripts.runner.records.dump", no_space)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save(KEY, run, DONE)
    assert [p.name for p in checkpoints.folder.iterdir() if p.is_dir()] == [OTHER[:24]]


def test_an_error_while_it_is_brought_back_is_no_damage(
    run: RunDirectory, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.save(KEY, run, DONE)
    monkeypatch.setattr(RunDirectory, "empty", no_space)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.restore(KEY, run)
    monkeypatch.undo()
    assert checkpoints.records(KEY) == DONE
    assert checkpoints.restore(KEY, run)


def test_a_damaged_index_is_made_anew(checkpoints: Checkpoints) -> None:
    checkpoints.folder.mkdir()
    (checkpoints.folder / INDEX).write_text('{"1.1": {"u')
    checkpoints.note("1.2", "linux-uv", KEY)
    assert json.loads((checkpoints.folder / INDEX).read_text()) == {"1.2": {"linux-uv": KEY[:24]}}


def test_a_failed_chapter_has_no_checkpoint(tiny: Tiny) -> None:
    done = tiny.perform(sh("true"), sh("false"))
    assert done.outcomes == [RAN, FAILED]
    assert not done.performer.checkpoints.folder.exists()


# ---------------------------------------------------------------- room


def test_what_was_not_used_for_longest_goes_first(run: RunDirectory, checkpoints: Checkpoints) -> None:
    keys = [letter * 64 for letter in "abcd"]
    for age, key in enumerate(keys):
        (run.work / "file").write_bytes(os.urandom(100_000))
        checkpoints.save(key, run, DONE)
        os.utime(checkpoints.place(key), (age, age))
    checkpoints.records(keys[0])  # used now
    checkpoints.shrink(limit=250_000)
    assert [key for key in keys if checkpoints.place(key).exists()] == [keys[0], keys[3]]


def test_the_one_just_made_stays_whatever_its_size(run: RunDirectory, checkpoints: Checkpoints) -> None:
    checkpoints.save(KEY, run, DONE)
    os.utime(checkpoints.place(KEY), (0, 0))
    checkpoints.shrink(keep=checkpoints.place(KEY), limit=0)
    assert checkpoints.records(KEY) == DONE


def test_below_the_limit_all_stay(run: RunDirectory, checkpoints: Checkpoints) -> None:
    checkpoints.save(KEY, run, DONE)
    checkpoints.save(OTHER, run, DONE)
    checkpoints.shrink()
    assert checkpoints.records(KEY) == checkpoints.records(OTHER) == DONE


def test_clear(run: RunDirectory, checkpoints: Checkpoints) -> None:
    checkpoints.clear()
    checkpoints.save(KEY, run, DONE)
    checkpoints.clear()
    assert checkpoints.records(KEY) is None
    assert not checkpoints.folder.exists()


def test_many_who_save_and_restore_at_once(run: RunDirectory, tmp_path: Path) -> None:
    """The same state by several runs: each always finds a whole checkpoint, and nobody fails."""
    bash(run, "for n in $(seq 49); do echo $n >file-$n; done; head -c 100000 /dev/urandom >file-50")
    problems = list[BaseException]()

    def work(number: int) -> None:
        mine = Checkpoints(tmp_path / "checkpoints")
        directory = claim(tmp_path / "runs", "uv")
        try:
            for _ in range(6):
                mine.save(KEY, run, DONE)
                assert mine.records(KEY) == DONE
                if number % 2:
                    assert mine.restore(KEY, directory)
                    assert len(list(directory.work.iterdir())) == 50
            assert mine.told == []
        except BaseException as error:
            problems.append(error)
        finally:
            directory.close()

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir() if p.is_dir()) == [KEY[:24], FOLDER]
    assert len(objects(Checkpoints(tmp_path / "checkpoints"))) == 1


# ---------------------------------------------------------------- chapter after chapter


def test_an_edited_chapter_starts_where_the_one_before_ended(tiny: Tiny) -> None:
    count = "echo {} >>~/count"
    tiny.write("1.1", sh(count.format(1)))
    tiny.write("1.2", sh(count.format(2)))
    tiny.write("1.3", sh(count.format(3) + "; cat ~/count"))
    assert tiny.do("1.3").last.output == "1\n2\n3\n"
    tiny.close()
    tiny.write("1.2", sh(count.format("two")))
    done = tiny.do("1.3")
    assert done.last.output == "1\ntwo\n3\n"
    assert done.performer.performance(done.performer.guide.chapters["1.1"]).cached


def test_a_chapter_after_a_page_of_its_own_goes_on_from_its_line(tiny: Tiny) -> None:
    """A run directory holds one state: what came between is gone."""
    tiny.write("1.1", sh("echo one >one"))
    tiny.write("1.2", sh("echo apart >apart"), front="after: null\n")
    tiny.write("1.3", sh("ls"), front='after: "1.1"\n')
    performer = tiny.performer()
    for number in ("1.1", "1.2"):
        tiny.do(number, performer)
    assert tiny.do("1.3", performer).last.output == "one\n"


def test_variants_have_states_of_their_own(tiny: Tiny) -> None:
    tiny.write("1.1", tabs(uv=sh("echo uv >tool"), pip=sh("echo pip >tool")))
    tiny.write("1.2", file("a.txt", "x\n", language="text"), sh("cat tool"))
    for _ in range(2):
        assert tiny.do("1.2").last.output == "uv\n"
        assert tiny.do("1.2", tiny.performer(PIP)).last.output == "pip\n"
        tiny.close()


def test_what_is_left_by_git_for_others_is_readable(run: RunDirectory, checkpoints: Checkpoints) -> None:
    """Readers unpack a checkpoint themselves: it names no user of this machine."""
    bash(run, "echo x >file")
    checkpoints.save(KEY, run, DONE)
    listed = subprocess.run(
        ["tar", "-tvzf", checkpoints.place(KEY) / ARCHIVE], capture_output=True, text=True, check=True
    ).stdout
    assert all(" 0/0 " in line for line in listed.splitlines())


# ---------------------------------------------------------------- no secrets


def everything_in(folder: Path) -> bytes:
    """All that a folder of checkpoints holds, unpacked."""
    found = list[bytes]()
    for path in folder.rglob("*"):
        if path.name == ARCHIVE:
            with tarfile.open(path) as archive:
                for member in archive:
                    stream = archive.extractfile(member)
                    found += [member.name.encode(), stream.read() if stream else b""]
        elif path.is_file():
            found.append(path.read_bytes())
    return b"\n".join(found)


def test_no_secret_of_the_user_gets_into_a_checkpoint(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home-of-the-user"
    for name in (
        ".netrc",
        ".gitconfig",
        ".aws/credentials",
        ".docker/config.json",
        ".config/gh/hosts.yml",
        ".kube/config",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"secret-in-{name}")
    monkeypatch.setenv("HOME", str(home))
    for name in ("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "UV_INDEX_PASSWORD", "SSH_AUTH_SOCK", "SOME_PASSWORD"):
        monkeypatch.setenv(name, f"secret-in-{name}")
    monkeypatch.setenv("PIP_INDEX_URL", "https://reader:secret-in-an-address@example.org/simple")
    done = tiny.perform(
        sh("env; env | grep -v PIP_INDEX >env.txt; cat ~/.netrc ~/.gitconfig ~/.aws/* >>env.txt || true; ls -A ~")
    )
    assert done.last.outcome == RAN
    kept = everything_in(tiny.cache / "checkpoints")
    assert b"work/env.txt" in kept
    assert b"secret-in-" not in kept


def test_what_was_done_with_an_account_is_not_kept(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capabilities, "has", lambda name: True)
    tiny.write("1.1", sh("true"))
    tiny.write("1.2", sh("echo token >~/token", "requires github"), sh("true"))
    tiny.write("1.3", sh("cat ~/token"))
    done = tiny.do("1.3", asked_for=frozenset({"github"}))
    assert done.outcomes == [RAN]
    assert list(json.loads((tiny.cache / "checkpoints" / INDEX).read_text())) == ["1.1"]
    assert b"token" not in everything_in(tiny.cache / "checkpoints")
