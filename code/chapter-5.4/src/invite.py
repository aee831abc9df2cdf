"""Open an account with an invitation link, as a colleague would in the browser: python3 src/invite.py NAME ...

For each name a token is written to ../label-studio/colleagues.env. The password is made up, and nobody learns it.
"""

import secrets
import sys
from pathlib import Path

import httpx

from label_studio import LabelStudio

TOKENS = Path("../label-studio/colleagues.env")


def join(url: str, link: str, name: str) -> str:
    """Fill in the form behind an invitation link, and return the token of the new account."""
    with httpx.Client(base_url=url, follow_redirects=True, headers={"Referer": url}, timeout=60) as browser:
        form = {"email": f"{name}@example.com", "password": secrets.token_urlsafe(16)}
        browser.get(link)
        browser.post(link, data={**form, "csrfmiddlewaretoken": browser.cookies["csrftoken"]})
        answer = browser.get("/api/current-user/token")
    if answer.is_error:
        raise SystemExit(f"{name} could not join: is there an account already?")
    return answer.json()["token"]


def main(*names: str) -> None:
    studio = LabelStudio.from_environment()
    link = studio.ask("GET", "/api/invite")["invite_url"]
    TOKENS.touch(mode=0o600)
    for name in names:
        token = join(str(studio.http.base_url), link, name)
        with TOKENS.open("a") as file:
            file.write(f"{name.upper()}_TOKEN={token}\n")
        print(f"{name} has joined")
    studio.ask("POST", "/api/invite/reset-token")  # so that the link opens no more accounts


if __name__ == "__main__":
    main(*sys.argv[1:])
