"""The reader's container engine: real containers, of which nothing is left and nothing of the machine's is touched."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from scripts.chapters import DEFAULT
from scripts.runner import capabilities, engine, environment, processes
from scripts.runner.directory import RunDirectory, claim
from scripts.runner.engine import Engine, images, podman, steps
from scripts.runner.engine.caller import Caller
from scripts.runner.engine.podman import Podman
from scripts.runner.environment import PATIENCE
from scripts.runner.mutation import Outcome, Trials, mutants
from scripts.runner.records import ABSENT, FAILED, RAN
from scripts.runner.standins import stand_ins
from tests.runner.sample import CHECKOUT, UV, Checkout, Done, Tiny, ending, file, free_port, output, server, sh, until

CACHE = CHECKOUT / ".cache/containers"
PYTHON = "python:3.11-slim-bookworm"
HELLO = f"docker run --rm {PYTHON} python3 -c 'print(\"hello from a container\")'"
SLEEPER = f"docker run --detach --name {{}} {PYTHON} sleep 600 > /dev/null"


@pytest.fixture
def podmans(pytestconfig: pytest.Config) -> Callable[[RunDirectory], list[Engine]]:
    """The engine for a run, with images that all tests share. One store for each worker of pytest."""
    if missing := capabilities.absent(("podman",)):
        if pytestconfig.getoption("--strict-capabilities"):
            pytest.fail(f"this machine lacks {missing}")
        pytest.skip(f"capability {missing}")
    store = CACHE / "tests" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
    return lambda run: [Podman(run.root, store, CACHE / "images")]


@pytest.fixture
def perform(tiny: Tiny, podmans: Any) -> Callable[..., Done]:
    """Do a chapter that has the engine."""
    return lambda *parts: tiny.perform(*parts, standins=podmans)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    directory = claim(tmp_path / "runs", "uv")
    directory.empty()
    yield directory
    directory.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 1.0)


def left_of(done: Done) -> list[dict[str, Any]]:
    """Containers that Podman has in the run directory of a chapter."""
    found = [one for one in done.performer.engines if isinstance(one, Podman)]
    return [container for one in found for container in one.list("ps", "--all")]


def conmons(path: Path) -> list[str]:
    """Monitors of containers whose files are below a folder. There is one for each living container."""
    commands = [process.info["cmdline"] or [""] for process in psutil.process_iter(["cmdline"])]
    return [words[0] for words in commands if words[0].endswith("conmon") and any(str(path) in word for word in words)]


# ---------------------------------------------------------------- containers in a chapter


def test_a_container_runs_and_the_block_says_what_answered(perform: Callable[..., Done]) -> None:
    done = perform(sh("echo before"), sh(HELLO), sh("podman --version"))
    assert done.outcomes == [RAN] * 3, done.records
    assert done.records[1].output == "hello from a container\n"
    name = done.records[1].standins[0]
    assert name.startswith("container engine: Podman ")
    assert " in place of Docker, " in name
    assert [bool(record.standins) for record in done.records] == [False, True, True]


def test_an_engine_that_nobody_calls_makes_nothing(perform: Callable[..., Done]) -> None:
    done = perform(sh("true"))
    [one] = done.performer.engines
    assert not one.used
    assert one.clear() == []
    assert not (one.folder / "run").exists()


def test_settings_and_storage_of_the_machine_are_not_used(perform: Callable[..., Done], tmp_path: Path) -> None:
    done = perform(sh("podman info --format json"), sh("podman network inspect podman"))
    assert done.outcomes == [RAN] * 2, done.records
    store = json.loads(done.records[0].output)["store"]
    root = done.performer.run.root
    assert store["graphRoot"].startswith(str(CACHE))
    for place in ("volumePath", "configFile"):
        assert store[place].startswith(str(root / "engine")), store
    assert store["runRoot"] == str(podman.short(root))
    [network] = json.loads(done.records[1].output)
    assert network["network_interface"].startswith("guide-")


def test_runs_at_the_same_time_have_other_networks(tmp_path: Path) -> None:
    names = [(root, name) for root in ("a", "b") for name in ("podman", "kube")]
    networks = [podman.network(name, tmp_path / root, named=False) for root, name in names]
    assert len({network["network_interface"] for network in networks}) == 4
    assert len({json.dumps(network["subnets"]) for network in networks}) == 4


def test_what_is_read_only_in_docker_is_so_here(perform: Callable[..., Done]) -> None:
    write = 'python3 -c \'open("/tmp/x", "w")\''
    limits = "--memory 64m --cpus 1 --cap-drop all --user 10001 --security-opt no-new-privileges"
    done = perform(
        sh(f"docker run --rm {limits} {PYTHON} {write}"), sh(f"docker run --rm --read-only {PYTHON} {write}")
    )
    assert done.outcomes == [RAN, FAILED]
    assert "Read-only file system" in done.last.output


# ---------------------------------------------------------------- building

REQUIREMENT = "six==1.16.0 --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254"
DOCKERFILE = f"""\
FROM {PYTHON}
WORKDIR /app
ENV CHANGE=none
COPY requirements.txt .
RUN env | sort && pip install --no-cache-dir --require-hashes --requirement requirements.txt
HEALTHCHECK CMD ["true"]
USER 10001
CMD ["python3", "-c", "import six; print(six.__version__)"]
"""


def app(change: str = "none") -> tuple[str, ...]:
    """Files of an image. A change makes its steps run again, whatever is cached."""
    return (
        file("Dockerfile", DOCKERFILE.replace("none", change), language="text"),
        file("requirements.txt", REQUIREMENT, language="text"),
    )


def test_a_build_reaches_the_package_index_and_keeps_nothing_of_it(
    perform: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "177")
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "178")
    done = perform(
        *app(str(time.time())),
        sh("docker build --pull --tag planets:1 project"),
        sh("docker run --rm planets:1"),
        sh("docker image inspect planets:1; docker history --no-trunc planets:1"),
        sh("docker create --name c planets:1 > /dev/null; docker export c | tar -t; docker rm c > /dev/null"),
        sh("docker image inspect --format '{{.Config.Healthcheck.Test}} {{.Config.User}}' planets:1"),
    )
    assert done.outcomes == [RAN] * 7, done.records
    build, answer, told, contents, config = (record.output for record in done.records[2:])
    assert "PIP_DEFAULT_TIMEOUT=177" in build
    assert "UV_HTTP_TIMEOUT=178" in build
    assert answer == "1.16.0\n"
    assert config == "[CMD true] 10001\n"
    for trace in ("TIMEOUT", "guide", "certificates.pem", "CERT", "BUNDLE"):
        assert trace not in told
    names = contents.splitlines()
    assert any(name.endswith("site-packages/six.py") for name in names)
    assert [n for n in names if n.endswith(("pip.conf", "uv.toml", "certificates.pem")) or "guide" in n] == []


def test_an_image_keeps_its_own_settings_while_it_is_built(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("a certificate")
    given = steps.settings(
        {
            "PIP_INDEX_URL": "https://mine/simple",
            "PIP_FIND_LINKS": "/opt/wheels",
            "SSL_CERT_FILE": str(tmp_path / "ca.pem"),
            "OPENBLAS_CORETYPE": "Haswell",
            "HOME": "/root",
        }
    )
    assert given["variables"] == {**PATIENCE, "PIP_INDEX_URL": "https://mine/simple", "SSL_CERT_FILE": steps.PLACE}
    assert given["files"] == {steps.PLACE: str(tmp_path / "ca.pem")}
    config: dict[str, Any] = {"process": {"env": ["PATH=/bin", "PIP_INDEX_URL=https://theirs"]}, "mounts": []}
    steps.change(config, given)
    patience = [f"{name}={value}" for name, value in PATIENCE.items()]
    own = ["PATH=/bin", "PIP_INDEX_URL=https://theirs"]
    assert config["process"]["env"] == [*own, *patience, f"SSL_CERT_FILE={steps.PLACE}"]
    assert [mount["destination"] for mount in config["mounts"]] == [steps.PLACE]
    assert steps.settings({}) == {"variables": PATIENCE, "files": {}}
    assert steps.settings({"PIP_RETRIES": "0"})["variables"] == {**PATIENCE, "PIP_RETRIES": "0"}


def test_names_of_images_are_the_state_of_a_run(tiny: Tiny, podmans: Any) -> None:
    tiny.write("1.1", *app(), sh("docker build --quiet --tag planets:1 project; docker tag planets:1 planets:old"))
    tiny.write("1.2", sh("docker run --rm planets:1"), sh("docker image inspect --format . planets:old"))
    assert tiny.do("1.2", standins=podmans).outcomes == [RAN] * 2
    tiny.close()
    # From the checkpoint of 1.1. Meanwhile, the store was another chapter's.
    other = Tiny(tiny.root.parent / "other")
    found = other.perform(sh("docker image exists planets:1 || echo gone"), standins=podmans)
    other.close()
    assert found.last.output == "gone\n"
    tiny.write("1.2", sh("echo changed"), sh("docker run --rm planets:1"))
    again = tiny.do("1.2", standins=podmans)
    assert again.outcomes == [RAN] * 2, again.records
    assert again.last.output == "1.16.0\n"


def test_an_image_of_an_earlier_chapter_that_is_gone(tiny: Tiny, podmans: Any) -> None:
    tiny.write("1.1", *app(), sh("docker build --quiet --tag planets:1 project"))
    tiny.write("1.2", sh("docker run --rm planets:1"))
    assert tiny.do("1.1", standins=podmans).outcomes == [RAN] * 3
    run = tiny.performers[-1].run
    [one] = tiny.performers[-1].engines
    assert isinstance(one, Podman)
    one.ask("rmi", "--force", "planets:1")
    assert run.root.exists()
    tiny.close()
    done = tiny.do("1.2", standins=podmans)
    assert done.outcomes == [FAILED]
    assert "images of earlier chapters are gone: localhost/planets:1" in done.last.problem


REMOVALS = {
    "a name": ("docker rmi planets:1", ["planets:old"]),
    "a name, by force": ("docker image rm --force planets:1", ["planets:old"]),
    "an id": ('docker rmi --force "$(docker images --quiet planets:old)"', []),
    "all names": ("docker rmi planets:1 planets:old", []),
}


@pytest.mark.parametrize(("removal", "left"), REMOVALS.values(), ids=REMOVALS)
def test_images_that_a_chapter_removes_are_there_to_do_it_again(
    tiny: Tiny, podmans: Any, removal: str, left: list[str]
) -> None:
    tiny.write("1.1", *app(), sh("docker build --quiet --tag planets:1 project; docker tag planets:1 planets:old"))
    names = sh("docker images --format '{{.Repository}}:{{.Tag}}' | grep planets || true")
    for word in ("once", "twice"):
        tiny.write("1.2", sh(f"echo {word}"), sh("docker run --rm planets:old"), sh(removal), names)
        done = tiny.do("1.2", standins=podmans)
        assert done.outcomes == [RAN] * 4, done.records
        assert done.last.output.split() == [f"localhost/{name}" for name in left]
        tiny.close()


def test_what_a_chapter_makes_and_removes_is_gone(perform: Callable[..., Done]) -> None:
    done = perform(
        *app(), sh("docker build --quiet --tag planets:1 project > id"),
        sh('docker rmi --force planets:1 > /dev/null; docker image exists "$(cat id)" || echo gone'),
    )  # fmt: skip
    assert done.outcomes == [RAN] * 4, done.records
    assert done.last.output == "gone\n"


def test_only_more_than_the_limit_makes_images_anew(tiny: Tiny, podmans: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers count once: ten small images on a large one are hardly larger than that."""
    one = "printf 'FROM planets:1\\nRUN echo %s\\n' $n | docker build --quiet --tag n:$n --file - project"
    builds = f"for n in $(seq 10); do {one}; done"
    tiny.write("1.1", *app(), sh("docker build --quiet --tag planets:1 project"), sh(builds))
    tiny.write("1.2", sh("docker run --rm planets:1"))
    built = tiny.do("1.1", standins=podmans)
    assert built.outcomes == [RAN] * 4, built.records
    [made] = tiny.performers[-1].engines
    assert isinstance(made, Podman)
    occupied = podman.occupied(made.store)
    assert 5 * occupied < sum(image["Size"] for image in made.list("images", "--all"))
    monkeypatch.setattr(podman, "LIMIT", occupied + 1)
    tiny.close()
    assert tiny.do("1.2", standins=podmans).outcomes == [RAN]
    monkeypatch.setattr(podman, "LIMIT", occupied // 2)
    tiny.close()
    tiny.write("1.2", sh("echo changed"), sh("docker run --rm planets:1"))
    done = tiny.do("1.2", standins=podmans)
    assert done.outcomes == [RAN, FAILED]
    assert "images of earlier chapters are gone" in done.last.problem


# ---------------------------------------------------------------- a registry, as a server


def registry(port: int) -> str:
    options = f'--rm --name registry --publish 127.0.0.1:{port}:5000 --volume "$PWD/registry:/var/lib/registry"'
    return server(f"docker run {options} registry:2", f"http://127.0.0.1:{port}/v2/", timeout=60)


def test_an_image_goes_to_a_registry_and_comes_back_by_its_digest(perform: Callable[..., Done]) -> None:
    port = free_port()
    image = f"127.0.0.1:{port}/planets"
    address = f"http://127.0.0.1:{port}/v2/planets/manifests/1"
    manifest = "application/vnd.docker.distribution.manifest.v2+json"
    done = perform(
        file("Dockerfile", "FROM scratch\nCOPY Dockerfile /", language="text"),
        sh("mkdir registry"),
        registry(port),
        sh(f"docker build --quiet --tag {image}:1 project; docker push {image}:1; docker rmi {image}:1"),
        sh(
            f"""
            digest=$(curl --silent --head --header 'Accept: {manifest}' {address} |
              sed -n 's/\\r$//; s/^Docker-Content-Digest: //p')
            docker pull --quiet {image}@$digest > /dev/null
            docker create --name c {image}@$digest sh > /dev/null
            docker cp c:/Dockerfile -  | tar --extract --to-stdout
            docker rm c > /dev/null
            """
        ),
    )
    assert done.outcomes == [RAN] * 5, done.records
    assert done.last.output == "FROM scratch\nCOPY Dockerfile /\n"
    assert left_of(done) == []


def test_a_server_in_a_container_that_does_not_listen_to_its_end(perform: Callable[..., Done], tmp_path: Path) -> None:
    port = free_port()
    command = f"docker run --name web --publish 127.0.0.1:{port}:8000 {PYTHON} python3 -m http.server 8000"
    done = perform(
        server(command, f"http://127.0.0.1:{port}/", timeout=30),
        sh(f"curl --silent http://127.0.0.1:{port}/etc/hostname"),
    )
    assert done.outcomes == [RAN] * 2, done.records
    assert left_of(done) == []
    assert conmons(done.performer.run.root) == []


# ---------------------------------------------------------------- what is left


def test_a_container_that_is_left_is_named_and_removed(perform: Callable[..., Done]) -> None:
    done = perform(sh(SLEEPER.format("web")))
    assert done.outcomes == [FAILED]
    assert done.last.problem == "still running at the end of the chapter: container web"
    assert left_of(done) == []
    assert conmons(done.performer.run.root) == []


def test_so_are_an_ended_one_a_pod_and_a_volume(perform: Callable[..., Done]) -> None:
    done = perform(
        sh(f"docker run --name job {PYTHON} true; docker volume create data"),
        sh("podman pod create --name planets; podman pod start planets"),
    )
    assert done.outcomes == [RAN, FAILED]
    told = done.last.problem.removeprefix("still running at the end of the chapter: ")
    pod, container, volume = told.split(", c")[0], "c" + told.split(", c")[1].split(", v")[0], told.split(", ")[-1]
    assert pod == "pod planets"
    assert container.startswith("container job (")
    assert volume == "volume data (not removed)"
    assert left_of(done) == []


def test_after_a_failure_containers_end_with_the_run(tiny: Tiny, perform: Callable[..., Done]) -> None:
    done = perform(sh(SLEEPER.format("web")), sh("false"))
    root = done.performer.run.root
    assert len(conmons(root)) == 1
    tiny.close()
    assert conmons(root) == []


def test_the_next_run_removes_what_a_killed_one_has_left(checkout: Checkout, podmans: Any) -> None:
    (checkout.cache / "containers").mkdir(parents=True)
    (CACHE / "images").mkdir(parents=True, exist_ok=True)
    (checkout.cache / "containers/images").symlink_to(CACHE / "images")
    checkout.write("1.1", sh(SLEEPER.format("web")), sh("touch ~/ready; sleep 600"))
    with ending(checkout.start()) as process:
        until(lambda: next((checkout.cache / "runs").glob("*/home/ready"), None), 240)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert len(conmons(checkout.cache)) == 1
    checkout.write("1.1", sh("echo again"))
    ended = checkout.pytest("--variant", "tool=uv")
    assert ended.status == 0, ended.text
    assert conmons(checkout.cache) == []


def test_mutants_do_not_meet_the_containers_of_one_another(tiny: Tiny, podmans: Any) -> None:
    port = free_port()
    place = tiny.write(
        "1.1",
        sh(f"docker tag {PYTHON} planets:1"),
        server(
            f"docker run --publish 127.0.0.1:{port}:8000 planets:1 python3 -m http.server 8000 --directory /etc",
            f"http://127.0.0.1:{port}/",
            timeout=20,
        ),
        sh(f"{SLEEPER.format('web')}\ncurl --silent http://127.0.0.1:{port}/debian_version | grep -c ."),
        output("1"),
        sh("docker rm --force --time 0 web"),
    )
    performer = tiny.performer(keep=False, standins=podmans)
    chapter = performer.guide.chapters["1.1"]
    chosen = [
        mutant
        for mutant in mutants(chapter, place.read_text(), UV)
        if mutant.kind in {"block deleted", "server killed"}
    ]
    found: list[Outcome] = list(Trials(performer.guide, chapter, performer).run(chosen))
    assert len(found) == 5
    assert [(o.mutant.kind, o.mutant.block.id) for o in found if not o.red] == []


# ---------------------------------------------------------------- images

FAKE = """\
#!/bin/sh
echo "$(basename "$0") $*" >> "$LOG"
case "$(basename "$0") $1 $2" in
  "podman manifest "*) exit 1 ;;
  "podman image exists") exit 1 ;;
  "podman image inspect") echo id-of-image ;;
  "podman save "*) while [ "$1" != --output ]; do shift; done; echo archive > "$2" ;;
  mmdebstrap*) sleep 0.5; echo "E: no mirror" >&2; exit "${FAILS:-0}" ;;
esac
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Programs that say what they were asked, in place of Podman and mmdebstrap. There is no Docker Hub."""
    for name in ("podman", "mmdebstrap", "docker"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(FAKE)
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return Caller(str(tmp_path / "bin/podman"), dict(os.environ))


def calls(tmp_path: Path, program: str) -> list[str]:
    return [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith(program)]


def test_an_image_is_made_once_for_all(fake: Caller, tmp_path: Path) -> None:
    [python, *_] = images.PUBLISHED
    threads = [threading.Thread(target=images.provide, args=(python, tmp_path / "made", fake)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls(tmp_path, "mmdebstrap")) == 1
    assert images.origins(tmp_path / "made") == {images.DEBIAN}
    assert images.told(images.origins(tmp_path / "made")) == "images of Docker Hub made from Debian packages"


def test_an_image_that_can_be_pulled_is_pulled(fake: Caller, tmp_path: Path) -> None:
    program = Path(fake.program)
    program.write_text(FAKE.replace('"podman manifest "*) exit 1', '"podman pull "*) echo id'))
    images.provide(images.PUBLISHED[0], tmp_path / "made", fake)
    assert calls(tmp_path, "mmdebstrap") == []
    assert images.told(images.origins(tmp_path / "made")) == "with images of Docker Hub"


def test_another_storage_has_the_base_image_under_the_same_digest(
    podmans: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Dockerfile of the reader names the digest, and a checkpoint takes it to other storages."""
    [python, *_] = images.PUBLISHED

    def make(image: images.Image, folder: Path, podman: Caller) -> str:
        with tarfile.open(folder / "root.tar", "w") as root:
            root.add(__file__, "etc/small")
        return podman("import", "--quiet", str(folder / "root.tar"), image.name).stdout.strip()

    monkeypatch.setattr(images, "_pull", lambda image, podman: "")
    monkeypatch.setattr(images, "_make", make)
    digests = list[str]()
    for name in ("made", "loaded"):
        places = {"graphroot": str(tmp_path / name / "root"), "runroot": str(tmp_path / name / "run")}
        settings = tmp_path / f"{name}.conf"
        settings.write_text(podman.table("storage", driver="vfs", **places))
        here = Caller(shutil.which("podman") or "podman", {**os.environ, "CONTAINERS_STORAGE_CONF": str(settings)})
        images.provide(python, tmp_path / "images", here)
        digests.append(here.says("image", "inspect", "--format", "{{.Digest}}", python.name))
    assert digests[0].startswith("sha256:")
    assert digests[0] == digests[1]


def test_it_says_what_to_install(fake: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(images.Missing, match=r"registry:2 cannot be pulled from Docker Hub: install mmdebstrap"):
        images.provide(images.PUBLISHED[1], tmp_path / "made", fake)


def test_it_says_why_an_image_cannot_be_made(fake: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made/.part-python-3.11-slim-bookworm-killed/etc").mkdir(parents=True)
    monkeypatch.setenv("FAILS", "25")
    failing = Caller(fake.program, dict(os.environ))
    for _ in range(2):
        with pytest.raises(images.Missing, match=r"nor made with mmdebstrap: E: no mirror$"):
            images.provide(images.PUBLISHED[0], tmp_path / "made", failing)
    assert [p.name for p in (tmp_path / "made").iterdir() if not p.name.endswith(".lock")] == []


def test_the_block_says_it_too(tiny: Tiny, podmans: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "SYSTEM_PATH", (str(tools(tmp_path)),))
    done = tiny.perform(sh(HELLO), standins=lambda run: [Podman(run.root, tmp_path / "store", tmp_path / "made")])
    assert done.outcomes == [FAILED]
    assert f"docker.io/library/{PYTHON} cannot be pulled from Docker Hub: install mmdebstrap" in done.last.problem


def tools(tmp_path: Path) -> Path:
    """A folder with all programs of the system but one."""
    folder = tmp_path / "system"
    folder.mkdir()
    for place in ("/usr/bin", "/bin", "/usr/sbin", "/sbin"):
        for program in Path(place).iterdir():
            if program.name != "mmdebstrap" and not (folder / program.name).exists():
                (folder / program.name).symlink_to(program)
    return folder


# ---------------------------------------------------------------- other machines


def test_a_machine_without_an_engine(tiny: Tiny, run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find", lambda name: None)
    assert engine.engines(run.root, CACHE) == []
    monkeypatch.setattr(capabilities, "has", lambda name: False)
    tiny.write("1.1", sh(HELLO), front="needs: [docker]\n")
    done = tiny.do("1.1")
    assert done.outcomes == [ABSENT]
    assert done.last.problem == "docker: install Docker or Podman"


def test_every_variant_has_it(run: RunDirectory, podmans: Any, tmp_path: Path) -> None:
    for place in ("laptop", "cloud"):
        found = stand_ins(tmp_path, {**DEFAULT, "place": place})(run)
        assert [type(one) for one in found if isinstance(one, Engine)] == [Podman]


def test_docker_gets_a_mark_on_all_that_is_made(
    run: RunDirectory, fake: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a daemon on no machine of ours: a program tells what it would be asked."""
    monkeypatch.setattr(engine, "find", lambda name: name if name == "docker" else None)
    [docker] = engine.engines(run.root, CACHE)
    docker.start()
    commands = (
        "docker run --rm planets:1 --label mine",
        "docker container create planets:1",
        "docker build --tag planets:1 .",
        "docker buildx build .",
        "docker volume create data",
        "docker ps --all",
        "docker --version",
    )
    ended = processes.run(
        ["bash", "-c", "; ".join(commands)],
        cwd=run.work,
        env={**run.environment(), "LOG": str(tmp_path / "log"), "GUIDE_BACKGROUND": "chapter-web"},
        log=run.log / "x",
        timeout=20,
    )
    assert ended.status == 0, ended.output
    mark = f"--label {docker.label}"  # type: ignore[attr-defined]
    asked = [line for line in calls(tmp_path, "docker") if "context inspect" not in line]
    assert asked == [
        f"docker run {mark} --label guide.background=chapter-web --rm planets:1 --label mine",
        f"docker container create {mark} --label guide.background=chapter-web planets:1",
        f"docker build {mark} --tag planets:1 .",
        f"docker buildx build {mark} .",
        f"docker volume create {mark} data",
        "docker ps --all",
        "docker --version",
    ]
    assert docker.requests == 0, "it is no stand-in"
    (tmp_path / "log").unlink()
    monkeypatch.setattr("scripts.runner.engine.base.find", lambda name: str(tmp_path / "bin" / name))
    docker.stop()
    filters = [line for line in calls(tmp_path, "docker") if f"--filter label={docker.label}" in line]  # type: ignore[attr-defined]
    assert {line.split(" ")[1] for line in filters} == {"ps", "volume", "network", "images"}
