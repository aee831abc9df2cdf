"""What people meet who want to help: the template of a chapter, the doctor, the manual and the badge."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import doctor, guide, lock, verdicts
from scripts.chapters import Guide
from scripts.chapters.grammar import CAPABILITIES
from scripts.runner.judging import judge
from scripts.runner.records import RAN
from tests.runner.sample import Tiny, sh
from tests.setup.checkout import ROOT
from tests.setup.test_repository import LOCKS, table

TEMPLATE = ROOT / "scripts/templates/chapter.md"
MANUAL = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


# ---------------------------------------------------------------- the template


def test_the_template_passes_as_it_stands(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path / "guide")
    tiny.write("1.1", sh("mkdir mlops-guide"))
    page = tiny.write("9.9")
    page.write_text(TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
    try:
        done = tiny.do("9.9")
        chapter = done.performer.guide.chapters["9.9"]
        performance = done.performer.performance(chapter)
        blocks = list(chapter.executable(done.performer.variant))
        verdicts = {str(block.place): judge(block, performance) for block in blocks}
        assert {place: (v.problem, v.detail) for place, v in verdicts.items() if v.outcome != RAN} == {}
        assert {block.kind for block in blocks} >= {"file", "run", "expect", "hidden"}
    finally:
        tiny.close()


def test_the_template_has_the_sections_of_a_chapter() -> None:
    """Those that all chapters of the guide have."""

    def sections(page: Path) -> list[str]:
        return re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.M)

    pages = [ROOT / chapter.page for chapter in Guide.load(ROOT).chapters.values() if "/chapter-" in chapter.page]
    common = set.intersection(*(set(sections(page)) for page in pages))
    assert common, "no two chapters have a section in common"
    assert common <= set(sections(TEMPLATE))


# ---------------------------------------------------------------- the doctor


def test_the_doctor_knows_each_capability() -> None:
    assert set(CAPABILITIES) <= {need.name for need in doctor.NEEDS}


def test_the_doctor_names_the_packages_of_readme() -> None:
    known = " ".join(need.packages.get("debian", "") for need in doctor.NEEDS).split()
    listed = " ".join(packages.strip("`") for _, packages, _ in table("What you need")).split()
    assert set(listed) <= set(known)


def there() -> bool:
    return True


def missing() -> bool:
    return False


@pytest.mark.parametrize(
    ("here", "told"),
    [
        ("debian", "git, tool: sudo apt install --yes git"),
        ("fedora", "tool: see https://example.com"),
        (None, "git: install git with the packages of your system"),
    ],
)
def test_the_doctor_tells_how_to_have_the_rest(here: str | None, told: str) -> None:
    needs = (
        doctor.Need("python", "everything", there, basic=True),
        doctor.Need("git", "everything", missing, doctor.of("git"), basic=True),
        doctor.Need("tool", "more", missing, {"debian": "git"}, "see https://example.com"),
        doctor.Need("extra", "most", missing, {}, "see elsewhere", optional=True),
    )
    lines, works = doctor.report(needs, here, 50)
    assert not works
    assert [line.split()[:2] for line in lines[:5]] == [
        *(["yes", "python"], ["NO", "git"], ["NO", "tool"], ["-", "extra"], ["yes", "disk"])
    ]
    assert f"  {told}" in lines
    assert lines[-2:] == ["What only some steps use:", "  extra: see elsewhere"]


def test_the_doctor_needs_no_packages(tmp_path: Path) -> None:
    """It comes before the environment: with a Python that has nothing but its own library, in any folder."""
    python = getattr(sys, "_base_executable", sys.executable)
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from scripts import doctor; sys.exit(doctor.main())"
    done = subprocess.run([python, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "yes  git" in done.stdout


# ---------------------------------------------------------------- the manual


def test_what_the_manual_points_to_is_there() -> None:
    for page in ("CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{page} points to {target}"


def test_the_options_of_the_manual_exist(pytestconfig: pytest.Config) -> None:
    rows = re.findall(r"^\| `(-[-\w]+)", MANUAL, re.M)
    assert len(rows) > 10
    for option in rows:
        pytestconfig.getoption(option)  # raises ValueError for one that nobody has defined


def test_the_quick_checks_are_there() -> None:
    assert all((ROOT / name).exists() for name in guide.QUICK)


def test_each_lock_is_locked_by_the_command() -> None:
    assert set(lock.LOCKS) == set(LOCKS)


# ---------------------------------------------------------------- what was verified


def run(date: str, *outcomes: str) -> dict[str, object]:
    return {"date": date, "blocks": {str(n): {"outcome": outcome} for n, outcome in enumerate(outcomes)}}


def data(**variants: dict[str, object]) -> dict[str, object]:
    return {"chapters": {"1.1": {"page": "a.md", "title": "A", "variants": variants}}}


def test_what_several_machines_verified_is_put_together() -> None:
    """Each has the old runs of all ways, and a new one of its own."""
    before = data(uv=run("2026-01-01", "failed"), pip=run("2026-01-01", "ran"))
    uv, pip = run("2026-02-02", "ran"), run("2026-02-02", "ran", "ran")
    others = [data(uv=uv, pip=run("2026-01-01", "ran")), data(uv=run("2026-01-01", "failed"), pip=pip)]
    assert verdicts.merge(before, others) == data(uv=uv, pip=pip)
    assert verdicts.merge({}, others[:1]) == others[0]
    assert before == data(uv=run("2026-01-01", "failed"), pip=run("2026-01-01", "ran"))


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({}, ("not yet", verdicts.NONE)),
        (data(uv=run("2026-02-02", "ran", "absent"), pip=run("2026-01-01", "ran")), ("2026-02-02", verdicts.GOOD)),
        (data(uv=run("2026-02-02", "ran"), pip=run("2026-02-02", "failed", "blocked")), ("2 failed", verdicts.BAD)),
    ],
    ids=["nothing", "good", "red"],
)
def test_a_badge_says_what_was_verified(known: dict[str, object], told: tuple[str, str]) -> None:
    assert verdicts.told(known) == told
    assert f">{told[0]}</text>" in verdicts.badge(*told)
