"""The attack fails on what is released, and succeeds where only the small counts themselves are hidden."""

import sys
from pathlib import Path

import pandas as pd
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


def test_a_commune_is_taken_apart_from_what_is_shown_of_all():
    """Of a mean over all communes, each of the others known, the hidden one is what is left."""
    from evalkit.impact import estimates as impact

    panel = pd.DataFrame(
        {
            "unit": ["a", "a", "b", "b"],
            "year": [2022, 2023] * 2,
            "standard": "2022-2025",
            "poor_pct": [9.0, 8.0, 7.0, 1.0],
            "production_credit_lag1": [10.0, 11.0, 12.0, 13.0],
        }
    )
    rows = pd.DataFrame(
        {
            "place": ["b", "a"],
            "indicator": ["poverty_rate_pct", "share_production_pct"],
            "year": [2023, 2022],
            "basis": ["2022-2025", None],
            "hidden": ["primary", "secondary"],
        }
    )
    other = panel.assign(
        poor_pct=panel["poor_pct"].where(panel["unit"].ne("b") | panel["year"].ne(2023), 2.0),
        production_credit_lag1=panel["production_credit_lag1"].where(
            panel["unit"].ne("a") | panel["year"].ne(2023), 50.0
        ),
    )
    seen = impact.seen(panel, rows)
    assert seen["poor_pct"].isna().tolist() == [False, False, False, True]
    assert seen["production_credit_lag1"].isna().tolist() == [False, True, False, False]
    pd.testing.assert_frame_equal(seen, impact.seen(other, rows))


def test_an_estimate_leaves_with_three_digits():
    from evalkit.present import disclose

    table = pd.DataFrame({"estimate": [-0.123456, 2437.0, float("nan"), float("inf")], "n": 2437})
    assert disclose.estimates(table)["estimate"].tolist()[:2] == [-0.123, 2437.0]
    assert disclose.estimates(table)["n"].eq(2437).all()
