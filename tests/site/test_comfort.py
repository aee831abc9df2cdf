"""Reading comfort: progress that stays in the browser, pictures that open, buttons that copy commands only."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from markdown import Markdown

from scripts.site.history import last_changes
from tests.site.navigation import HOST, PAGES, ROOT, at_home
from tests.site.test_pages import opened

pytestmark = pytest.mark.xdist_group("site")

CHAPTER = "/part-1/chapter-1.2/"


def test_progress_is_kept_and_can_be_forgotten(browser: Any, address: str) -> None:
    with opened(browser, address + CHAPTER, "phone") as view:
        view.get_by_label("I have done chapter 1.2").focus()
        view.keyboard.press("Space")
        assert view.inner_text(".chapter-done .progress") == "1 of 28 done"
        view.reload()
        assert view.get_by_label("I have done chapter 1.2").is_checked()

        view.goto(f"{address}/introduction/syllabus/")
        assert view.locator(".syllabus .is-done").all_text_contents() == [
            "1.2 Adapt and move the Jupyter Notebook to Python scripts (done)"
        ]
        assert view.locator(".progress:visible").all_inner_texts() == ["1 of 28 done", "1 of 6 done"]

        view.goto(address)
        assert view.locator(".start").all_inner_texts() == ["Start with chapter 1.1"] * 2, "1.1 comes first"
        view.evaluate("localStorage['guide.done'] = '[\"1.1\",\"1.2\"]'")
        view.reload()
        view.click("text=Continue with chapter 1.3 >> nth=0")
        view.wait_for_url("**/part-1/chapter-1.3/")

        view.goto(f"{address}/introduction/syllabus/")
        view.click("text=Forget my progress")
        assert view.locator(".is-done").count() == 0
        assert view.evaluate("localStorage['guide.done']") is None
        view.click("text=Bring my progress back")
        assert view.locator(".syllabus .is-done").count() == 2
        assert {urlsplit(url).netloc for url in view.requests} == {urlsplit(address).netloc}


def test_progress_follows_pages_that_are_swapped(browser: Any, site: Path) -> None:
    """The theme swaps pages at the address of mkdocs.yml only, so the files are served under that name."""
    context = browser.new_context()
    at_home(context, site)
    view = context.new_page()
    view.goto(HOST + CHAPTER, wait_until="networkidle")
    view.evaluate("window.stayed = true")
    view.check("text=I have done chapter 1.2")
    assert view.locator(".md-nav--primary .is-done:visible").count() == 1
    view.click(".md-footer__link--next")
    view.wait_for_selector("h1 >> text=Chapter 1.3")
    assert not view.is_checked("text=I have done chapter 1.3")
    view.wait_for_selector(".md-nav--primary .is-done:visible >> text=Chapter 1.2")
    assert view.evaluate("window.stayed")
    context.close()


def test_without_storage_and_without_script_nothing_is_promised(browser: Any, address: str) -> None:
    context = browser.new_context()
    context.add_init_script(
        "Storage.prototype.getItem = Storage.prototype.setItem = () => { throw new Error('blocked') }"
    )
    view = context.new_page()
    view.goto(address + CHAPTER)
    view.wait_for_function("document.readyState == 'complete'")
    assert not view.is_visible(".chapter-done")
    context.close()
    context = browser.new_context(java_script_enabled=False)
    view = context.new_page()
    view.goto(address + CHAPTER)
    assert not view.is_visible(".chapter-done")
    view.goto(f"{address}/part-5/chapter-5.1/")
    assert view.get_attribute("a.zoom >> nth=0", "href").endswith("images/create.webp")
    context.close()


def test_picture_opens_and_closes_with_the_keyboard(browser: Any, address: str) -> None:
    with opened(browser, f"{address}/part-5/chapter-5.1/") as view:
        view.locator("a.zoom").first.focus()
        view.keyboard.press("Enter")
        dialog = view.get_by_role("dialog", name="The dialog that creates a project")
        assert dialog.is_visible()
        assert view.evaluate("document.activeElement.innerText") == "Close"
        view.keyboard.press("Escape")
        view.wait_for_selector(".zoom-dialog", state="detached")
        assert view.evaluate("document.activeElement.matches('a.zoom')")
        assert view.url.endswith("/part-5/chapter-5.1/")


def test_only_what_one_types_can_be_copied(browser: Any, address: str) -> None:
    with opened(browser, address + CHAPTER) as view:
        kinds = view.evaluate("""() => [...document.querySelectorAll('article .highlight')].map(block => [
            block.querySelector('.filename')?.textContent == 'Output',
            Boolean(block.querySelector('[data-clipboard-target]')),
        ])""")
        assert {output for output, _ in kinds} == {True, False}
        assert all(has != output for output, has in kinds)
        view.evaluate("document.execCommand = () => { window.copied = String(getSelection()); return true }")
        block = view.locator("article .highlight:has(.md-code__button)").first
        block.locator("button").focus()
        view.keyboard.press("Enter")
        view.wait_for_function("window.copied")
        assert view.evaluate("copied").strip() == block.locator("code").inner_text().strip()
    for page in PAGES:
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        for block in re.findall(r"^( *)```sh[^\n]*\n(.*?)^\1```$", text, re.M | re.S):
            assert not re.search(r"^ *\$ ", block[1], re.M), f"{page}: a prompt would be copied"


def test_tabs_remember(browser: Any, address: str) -> None:
    pip = """() => [...document.querySelectorAll('.tabbed-set > input:checked')].some(
        input => document.querySelector(`[for=${input.id}]`).innerText == 'pip')"""
    with opened(browser, address + CHAPTER) as view:
        view.wait_for_function("!!window.component$")  # the theme listens from here on
        view.locator(".tabbed-labels >> text=pip").first.click()
        view.wait_for_function(pip)
        view.reload()
        view.wait_for_function(pip)
        view.goto(f"{address}/part-1/chapter-1.3/")
        view.wait_for_function(pip)


def test_search_suggests(browser: Any, address: str) -> None:
    with opened(browser, address) as view:
        view.click(".md-search__input")
        view.keyboard.type("kuber")
        view.wait_for_function("document.querySelector('.md-search__suggest').innerText.startsWith('kubernetes')")


def test_tags_name_tools_of_their_page(site: Path) -> None:
    listed = (site / "introduction/by-tool/index.html").read_text(encoding="utf-8")
    for page in PAGES:
        if "/chapter-" in page:
            _, front, text = (ROOT / "docs" / page).read_text(encoding="utf-8").split("---\n", 2)
            tags = yaml.safe_load(front).get("tags", [])
            assert tags, f"{page} names no tool: add tags: [...] to its front matter"
            assert tags == sorted(tags, key=str.casefold), page
            for tag in tags:
                assert re.search(rf"\b{tag}\b", text, re.I), f"{page} is tagged {tag}, and does not speak of it"
                assert f'id="tag:{tag.casefold().replace(" ", "-")}"' in listed


def git(folder: Path, *arguments: str, day: str = "2026-01-02") -> None:
    names = {f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_COMMITTER_DATE": f"{day}T12:00:00Z", **names}
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, env=environment)


def test_last_change_of_a_page(tmp_path: Path) -> None:
    root = tmp_path / "guide"
    (root / "docs/part-1").mkdir(parents=True)
    assert last_changes(root) == {}, "there is no repository"
    git(root, "init")
    for page, day in (("a.md", "2026-01-02"), ("part-1/é b.md", "2026-01-03")):
        (root / "docs" / page).write_text("text")
        git(root, "add", ".")
        git(root, "commit", "-m", page, day=day)
    (root / "docs/new.md").write_text("not committed")
    assert {page: str(day) for page, day in last_changes(root).items()} == {
        "a.md": "2026-01-02",
        "part-1/é b.md": "2026-01-03",
    }
    git(tmp_path, "clone", "--depth=1", root.as_uri(), "shallow")
    assert last_changes(tmp_path / "shallow") == {}, "its only commit seems to have changed everything"


def test_pictures_that_do_not_stand_alone_stay() -> None:
    convert = Markdown(extensions=["attr_list", "md_in_html", "scripts.site.zoom"]).convert
    picture = '<img alt="A" src="a.png" width="9" />'
    assert convert("![A](a.png){ width=9 }") == f'<p><a class="zoom" href="a.png">{picture}</a></p>'
    for text in ("![](a.png)", "Text ![A](a.png)", "[![A](a.png)](b.md)", "<figure markdown>\n![A](a.png)\n</figure>"):
        assert "zoom" not in convert(text)
