"""The sample site, made once, in the words of the catalogue."""

import pytest
import site_sample as sample

from evalkit import publish
from evalkit.present.words import t


@pytest.fixture(scope="session")
def words():
    """Message lookup; a msgid without translation is a KeyError."""
    return t


@pytest.fixture(scope="session")
def made(tmp_path_factory, words):
    """Folder of the sample site, simulated data off."""
    out = tmp_path_factory.mktemp("out")
    sample.write_sample(out / "private")
    return publish.site(
        out / "private", out, sample.PLACES, meta=sample.META, words=words, summary=sample.RUN
    ).parent
