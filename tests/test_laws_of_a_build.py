"""What must hold for any data set: order, names, the unit of money and strangers change nothing that they shouldn't."""

import shutil

import numpy as np
import pandas as pd
import pytest

from evalkit import simulate
from evalkit.building import compute, manifest, read, with_figures
from evalkit.errors import DataError
from evalkit.load import schema
from evalkit.load.dataset import open_dataset

TABLES = ("communes", "credit", "groups", "poverty", "income", "households")
KEY = ["place", "period", "indicator", "basis", "method"]
FIGURES = ["value", "lower", "upper", "numerator", "denominator"]


@pytest.fixture(scope="module")
def province(tmp_path_factory):
    folder = tmp_path_factory.mktemp("laws") / "province"
    simulate.province(folder, districts=2, communes=14, years=(2016, 2024), seed=7, loan_communes=0)
    (folder / "facts.csv").unlink()
    return folder


@pytest.fixture(scope="module")
def whole(province):
    return built(province)


def built(folder):
    tables = compute(open_dataset(folder))
    return tables | {"indicators": tables["indicators"].sort_values(KEY, ignore_index=True)}


def changed(province, folder, change):
    """Copy the data set and rewrite each table as ``change(name, frame)`` says."""
    shutil.copytree(province, folder)
    for name in TABLES:
        path = folder / f"{name}.csv"
        if path.is_file():
            frame = pd.read_csv(path, dtype=str, keep_default_na=False)
            change(name, frame).to_csv(path, index=False)
    return folder


def same(one, other, columns=(*KEY, *FIGURES, "unit", "flags")):
    columns = list(columns)
    pd.testing.assert_frame_equal(one[columns], other[columns], rtol=1e-9)


def test_the_order_of_rows_columns_and_files_says_nothing(province, whole, tmp_path):
    def mixed(_, frame):
        return frame.sample(frac=1, random_state=3)[frame.columns[::-1]]

    shuffled = changed(province, tmp_path / "p", mixed)
    credit = pd.read_csv(shuffled / "credit.csv", dtype=str, keep_default_na=False)
    credit.iloc[::2].to_csv(shuffled / "credit_2.csv", index=False)
    credit.iloc[1::2].to_csv(shuffled / "credit.csv", index=False)
    found = built(shuffled)
    same(found["indicators"], whole["indicators"])
    for name in ("beside", "among"):
        order = ["place", "indicator", "period", "basis", *({"parent", "method"} & set(whole[name]))]
        left, right = (t[name].sort_values(order, ignore_index=True) for t in (found, whole))
        pd.testing.assert_frame_equal(left, right, check_like=True, rtol=1e-9)


def test_where_a_build_is_looked_for_one_folder_too_high_its_own_is_named(tmp_path):
    (tmp_path / "build").mkdir()
    for file in ("manifest.json", "places.parquet"):
        (tmp_path / "build" / file).touch()
    for look in (manifest, lambda folder: read(folder, "places")):
        with pytest.raises(DataError, match=f"the build stands in {tmp_path / 'build'}"):
            look(tmp_path)
        with pytest.raises(DataError, match="no build there"):
            look(tmp_path / "elsewhere")


def test_which_places_have_figures_is_known_before_the_build(province, whole):
    places = whole["places"]
    assert with_figures(open_dataset(province)) == set(places.loc[places["kinds"] > 0, "place"])
    assert {"district", "province"} < set(places["level"])


def test_the_names_of_communes_say_nothing(province, whole, tmp_path):
    def renamed(_, frame):
        for column in frame.columns.intersection(["name", "successor_name"]):
            frame[column] = frame[column].where(frame[column] == "", "Tân " + frame[column])
        return frame

    found = built(changed(province, tmp_path / "p", renamed))
    same(found["indicators"], whole["indicators"])
    assert found["places"]["name"].str.startswith("Tân ").any()


def test_money_in_another_unit_scales_money_and_nothing_else(province, whole, tmp_path):
    def doubled(name, frame):
        for column, field in schema.fields(name).items():
            if column in frame and field.get("unit", "").startswith("VND"):
                known = frame[column] != ""
                frame.loc[known, column] = (2 * frame.loc[known, column].astype(float)).map("{:.0f}".format)
        return frame

    found, before = built(changed(province, tmp_path / "p", doubled))["indicators"], whole["indicators"]
    same(found, before, [*KEY, "unit"])
    below = before["indicator"].isin(
        [
            "income_below_line_pct",
            *(f"poverty_{m}" for m in ("gap_pct", "severity_pct", "watts_index", "sen_index")),
        ]
    )  # the line is in dong of the law, and stays
    found, before = found[~below], before[~below]
    money = before["unit"].str.startswith("VND").to_numpy()
    assert 0 < money.sum() < len(money)
    shown = FIGURES[:3]  # the numerator of a percentage may itself be money
    np.testing.assert_allclose(
        found.loc[~money, shown].to_numpy(float), before.loc[~money, shown].to_numpy(float), rtol=1e-9
    )
    rounded = before["indicator"].eq("income_median_month_vnd").to_numpy()  # to three digits
    assert rounded[money].any()
    for rows, rtol in ((money & ~rounded, 1e-9), (money & rounded, 6e-3)):
        values, twice = (
            found.loc[rows, "value"].to_numpy(float),
            2 * before.loc[rows, "value"].to_numpy(float),
        )
        np.testing.assert_allclose(values, twice, rtol=rtol)


def test_a_stranger_changes_no_figure_of_others(province, whole, tmp_path):
    stranger = {"code": "98001", "name": "Xa Lạ", "district_code": "980", "province_code": "98"}

    communes = pd.read_csv(province / "communes.csv", dtype=str)
    model = communes.loc[communes["valid_to"].isna() & (communes["valid_from"] < "2016"), "code"].min()

    def joined(_, frame):
        first = frame[frame["code"] == model].assign(**{c: v for c, v in stranger.items() if c in frame})
        if "household" in frame:
            first["household"] = "stranger-" + first["household"]
        return pd.concat([frame, first], ignore_index=True)

    found = built(changed(province, tmp_path / "p", joined))["indicators"]
    assert "98001" in set(found["place"])
    others = found[found["place"].isin(whole["indicators"]["place"])].reset_index(drop=True)
    same(others, whole["indicators"])
