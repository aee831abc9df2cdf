"""Test that the project in Label Studio fits the model, and that its pictures give nothing away."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pool
from project import INTERFACE, import_new

CHOICES = ElementTree.parse(INTERFACE).findall(".//Choice")


def test_every_class_of_the_model_can_be_chosen():
    known = json.loads(Path("serving/metadata.json").read_text())["labels"]
    assert set(known) <= {choice.get("value") for choice in CHOICES}


def test_each_key_is_for_one_label():
    keys = [choice.get("hotkey") for choice in CHOICES]
    assert all(keys)
    assert len(set(keys)) == len(CHOICES)


def test_pool_and_sealed_pictures_share_nothing():
    for archive, number, sealed in ("city", 330, 330), ("new-bodies", 225, 75):
        names = [{name for name, _ in pool.pictures(archive, sealed=which)} for which in (False, True)]
        assert [len(one) for one in names] == [number, sealed]
        assert not names[0] & names[1]


def test_a_name_in_the_pool_depends_on_the_picture_alone():
    assert pool.hidden_name(b"picture") == pool.hidden_name(b"picture") != pool.hidden_name(b"another")
    for name, content in pool.pictures("city"):
        assert Path(name).parent.name not in pool.hidden_name(content)


class Studio:
    """A Label Studio that remembers what it is asked to import."""

    def __init__(self):
        self.kept = []

    def tasks(self, project):
        return self.kept

    def ask(self, method, path, json):
        self.kept += json


def test_what_is_imported_already_is_not_imported_again():
    studio = Studio()
    assert import_new(studio, 1, ["a.jpg", "b.jpg"]) == 2
    assert import_new(studio, 1, ["a.jpg", "b.jpg", "c.jpg"]) == 1
    assert [task["data"]["picture"] for task in studio.kept] == [f"/data/local-files/?d=pool/{n}.jpg" for n in "abc"]
