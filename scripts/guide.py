"""The commands of this repository: read the guide, prove that it works, clean up.

python3 scripts/guide.py serve [--port N]       the site on http://127.0.0.1:8000
python3 scripts/guide.py test [arguments ...]   pytest with these arguments
python3 scripts/guide.py check                  style, types, linters, code/ and the site: two minutes, no chapter
python3 scripts/guide.py doctor                 what this machine has, and how to install the rest
python3 scripts/guide.py clean                  removes what the tests have kept to be fast

The first three first make .venv/ with the locked tools, once, and again when the lock or the Python changes.
They need Python, git and bash, and nothing that is installed by hand.
"""

import os
import sys

# Before the rest is defined: an older Python still has to get as far as this line.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("guide.py: needs Python 3.11 or newer, and this is " + sys.version.split()[0] + ": install a newer one")
if os.name != "posix":
    sys.exit("guide.py: needs Linux or macOS: on Windows, work inside WSL 2")

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import re
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.txt"
CACHE = ROOT / ".cache"
LOG = CACHE / "setup.log"
VENV = ROOT / ".venv"
ASIDE = ROOT / ".venv.aside"
TRASH = ROOT / ".venv.trash"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "guide.json"
ROOM = 700  # MB of free disk that a new .venv asks for, with a margin

# Done before anything else on each pull request, in two minutes.
QUICK = (
    *("tests/setup/test_quality.py", "tests/setup/test_repository.py", "tests/setup/test_community.py"),
    *("tests/chapters/test_current.py", "tests/chapters/test_pages.py", "tests/linters"),
    "tests/site/test_output.py",  # builds the site, strictly
)

# What the tools print when something outside of this checkout is in the way, and the way out.
PROBLEMS = (
    (r"No space left on device|Disk quota exceeded", "the disk is full: free some space, then run this again"),
    (
        r"DO NOT MATCH THE HASHES|Hash mismatch",
        "a package is not the one that requirements.txt names: check the index",
    ),
    (
        r"NewConnection|ConnectTimeout|ReadTimeout|timed out|ProxyError|SSLError|Connection (reset|aborted)|HTTP error",
        "cannot reach the package index: check the network, the proxy and the certificates, then run this again",
    ),
)


class SetupError(Exception):
    """Something basic is missing. Says what, and the way out, in one line."""


def say(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Tell what is being done, and how long it took."""
    start = time.monotonic()
    say(f"  {name} ...", end="")
    try:
        yield
    except BaseException:
        say("")
        raise
    say(f" {time.monotonic() - start:.1f} s")


# ---------------------------------------------------------------- what is there


def require(*programs: str) -> None:
    """Raise SetupError unless these programs are there."""
    for program in programs:
        if shutil.which(program) is None:
            raise SetupError(f"{program} is missing: install it, then run this again")


def read_stamp() -> dict[str, Any]:
    """What the last setup noted: empty when it did not come to its end, or when there was none."""
    try:
        return dict(json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def wanted() -> dict[str, str]:
    """What .venv has to be made of and where, since an environment cannot be moved."""
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    return {"python": sys.version, "place": str(VENV), "lock": lock}


def contents() -> list[str]:
    """What stands in the folder of its packages."""
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(VENV)}))
    return sorted(entry.name for entry in packages.iterdir() if entry.name != "__pycache__")


def ready() -> bool:
    """Whether .venv is whole and up to date."""
    stamp = read_stamp()
    packages = stamp.pop("packages", [])
    if stamp != wanted() or not os.access(PYTHON, os.X_OK):
        return False
    with contextlib.suppress(FileNotFoundError):
        return set(packages) <= set(contents())
    return False


# ---------------------------------------------------------------- making it


class ToolFailed(SetupError):
    """A tool that the setup started did not do its job: what it printed."""

    def __init__(self, doing: str, output: str) -> None:
        last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "it printed nothing")
        self.known = next((way_out for signs, way_out in PROBLEMS if re.search(signs, output)), "")
        super().__init__(f"{self.known or f'cannot {doing}: {last}'} (details: {LOG})")


def run(doing: str, *command: object, held: int) -> None:
    """Start a tool and wait for it. What it prints goes to the log. Raises ToolFailed.

    The tool gets a group of its own, so that it ends with all that it started when this is interrupted,
    and it holds the lock (file descriptor ``held``), so that it keeps others away if only this is killed.
    """
    # Sooner tired of a dead network, and trusting the certificates of this machine; the user's settings win.
    environment = {"PIP_RETRIES": "2", "UV_SYSTEM_CERTS": "1", **os.environ}
    try:
        process = subprocess.Popen(
            [str(word) for word in command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            pass_fds=[held],
        )
    except OSError as error:
        raise ToolFailed(doing, str(error)) from None
    try:
        output, _ = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()  # to the end of what it printed, which is the end of all that it started
        raise
    with contextlib.suppress(OSError), LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(map(str, command))}\n{output}\n")
    if process.returncode:
        raise ToolFailed(doing, output)


def install(held: int) -> None:
    """Make .venv: pip brings uv, uv brings the rest. Where uv cannot work, pip does it all."""
    made_of = wanted()
    with step(f"make .venv with Python {sys.version.split()[0]}"):
        # The Python below an activated environment: that environment may be the one that goes.
        python = getattr(sys, "_base_executable", sys.executable)
        run("make .venv", python, "-m", "venv", "--without-pip", VENV, held=held)
        # By itself, since what it complains about is lost when venv starts it.
        run("put pip into .venv", PYTHON, "-I", "-m", "ensurepip", "--default-pip", held=held)
    pip = (PYTHON, "-I", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps")
    with step("get uv"):
        uv = re.search(r"^uv==(?:.*\\\n)+.*\n", LOCK.read_text(encoding="utf-8"), re.M)
        only_uv = VENV / "uv.txt"
        only_uv.write_text(uv[0] if uv else "", encoding="utf-8")
        try:
            run("get uv", *pip, "--only-binary=:all:", "--require-hashes", "-r", only_uv, held=held)
        except ToolFailed as error:
            if error.known:
                raise
        only_uv.unlink()
    with step("install the locked packages (a few minutes over a slow network)"):
        try:
            uv_pip = (VENV / "bin" / "uv", "pip", "sync", "--python", PYTHON)
            run("install with uv", *uv_pip, "--require-hashes", LOCK, held=held)
        except ToolFailed:
            run("install the packages", *pip, "--require-hashes", "-r", LOCK, held=held)
    STAMP.write_text(json.dumps({**made_of, "packages": contents()}), encoding="utf-8")


def remove(folder: Path) -> None:
    """Under another name first: what is left when this is interrupted must not look like an environment."""
    shutil.rmtree(TRASH, ignore_errors=True)
    if folder.exists():
        folder.rename(TRASH)
        shutil.rmtree(TRASH, ignore_errors=True)


def rebuild(held: int) -> None:
    """Make a new .venv. If that fails or is stopped, the old one comes back, and else none stays."""
    if VENV.is_symlink() or (VENV.exists() and not STAMP.exists() and any(VENV.iterdir())):
        raise SetupError(f"{VENV} was not made by this script: move it away, or delete it")
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise SetupError(f"this Python cannot make environments: on Debian or Ubuntu, sudo apt install {package}")
    free = shutil.disk_usage(ROOT).free // 2**20
    if free < ROOM:
        raise SetupError(f"{ROOT} has {free} MB of free disk, and {ROOM} MB are needed: free some space")
    remove(ASIDE)
    if read_stamp():
        VENV.rename(ASIDE)
    else:
        remove(VENV)
    try:
        VENV.mkdir()
        STAMP.write_text("{}", encoding="utf-8")  # from here on it is known to be ours, and not finished
        LOG.unlink(missing_ok=True)
        install(held)
    except BaseException:
        remove(VENV)
        if ASIDE.exists():
            ASIDE.rename(VENV)
        raise


def wait_for(lock: IO[str]) -> None:
    """Take the lock, and say so if that takes time: a run that was just stopped holds it for a moment more."""
    for _ in range(20):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.05)
    say("another run is setting up this checkout: waiting for it")
    fcntl.flock(lock, fcntl.LOCK_EX)


def set_up() -> None:
    """Bring .venv up to date: nothing to do most of the time. One at a time does it."""

    def old_ones() -> bool:
        return ASIDE.exists() or TRASH.exists()

    if ready() and not old_ones():
        return
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w", encoding="utf-8") as lock:
        wait_for(lock)
        if not ready():
            start = time.monotonic()
            say("setting up, once:")
            rebuild(lock.fileno())
            say(f"ready after {time.monotonic() - start:.1f} s")
        if old_ones():
            with step("remove the old .venv"):
                remove(ASIDE)


def clean() -> None:
    """Empty the cache. Raises SetupError while a test uses it."""
    with contextlib.ExitStack() as held:
        for path in [*CACHE.glob("*.lock"), *CACHE.glob("runs/*.lock")]:
            lock = held.enter_context(path.open("w", encoding="utf-8"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SetupError(f"a run uses {CACHE}: wait for its end, or stop it, then run this again") from None
        before = shutil.disk_usage(ROOT).free
        for folder, names, _ in os.walk(CACHE):  # what chapters made read-only can be removed too
            for name in names:
                place = Path(folder, name)
                if not place.is_symlink():
                    place.chmod(0o700)
        if CACHE.exists():
            shutil.rmtree(CACHE)
        say(f"{CACHE} is empty: {max(0, shutil.disk_usage(ROOT).free - before) // 2**20} MB are free again")


# ---------------------------------------------------------------- the commands


def port(text: str) -> int:
    number = int(text)
    if not 0 < number < 2**16:
        raise ValueError
    return number


def main(command: str = "", *arguments: str) -> NoReturn:
    if command == "serve":
        parser = argparse.ArgumentParser(prog="guide.py serve", description="Serve the site on this machine.")
        parser.add_argument("--port", type=port, default=8000, help="default: 8000")
        chosen = parser.parse_args(arguments)
        require("git")
        words = ["scripts/build_site.py", "--serve", "--port", str(chosen.port)]
    elif command == "test":
        require("git", "bash")
        words = ["-m", "pytest", *arguments]
    elif command == "check":
        require("git", "bash")
        words = ["-m", "pytest", "-n", "auto", *QUICK, *arguments]
    elif command == "doctor" and not arguments:
        os.chdir(ROOT)
        python = str(PYTHON) if ready() else sys.executable  # it needs no packages, and finds more beside them
        os.execv(python, [python, "-m", "scripts.doctor"])
    elif command == "clean" and not arguments:
        clean()
        sys.exit(0)
    else:
        say(str(__doc__).rstrip())
        sys.exit(0 if command in {"-h", "--help"} else 2)
    set_up()
    os.chdir(ROOT)
    # It takes the place of this script, so that signals reach it and its exit status is the one that counts.
    os.execv(PYTHON, [str(PYTHON), *words])


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        main(*sys.argv[1:])
    except SetupError as error:
        sys.exit(f"guide.py: {error}")
    except OSError as error:
        sys.exit(f"guide.py: {error.filename or ROOT}: {error.strerror}: use a whole checkout that you can write to")
    except KeyboardInterrupt:
        say("guide.py: stopped, and nothing is left half-made: run it again to start over")
        sys.exit(128 + signal.SIGINT)
