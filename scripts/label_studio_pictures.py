"""Takes the pictures of Label Studio that part 5 shows, from a real server with the files of chapter 5.2.

python3 scripts/label_studio_pictures.py    installs Label Studio once into .cache/label-studio, and takes a minute
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402  (the path comes first)
from playwright.sync_api import Page, sync_playwright  # noqa: E402

from scripts.runner.capabilities import browser  # noqa: E402

FILES = ROOT / "code" / "chapter-5.2" / "labelling"
ENVIRONMENT = ROOT / ".cache" / "label-studio" / ".venv"
OUT = ROOT / "docs" / "part-5" / "images"
USER, PASSWORD, TOKEN = "you@example.com", "not-a-secret-here", "0" * 40  # of a server that lives for a minute


def install() -> None:
    """The locked Label Studio, if it is not there yet."""
    if (ENVIRONMENT / "bin" / "label-studio").exists():
        return
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", ENVIRONMENT], check=True)
    lock = ROOT / "requirements-label-studio.txt"
    subprocess.run([*uv, "pip", "sync", "--quiet", "--python", ENVIRONMENT, lock], check=True)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """A Label Studio in a folder of its own, as a reader starts it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        (folder / "project/labelling").mkdir(parents=True)
        (folder / "project/labelling/start").write_bytes((FILES / "start").read_bytes())
        self.home = folder / "label-studio"
        self.pool = self.home / "pictures" / "pool"
        self.pool.mkdir(parents=True)
        (self.home / ".venv").symlink_to(ENVIRONMENT)
        names = {"URL": self.url, "USERNAME": USER, "PASSWORD": PASSWORD, "TOKEN": TOKEN}
        (self.home / "settings.env").write_text("".join(f"LABEL_STUDIO_{k}={v}\n" for k, v in names.items()))
        self.process = subprocess.Popen(
            ["bash", folder / "project/labelling/start"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(360):
            try:
                urllib.request.urlopen(f"{self.url}/health")
                return
            except OSError:
                time.sleep(0.5)
        self.stop()
        raise SystemExit("label_studio_pictures: Label Studio was not ready within 180 s")

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(self.url + path, method=method, data=json.dumps(body).encode())
        request.add_header("Authorization", f"Token {TOKEN}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def fill(self) -> tuple[int, str]:
        """Make the project with some pictures, and return its number and the key for what the first one shows."""
        bodies = {}
        for archive in "city", "new-bodies":
            with ZipFile(ROOT / f".cache/dataset/{archive}.zip") as pictures:
                for name in sorted(n for n in pictures.namelist() if n.endswith("_0003.jpg")):
                    content = pictures.read(name)
                    hidden = self.pool / f"{hashlib.sha256(content).hexdigest()[:12]}.jpg"
                    hidden.write_bytes(content)
                    bodies[hidden] = Path(name).parent.name
        settings = {
            "title": "Planets and moons",
            "label_config": (FILES / "interface.xml").read_text(),
            "expert_instruction": (FILES / "guidelines.html").read_text(),
            "show_instruction": True,
        }
        project = int(self.ask("POST", "/api/projects", settings)["id"])
        self.ask("POST", "/api/storages/localfiles", {"project": project, "title": "pool", "path": str(self.pool)})
        tasks = [{"data": {"picture": f"/data/local-files/?d=pool/{p.name}"}} for p in sorted(self.pool.iterdir())]
        self.ask("POST", f"/api/projects/{project}/import", tasks)
        first = bodies[min(self.pool.iterdir())]
        (choice,) = ElementTree.parse(FILES / "interface.xml").findall(f".//Choice[@value='{first}']")
        return project, choice.attrib["hotkey"]


def keep(page: Page, name: str, width: int = 1100) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)  # what slides in has come to rest
    OUT.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(page.screenshot())).crop((0, 0, width, 700)).save(OUT / f"{name}.webp", quality=80, method=6)


def take(server: Server, page: Page) -> None:
    """Go where the reader goes, and keep what is seen there."""
    page.goto(f"{server.url}/user/login/")
    page.fill("input[name=email]", USER)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.get_by_role("button", name="Create Project").first.click()
    page.fill("input[name=name]", "Planets and moons")
    keep(page, "create")

    project, key = server.fill()
    page.goto(f"{server.url}/projects/{project}/settings/labeling")
    page.get_by_text("Code", exact=True).first.click()
    keep(page, "interface", width=640)  # beside it is a preview, with a picture that is not ours
    page.goto(f"{server.url}/projects/{project}/data")
    keep(page, "tasks")
    page.get_by_text("Label All Tasks").first.click()
    page.wait_for_timeout(1500)
    keep(page, "guidelines")
    page.keyboard.press("Escape")
    page.wait_for_selector("text=Submit")
    page.keyboard.press(key)
    keep(page, "label")


def main() -> int:
    chrome = browser()
    if chrome is None:
        print("label_studio_pictures: no browser: install Chromium or Google Chrome", file=sys.stderr)
        return 1
    install()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder))
        window = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox", "--disable-gpu"])
        try:
            page = window.new_page(viewport={"width": 1100, "height": 700}, reduced_motion="reduce")
            page.set_default_timeout(20_000)
            take(server, page)
        finally:
            window.close()
            server.stop()
    print(f"pictures are in {OUT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
