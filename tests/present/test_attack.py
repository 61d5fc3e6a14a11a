"""The attack fails on what is released, and succeeds where only the small counts themselves are hidden."""

import sys
from pathlib import Path

import pytest

from evalkit import building
from evalkit.errors import DisclosureError
from evalkit.metrics import suppress
from evalkit.present import attack

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from suppress_sample import decided_with_cells


@pytest.fixture(scope="module")
def release():
    return decided_with_cells([2, 40, 60, 50, 20, 30])


def test_it_fails_on_the_release(release):
    rows, sensitive, units = release
    found = attack.intervals(suppress.shown(rows), sensitive, units)
    assert len(found) > 0
    assert not found["disclosed"].any()


def test_it_succeeds_where_only_the_small_count_is_hidden(release):
    rows, sensitive, units = release
    bare = rows.assign(hidden=rows["hidden"].where(rows["hidden"].eq("primary"), ""))
    found = attack.intervals(suppress.shown(bare), sensitive, units)
    assert found["disclosed"].all()
    assert found["upper"].max() == pytest.approx(2, abs=0.01)


def written(folder, release):
    folder.mkdir()
    for name, table in zip(("indicators", "sensitive", "places"), release, strict=True):
        table.to_parquet(folder / f"{name}.parquet")
    return folder


def test_a_release_that_shows_what_the_last_one_hid_is_refused(tmp_path, release):
    now = written(tmp_path / "now", release)
    rows, sensitive, units = release
    changed = rows.assign(hidden=rows["hidden"].where(rows["place"].eq("10000"), ""))
    changed.loc[changed["place"].eq("10002") & rows["hidden"].eq(""), "hidden"] = "secondary"
    before = written(tmp_path / "before", (changed, sensitive, units))
    attack.must_fail(now)
    with pytest.raises(DisclosureError, match="10000, 2023, poor"):
        attack.must_fail(now, earlier=before)


def test_the_table_of_what_is_protected_stays_in_the_build(tmp_path, release):
    from evalkit.errors import ParameterError
    from evalkit.present import disclose

    folder = written(tmp_path / "now", release)
    with pytest.raises(ParameterError, match="stays in the build"):
        disclose.rows(folder, "sensitive")
    public = disclose.rows(folder, "indicators")
    assert public.loc[public["flags"].fillna("").str.contains("hidden"), "value"].isna().all()
    assert building.read(folder, "indicators")["value"].notna().all()
