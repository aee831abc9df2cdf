"""Podman in place of Docker: with settings, storage and networks of the run, and none of the machine's."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from .. import environment
from ..environment import find
from ..processes import TOKEN
from . import images, names, steps
from .base import LABEL, Engine, Snapshot

STATE = ("networks", "tmp", "volumes")
"""What Podman keeps for one run, beside the folder libpod: it would not take that of a run at another place."""
HELPERS = [Path(place) / "podman" for place in ("/usr/local/libexec", "/usr/local/lib", "/usr/libexec", "/usr/lib")]
SYSTEMD = Path("/run/systemd/system")
LIMIT = 20 * 1024**3
"""Bytes that the images of one run directory may take on the disk before they are all made anew."""
REGISTRIES = """\
unqualified-search-registries = ["docker.io"]
short-name-mode = "permissive"
"""
INSECURE = """\
[[registry]]
location = "{address}"
insecure = true
"""
"""Docker, too, speaks http with a registry on the same machine, at whichever port."""
LOCAL = ("127.0.0.1", "localhost", "host.containers.internal")
POLICY = {"default": [{"type": "insecureAcceptAnything"}]}


class Podman(Engine):
    """Keeps images in ``store``, so that the next run in the same directory has their layers.

    One at a time uses a store. What Podman knows of containers begins anew each time.
    ``made`` is where archives of images are kept for all.
    """

    program, script, called = "podman", "podman.sh", ("docker", "podman")

    def __init__(self, root: Path, store: Path, made: Path) -> None:
        super().__init__(root)
        self.store, self.made, self.home = store, made, root / "home"

    @classmethod
    def of_dead_run(cls, root: Path) -> Podman:
        return cls(root, Path(), Path())  # its settings know

    @property
    def name(self) -> str:
        version = environment.version("podman").rpartition(" ")[2]
        return f"container engine: Podman {version} in place of Docker, {images.told(images.origins(self.made))}"

    # ------------------------------------------------------------ settings

    def configure(self) -> None:
        settings = self.folder
        self._forget()
        networks = settings / "networks"
        networks.mkdir()
        for name, named in {"podman": False, "podman-default-kube-network": True}.items():
            (networks / f"{name}.json").write_text(json.dumps(network(name, self.root, named=named)))
        (settings / "storage.conf").write_text(
            table("storage", driver="overlay", graphroot=str(self.store), runroot=str(short(self.root)))
        )
        (settings / "registries.conf").write_text(REGISTRIES + "".join(INSECURE.format(address=a) for a in LOCAL))
        runtime = find("runc")  # what Podman takes otherwise does not work on every machine
        (settings / "containers.conf").write_text(self._settings(runtime))
        reach = steps.settings()
        (settings / "build.json").write_text(json.dumps(reach))
        (settings / "build.json").chmod(0o600)  # an address may hold a password
        between = settings / "runtime"
        program = runtime or find("crun")
        self._write(
            between, RUNTIME.format(python=sys.executable, steps=steps.__file__, settings=settings, runtime=program)
        )
        (settings / "build.conf").write_text(self._settings(str(between)))
        config = self.home / ".config/containers"
        config.mkdir(parents=True, exist_ok=True)
        (config / "policy.json").write_text(json.dumps(POLICY))
        if not (config / "auth.json").exists():  # Podman insists on it
            (config / "auth.json").write_text("{}")

    def _write(self, program: Path, text: str) -> None:
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)

    def _settings(self, runtime: str | None) -> str:
        containers: dict[str, object] = {"log_driver": "k8s-file", "http_proxy": False}
        if os.getuid() == 0:  # more than a sandbox may allow is asked for otherwise
            containers["default_ulimits"] = ["nofile=4096:4096", "nproc=4096:4096"]
        engine: dict[str, object] = {
            "events_logger": "file",
            "lock_type": "file",  # the other kind is one for all of the user's containers
            "tmp_dir": str(self.folder / "tmp"),
            "volume_path": str(self.folder / "volumes"),
        }
        if runtime:
            engine["runtime"] = runtime
        if not SYSTEMD.exists():
            engine["cgroup_manager"] = "cgroupfs"
        net: dict[str, object] = {"network_config_dir": str(self.folder / "networks")}
        if netavark := next((place for place in HELPERS if (place / "netavark").exists()), None):
            net["network_backend"] = "netavark"
            self._write(self.folder / "helpers/netavark", NETAVARK.format(program=netavark / "netavark", token=TOKEN))
            engine["helper_binaries_dir"] = [str(place) for place in (self.folder / "helpers", *HELPERS)]
        return table("containers", **containers) + table("engine", **engine) + table("network", **net)

    def values(self) -> Mapping[str, object]:
        return {**super().values(), "made": self.made, "names": names.place(self.root)}

    def surroundings(self) -> dict[str, str]:
        return {**super().surroundings(), "HOME": str(self.home), **settings_of(self.folder, self.home)}

    # ------------------------------------------------------------ at the end

    def settle(self) -> None:
        """Note the names of images: they are the state of a reader's machine, their layers only a cache."""
        if self.used:
            names.save(names.place(self.root), self.list("images"))

    def stop(self) -> None:
        super().stop()
        if self.used and occupied(self.store) > LIMIT:
            self.ask("rmi", "--all", "--force")
        self._forget()

    def _forget(self) -> None:
        """Remove what Podman keeps for one run, when there are no containers."""
        for place in (self.store / "libpod", short(self.root), *(self.folder / name for name in STATE)):
            shutil.rmtree(place, ignore_errors=True)

    def left(self) -> list[str]:
        if not self.used:
            return []
        return [
            *(f"pod {pod['Name']}" for pod in self.list("pod", "ps")),
            *(f"container {one['Names'][0]}" + ended(one["State"]) for one in self._containers()),
            *(f"volume {one['Name']} (not removed)" for one in self._volumes()),
        ]

    def _containers(self) -> list[dict[str, Any]]:
        """Those that are in no pod, and that do not end with a background block."""
        return [one for one in self.list("ps", "--all") if not one["Pod"] and LABEL not in (one["Labels"] or {})]

    def _volumes(self) -> list[dict[str, Any]]:
        return [one for one in self.list("volume", "ls") if not one.get("Anonymous")]

    def clear(self) -> list[str]:
        told = self.left()
        if self.used and self.list("ps", "--all"):
            self.ask("pod", "rm", "--all", "--force", "--time", "0")
            self.ask("rm", "--all", "--force", "--volumes", "--time", "0")
        if told:
            self.ask("volume", "rm", "--all", "--force")
        if self.used:
            self.ask("secret", "rm", "--all")
        return told

    def containers(self) -> list[str]:
        return [one["Id"] for one in self._containers()] if self.used else []

    def remove(self, containers: Sequence[str]) -> None:
        self.ask("rm", "--force", "--ignore", "--volumes", "--time", "0", *containers)

    def pods(self) -> list[str]:
        return [pod["Id"] for pod in self.list("pod", "ps")] if self.used else []

    def _secrets(self) -> list[str]:
        return self.ask("secret", "ls", "--format", "{{.ID}}").split() if self.used else []

    def snapshot(self) -> Snapshot:
        self.settle()  # names are in a part of the run directory that is brought back by others
        return frozenset(self.containers()), frozenset(self.pods()), frozenset(self._secrets())

    def bring_back(self, snapshot: Snapshot) -> bool:
        _, pods, secrets = snapshot
        for pod in set(self.pods()) - pods:
            self.ask("pod", "rm", "--force", "--time", "0", pod)
        for secret in set(self._secrets()) - secrets:
            self.ask("secret", "rm", secret)
        (self.folder / "ready").unlink(missing_ok=True)  # the next call gives images their names again
        whole = super().bring_back(snapshot)
        return whole and set(self.pods()) == pods and set(self._secrets()) == secrets


RUNTIME = """\
#!/bin/sh
case " $* " in *" create "* | *" run "*) '{python}' -I '{steps}' '{settings}/build.json' "$@" || exit ;; esac
exec '{runtime}' "$@"
"""
"""Stands between Podman and the runtime of containers while an image is built."""
NETAVARK = """\
#!/bin/sh
unset {token}
RUST_LOG=error exec '{program}' "$@"
"""
"""Makes networks. Podman gives it a level of its own for what to say, which it takes for a mistake.

The server of names that it starts serves all runs on a machine, and ends with the last network: it belongs to none.
"""


def ended(state: str) -> str:
    return "" if state == "running" else f" ({state}, not removed)"


def settings_of(folder: Path, home: Path) -> dict[str, str]:
    """The variables that lead Podman to the settings of a run. podman.sh sets the same."""
    return {
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
        "REGISTRY_AUTH_FILE": str(home / ".config/containers/auth.json"),
        "TMPDIR": str(folder.parent / "tmp"),
    }


def short(root: Path) -> Path:
    """Where Podman keeps what ends with the machine. It takes no path of more than 50 letters."""
    return Path(f"/tmp/guide-{os.getuid()}-{hashlib.sha256(str(root).encode()).hexdigest()[:12]}")


def occupied(store: Path) -> int:
    """Bytes of all layers in a store, each counted once however many images share it."""
    known = store / "overlay-layers/layers.json"
    layers = json.loads(known.read_text()) if known.exists() else []
    return sum(layer.get("diff-size", 0) for layer in layers)


def table(name: str, **values: object) -> str:
    """A table of TOML: JSON writes texts, lists and truths in the same way."""
    return "\n".join([f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])


def network(name: str, root: Path, *, named: bool) -> dict[str, object]:
    """A network that no other run has: two runs at once would give the same addresses to their containers."""
    digest = hashlib.sha256(f"{root} {name}".encode()).hexdigest()
    taken = [
        ipaddress.ip_interface(f"{address.address}/{address.netmask}").network
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family.name == "AF_INET" and address.netmask
    ]
    start = int(digest[:6], 16)
    subnet = next(
        subnet for n in range(2**14) if not any((subnet := candidate(start + n)).overlaps(other) for other in taken)
    )
    return {
        "name": name,
        "id": digest,
        "driver": "bridge",
        "network_interface": f"guide-{digest[:6]}",
        "created": "2026-01-01T00:00:00Z",
        "subnets": [{"subnet": str(subnet), "gateway": str(subnet[1])}],
        "ipv6_enabled": False,
        "internal": False,
        "dns_enabled": named,
        "ipam_options": {"driver": "host-local"},
    }


def candidate(number: int) -> ipaddress.IPv4Network:
    """One of 2**15 small private networks, far from the ones that engines take by themselves."""
    return ipaddress.IPv4Network(f"10.{128 + number // 256 % 128}.{number % 256}.0/24")
