"""Leads the steps of a build to the package index of this machine, and to the certificates that it trusts.

Called between Podman and the runtime of containers, and changes only how a step is started: neither the image nor
its history nor the key of a cached layer gets anything of it. A mount would leave an empty file in the image, but
for one below /dev, which is never part of it.

    python3 steps.py SETTINGS create --bundle FOLDER …
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CERTIFICATES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
PLACE = "/dev/guide/certificates.pem"
# Of the machine's processor, or folders of the machine.
LEFT_OUT = ("OPENBLAS_", "SSL_CERT_DIR")


def settings(user: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What a step gets: variables, and files of this machine by their places in the container."""
    # Only the runner has it, not the process that calls main.
    from scripts.runner.environment import PASSED_ON, PATIENCE

    own = {name: user[name] for name in PASSED_ON if user.get(name) and not name.startswith(LEFT_OUT)}
    passed = {**PATIENCE, **own}
    variables = {name: value for name, value in passed.items() if not value.startswith(("/", "file:"))}
    bundle = next((user[name] for name in CERTIFICATES if Path(user.get(name, "")).is_file()), None)
    if bundle is None:
        return {"variables": variables, "files": {}}
    certificates = {name: PLACE for name in CERTIFICATES if name in passed}
    return {"variables": {**variables, **certificates}, "files": {PLACE: str(Path(bundle).resolve())}}


def change(config: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Add to what a runtime reads. What the image itself sets stays as it is."""
    known = {variable.partition("=")[0] for variable in config["process"]["env"]}
    config["process"]["env"] += [f"{name}={value}" for name, value in given["variables"].items() if name not in known]
    config["mounts"] += [
        {"destination": place, "type": "bind", "source": source, "options": ["bind", "ro", "nosuid", "nodev"]}
        for place, source in given["files"].items()
    ]


def main(place: str, *arguments: str) -> None:
    bundle = arguments[arguments.index("--bundle") + 1] if "--bundle" in arguments else "."
    file = Path(bundle, "config.json")
    config = json.loads(file.read_text())
    change(config, json.loads(Path(place).read_text()))
    file.write_text(json.dumps(config))


if __name__ == "__main__":
    main(*sys.argv[1:])
