"""The attack fails on what is released, and succeeds where only the small counts themselves are hidden."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from evalkit import building
from evalkit.errors import DisclosureError
from evalkit.metrics import rollup, suppress
from evalkit.present import attack

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from suppress_sample import PUBLISH, decided_with_cells, province


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


def second(poor, earlier, **publish):
    """Decide a second release beside the figures of an earlier one."""
    rows, tables, units = province(poor)
    return *suppress.decide(rows, tables, units, PUBLISH | publish, earlier), units


@pytest.fixture(scope="module")
def swapped(release):
    """An earlier release that hid another commune beside the small count."""
    rows = release[0]
    hidden = rows["hidden"].mask(rows["place"].eq("10001"), "")
    hidden = hidden.mask(rows["place"].eq("10002"), "secondary")
    return suppress.shown(rows.assign(hidden=hidden))


def test_two_releases_that_hide_differently_are_refused(tmp_path, release, swapped):
    now = written(tmp_path / "now", release)
    attack.must_fail(now)
    with pytest.raises(
        DisclosureError, match="10002, 2023, poor_households: hidden in the release that readers have"
    ):
        attack.must_fail(now, earlier=swapped)
    bare = rows_of_communes(release)
    with pytest.raises(DisclosureError, match="10000, 2023, poor: whoever subtracts"):
        attack.must_fail(now, earlier=bare)
    attack.must_fail(written(tmp_path / "beside", second([2, 40, 60, 50, 20, 30], bare)), earlier=bare)


def rows_of_communes(release):
    """A release of the communes alone, in which the small count is safe by itself."""
    rows = release[0][release[0]["place"].str.len().eq(5)]
    return suppress.shown(rows.assign(hidden=rows["hidden"].where(rows["place"].eq("10000"), "")))


def test_a_second_release_is_decided_beside_the_first(tmp_path, swapped):
    found = second([2, 40, 60, 50, 20, 30], swapped)
    counts = found[0][found[0]["indicator"] == "poor_households"].set_index("place")["hidden"]
    assert counts[["10000", "10001", "10002"]].tolist() == ["primary", "", "secondary"]
    attack.must_fail(written(tmp_path / "now", found), earlier=swapped)


def test_the_same_data_beside_their_own_release_hide_the_same(release):
    again = second([2, 40, 60, 50, 20, 30], suppress.shown(release[0]))
    pd.testing.assert_series_equal(
        again[0]["hidden"].replace("secondary", "x"), release[0]["hidden"].replace("secondary", "x")
    )


@pytest.mark.parametrize(
    "corrected", [[2, 41, 60, 50, 20, 30], [9, 40, 60, 50, 20, 30], [2, 40, 60, 3, 20, 30]]
)
def test_a_corrected_release_gives_nothing_back(tmp_path, release, corrected):
    """Of the partner, of the small count itself (2, or now 9: the sums of the first release still hold), of another."""
    before = suppress.shown(release[0])
    found = second(corrected, before)
    attack.must_fail(written(tmp_path / "now", found), earlier=before)
    counts = found[0][found[0]["indicator"] == "poor_households"].set_index("place")["hidden"]
    assert (counts[["10000", "10001"]] != "").all()


def test_a_correction_published_without_the_first_release_in_mind_is_refused(tmp_path, release):
    careless = second([9, 40, 60, 50, 20, 30], None)
    with pytest.raises(DisclosureError, match="hidden in the release that readers have"):
        attack.must_fail(written(tmp_path / "now", careless), earlier=suppress.shown(release[0]))


@pytest.mark.parametrize(
    ("fewest", "rule", "mend"),
    [
        (8, {"suppression_threshold": 10}, "lower suppression_threshold"),
        (0, {"hide_zeros": True}, "set hide_zeros = false"),
    ],
)
def test_a_stricter_rule_cannot_call_a_figure_back(fewest, rule, mend):
    before = suppress.shown(second([fewest, 40, 60, 50, 20, 30], None)[0])
    with pytest.raises(DisclosureError, match=f"can't be hidden any more. Take that release down .* {mend}"):
        second([fewest, 40, 60, 50, 20, 30], before, **rule)


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


def elsewhere(release):
    """The same release in a province of its own, under other codes."""
    codes = {"place": "2", "code": "2", "district_code": "2", "province_code": "2"}
    return [
        table.assign(**{c: first + table[c].str[1:] for c, first in codes.items() if c in table})
        for table in release
    ]


def test_each_province_is_attacked_by_itself_and_its_figures_are_found_in_their_rows(release):
    rows, sensitive, units = release
    bare = rows.assign(hidden=rows["hidden"].where(rows["hidden"].eq("primary"), ""))
    there, aimed, others = elsewhere((bare, sensitive, units))
    mixed = pd.concat([aimed, sensitive], ignore_index=True).sample(frac=1, random_state=1)
    both = pd.concat([units, others], ignore_index=True)
    public = suppress.shown(pd.concat([rows, there], ignore_index=True))
    assert rollup.apart(both).loc[both["place"]].nunique() == 2
    found = attack.intervals(public, mixed, both)
    assert found[["place", "expr"]].equals(mixed[["place", "expr"]])
    assert found["disclosed"].tolist() == mixed["place"].str.startswith("2").tolist()


def test_places_without_an_area_share_one_number(release):
    alone = release[2].assign(district_code=None, province_code=None)
    assert rollup.apart(alone).nunique() == 1


def test_a_figure_of_a_place_that_the_units_do_not_name_counts_as_disclosed(release):
    rows, sensitive, units = release
    stray = sensitive.head(1).assign(place="nowhere")
    assert attack.intervals(suppress.shown(rows), stray, units)["disclosed"].all()
