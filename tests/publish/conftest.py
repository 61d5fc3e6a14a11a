"""The sample site, made once, and the wording of messages.csv as the lookup."""

import csv
from pathlib import Path

import pytest
import site_sample as sample

from evalkit import publish

MESSAGES = Path(publish.__file__).parent / "messages.csv"


@pytest.fixture(scope="session")
def catalogue():
    """{msgid: {lang: text}} of the words the site uses."""
    with MESSAGES.open(encoding="utf-8", newline="") as file:
        return {row["msgid"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="session")
def words(catalogue):
    """Message lookup; a msgid that isn't listed is a KeyError."""
    return lambda msgid, lang, **parts: catalogue[msgid][lang].format(**parts)


@pytest.fixture(scope="session")
def made(tmp_path_factory, words):
    """Folder of the sample site, simulated data off."""
    out = tmp_path_factory.mktemp("out")
    sample.write_sample(out / "private")
    return publish.site(out / "private", out, sample.PLACES, meta=sample.META, words=words).parent
