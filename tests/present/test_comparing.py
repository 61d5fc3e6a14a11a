"""What the reports say of places side by side: the words obey the tests, nothing hidden is judged, both languages."""

import ast
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.building import build, read
from evalkit.metrics import compare, intervals
from evalkit.present import judgements, province

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "province" / "comparison.ipynb"
PAGE = [
    lambda d, lang: province.overview(d, lang=lang),
    *(lambda d, lang, i=i: ek.charts.distribution(d, i, lang=lang) for i in province.MAIN),
    *(lambda d, lang, i=i: province.districts(d, i, lang=lang) for i in province.MAIN),
    lambda d, lang: ek.charts.funnel(d, lang=lang),
    lambda d, lang: ek.charts.years(d, lang=lang),
    lambda d, lang: province.changes(d, lang=lang),
    lambda d, lang: province.chance(d, lang=lang),
]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return build(ROOT / "data" / "simulated-province", tmp_path_factory.mktemp("simulated") / "build")


@pytest.fixture(scope="module")
def data(simulated):
    return province.province(simulated)


def test_the_build_agrees_with_counts_added_by_hand(simulated):
    counts = pd.read_csv(ROOT / "data/simulated-province/poverty.csv", dtype={"code": str})
    places = pd.read_csv(ROOT / "data/simulated-province/communes.csv", dtype=str)
    counts = counts[(counts["year"] == 2024) & counts["poor"].notna() & counts["households"].notna()]
    standing = places[places["valid_to"].isna()].set_index("code")["district_code"]
    counts = counts.assign(district=counts["code"].map(standing))
    others = counts[(counts["district"] == standing["99006"]) & (counts["code"] != "99006")]
    own = counts.set_index("code").loc["99006"]
    low, high = intervals.newcombe_difference(
        [own["poor"]], [own["households"]], [others["poor"].sum()], [others["households"].sum()]
    )
    table = read(simulated, "compared", "99006").set_index(["indicator", "comparator"])
    row = table.loc[("poverty_rate_pct", "district")]
    assert row["reference"] == pytest.approx(100 * others["poor"].sum() / others["households"].sum())
    assert row["places"] == len(others)
    assert row["verdict"] == ("worse" if low > 0 else "better" if high < 0 else "similar")


def test_verdicts_of_the_simulated_province_are_those_a_reader_can_check(simulated):
    """Golden: communes in every verdict, the table small enough to read; see tests/golden/comparisons.csv."""
    table = read(simulated, "compared")
    golden = pd.read_csv(ROOT / "tests/golden/comparisons.csv", dtype={"place": str})
    keys = ["place", "indicator", "comparator"]
    found = golden[keys].merge(table, on=keys, how="left")
    assert found["verdict"].tolist() == golden["verdict"].tolist()
    assert found["value"].to_numpy() == pytest.approx(golden["value"].to_numpy(float), rel=1e-4)
    assert found["reference"].to_numpy() == pytest.approx(
        golden["reference"].to_numpy(float), rel=1e-4, nan_ok=True
    )


def test_peers_stood_on_the_same_day_and_share_the_type(simulated):
    peers, units = read(simulated, "peers"), read(simulated, "places").set_index("place")
    assert peers.groupby("place").size().max() == 10
    assert (peers["place"] != peers["peer"]).all()
    assert (peers["place"].map(units["type"]) == peers["peer"].map(units["type"])).all()
    end = peers["place"].map(units["valid_to"]).fillna(pd.Timestamp("2024-12-31"))
    assert not (peers["peer"].map(units["valid_to"]) < end).any()
    assert not (peers["peer"].map(units["valid_from"]) > end).any()


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_commune_is_judged_in_words(simulated, lang):
    place = ek.place(simulated, "99006")
    block = ek.tables.judged(place, lang=lang)
    said = " ".join(c for row in block.rows for c in row)
    assert ("không phân biệt được" if lang == "vi" else "not distinguishable") in said
    assert len(block.columns) == 3 + 5
    assert len(block.rows) == len(block.raw)
    assert len(ek.tables.peers(place, lang=lang).rows) == 10
    spine = ek.charts.spine(place, lang=lang)
    assert len(spine.rows) == len(spine.raw) > 8
    verdicts = {r[0]: r[-1] for r in spine.raw}
    province_ = place.compared[place.compared["comparator"] == "province"].set_index("indicator")["verdict"]
    assert all(verdicts[i] == province_[i] for i in set(verdicts) & set(province_.index))


def test_nothing_is_said_of_what_is_hidden(simulated):
    rows, units = read(simulated, "indicators"), read(simulated, "places").set_index("place")
    small = rows[(rows["indicator"] == "poverty_rate_pct") & rows["numerator"].between(1, 4)]
    small = small[small["period"].eq("2024") & small["place"].map(units["level"]).eq("commune")]
    assert len(small) > 5
    hidden = pd.MultiIndex.from_frame(small[["place", "indicator", "period"]].astype(str))
    table = read(simulated, "compared")
    assert (
        not pd.MultiIndex.from_frame(table[["place", "indicator", "period"]].astype(str)).isin(hidden).any()
    )
    place = ek.place(simulated, small["place"].iloc[0])
    for make in (ek.tables.judged, ek.tables.among, ek.charts.spine):
        assert ("poverty_rate_pct", "2024") not in {row[:2] for row in make(place, lang="en").raw}
    secret = table[table["reason"] == "hidden"]
    assert (
        secret[["reference", "reference_numerator", "reference_lower", "limit_lower"]].isna().all(axis=None)
    )


def test_the_page_shows_no_count_under_the_threshold(data):
    shown = data.rows[data.rows["value"].notna()]
    counted = shown[shown["unit"].eq("percent") & (shown["basis"].notna())]
    assert not counted["numerator"].between(1, 4).any()
    people = data.compared[data.compared["indicator"] != "groups_good_share_pct"]  # groups are no people
    assert not people["numerator"].between(1, 4).any()
    assert not people["reference_numerator"].between(1, 4).any()


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("which", ["simulated-province", "published"])
def test_every_block_of_the_page_can_be_made(simulated, built_published, data, which, lang):
    own = data if which == "simulated-province" else province.province(built_published)
    made = [make(own, lang) for make in PAGE]
    assert sum(b.kind == "figure" for b in made) == (7 if which == "simulated-province" else 0)
    assert len({b.id for b in made}) == len(made)
    for block in made:
        text = " ".join([block.title, block.caption, block.alt, *block.paragraphs, *block.notes])
        text += " ".join(str(c) for row in block.rows for c in row)
        assert "{" not in text
        assert "nan" not in text.lower().split()
        assert "<NA>" not in text
        assert all(len(r) == len(block.columns) for r in (*block.rows, *block.raw))
        if block.kind == "figure":
            assert block.alt, block.id
            assert len(block.rows) == len(block.raw), block.id


@pytest.fixture(scope="module")
def built_published(tmp_path_factory):
    return build(ROOT / "data" / "published", tmp_path_factory.mktemp("published") / "build")


def test_the_funnel_says_how_many_lie_outside(simulated, data):
    block = ek.charts.funnel(data, lang="en")
    rows = read(simulated, "indicators")
    rows = rows[
        (rows["indicator"] == "poverty_rate_pct") & (rows["year"] == 2024) & rows["numerator"].notna()
    ]
    level = read(simulated, "places").drop_duplicates("place").set_index("place")["level"]
    whole = rows[rows["place"].map(level) == "province"].iloc[0]
    own = rows[(rows["place"].map(level) == "commune") & rows["hidden"].eq("")]
    limits = compare.funnel_limits(
        own["denominator"], whole["numerator"] / whole["denominator"], levels=(0.95,)
    )
    share = own["value"].to_numpy() / 100
    outside = int(((share < limits["lower_95"]) | (share > limits["upper_95"])).sum())
    assert len(block.rows) == outside
    assert f"{outside} of {len(own)} places lie outside" in block.alt
    # The limits are drawn over the whole range: as many curves as the legend names.
    assert block.svg.count('stroke="#b45f06"') >= 4


def test_a_change_is_said_only_within_a_standard_and_beyond_chance(data):
    block = province.changes(data, lang="en")
    for row, raw in zip(block.rows, block.raw, strict=True):
        first, last = map(int, raw[2].split("/"))
        assert first < last
        assert (row[-1] == "lower") == (raw[5] < 0 and row[-1] != "not distinguishable")
    assert {raw[1] for raw in block.raw} == {"2011-2015", "2016-2020", "2022-2025"}


def test_expected_flags_are_a_twentieth_of_what_is_judged(data):
    block = province.chance(data, lang="en")
    for name, judged, *counts, found, expected in block.raw:
        assert expected == pytest.approx(0.05 * judged), name
        assert sum(counts) == judged
        assert sum(counts[:-1]) == found


def test_districts_have_no_rank_without_its_range(data):
    block = province.districts(data, "poverty_rate_pct", lang="en")
    best, worst = np.array([[int(n) for n in row[2].split("–")] for row in block.rows]).T
    assert (best <= worst).all()
    assert best.min() == 1
    assert worst.max() == len(block.rows)
    money = province.districts(data, "outstanding_per_household_vnd", lang="en")
    assert "ranks" not in [key for key, *_ in money.columns]


def test_a_district_with_a_few_communes_missing_is_compared(simulated):
    rows = read(simulated, "indicators")
    districts = rows[rows["place"].str.fullmatch(r"\d{3}") & (rows["indicator"] == "overdue_share_pct")]
    flags = districts["flags"].fillna("")
    some = flags.str.contains("nearly_whole")
    assert some.any()
    assert not (some & flags.str.contains("part")).any()
    compared = read(simulated, "compared")
    assert set(districts.loc[some & (districts["year"] == 2024), "place"]) <= set(compared["place"])


def test_unknown_verdicts_and_reasons_have_words():
    table = {"better", "worse", "higher", "lower", "similar", "not judged"}
    assert set(judgements._VERDICTS) == table
    reasons = {
        "no value",
        "no reference",
        "too few",
        "no counts",
        "no spread",
        "no bounds",
        "hidden",
        "no test",
    }
    assert set(judgements._REASONS) == reasons
    for lang in ("vi", "en"):
        for name in table:
            assert judgements.label(name, lang)
        for reason in reasons:
            assert judgements.verdict({"verdict": "not judged", "reason": reason}, lang)
        assert judgements.reasons(judgements.COMPARATORS, lang)
        assert judgements.tests(set(compare.TESTS.values()), lang)


def test_the_notebook_holds_no_logic():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert ["parameters"] in [c["metadata"].get("tags") for c in cells]
    shown = 0
    for cell in (c for c in cells if c["cell_type"] == "code"):
        tree = ast.parse("".join(cell["source"]))
        logic = (ast.FunctionDef, ast.For, ast.While, ast.If, ast.ListComp)
        assert not any(isinstance(n, logic) for n in ast.walk(tree))
        shown += "ek.show(" in "".join(cell["source"])
    assert shown == 17
