"""Writing a data set: whole or not at all, the same bytes each time, never over others' files."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from evalkit import simulate
from evalkit.errors import DataError, ParameterError
from evalkit.simulate.province import TABLES

ROOT = Path(__file__).resolve().parents[2]

_SMALL = {
    "communes": 8,
    "districts": 2,
    "years": (2018, 2021),
    "loan_communes": 1,
    "survey_communes": 4,
    "press_communes": 2,
}


def _bytes(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path):
    one, two, other = (tmp_path / name for name in ("one", "two", "other"))
    simulate.province(one, seed=5, **_SMALL)
    simulate.province(two, seed=5, **_SMALL)
    simulate.province(other, seed=6, **_SMALL)
    assert _bytes(one) == _bytes(two)
    assert _bytes(one)["credit.csv"] != _bytes(other)["credit.csv"]


def test_fewer_tables_are_the_same_tables():
    few = simulate.draw(tables=("poverty", "credit"), **_SMALL)
    all_ = simulate.draw(tables=TABLES, **_SMALL)
    for name in few.tables:
        assert few[name].equals(all_[name])


def test_the_data_set_says_that_it_is_simulated(tmp_path):
    folder = simulate.province(tmp_path / "p", **_SMALL)
    settings = tomllib.loads((folder / "dataset.toml").read_text(encoding="utf-8"))
    assert settings["data"]["real"] is False
    assert settings["data"]["years"] == [2018, 2021]
    assert "mô phỏng" in settings["title"]["vi"]
    assert "simulated" in settings["title"]["en"]
    assert settings["publish"]["suppression_threshold"] == 5
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert truth["simulated"] is True
    assert truth["parameters"]["seed"] == 1


def _fails(*_, **__):
    raise OSError("disk full")


def test_an_interrupted_write_leaves_the_former_data_set_whole(tmp_path, monkeypatch):
    folder = simulate.province(tmp_path / "p", seed=1, **_SMALL)
    before = _bytes(folder)
    monkeypatch.setattr("pandas.DataFrame.to_parquet", _fails)
    with pytest.raises(OSError, match="disk full"):
        simulate.province(folder, seed=2, **_SMALL)
    assert _bytes(folder) == before
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_a_failed_exchange_puts_the_former_data_set_back(tmp_path, monkeypatch):
    folder = simulate.province(tmp_path / "p", seed=1, **_SMALL)
    before, rename = _bytes(folder), os.rename
    monkeypatch.setattr(
        os, "rename", lambda a, b: rename(a, b) if Path(a) == folder or "former" in str(a) else _fails()
    )
    with pytest.raises(OSError, match="disk full"):
        simulate.province(folder, seed=2, **_SMALL)
    assert _bytes(folder) == before
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_a_second_write_replaces_the_first(tmp_path):
    folder = simulate.province(tmp_path / "p", seed=1, **_SMALL)
    fresh = simulate.province(tmp_path / "q", seed=2, **_SMALL)
    simulate.province(folder, seed=2, **_SMALL)
    assert _bytes(folder) == _bytes(fresh)


def test_a_folder_of_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.docx").write_text("x", encoding="utf-8")
    with pytest.raises(DataError, match="nothing was written"):
        simulate.province(tmp_path, **_SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"communes": 3, "districts": 5}, "at least one a district"),
        ({"years": (2024, 2012)}, "span two years"),
        ({"years": (2009, 2012)}, "Choose years"),
        ({"years": (2012, 2090)}, "Choose years"),
        ({"communes": 2000, "districts": 13}, "codes for"),
        ({"seed": -1}, "seed"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong, said):
    with pytest.raises(ParameterError, match=said):
        simulate.draw(tables=("communes",), **wrong)


def test_an_unknown_difficulty_names_those_there_are():
    with pytest.raises(ParameterError, match="mean_reversion"):
        simulate.Difficulties.only("mean_reversal")


def test_the_committed_province_is_made_by_this_code(tmp_path):
    """Parquet carries the version of its writer, so that only the text files are compared."""
    made = _bytes(simulate.province(tmp_path / "p"))
    committed = _bytes(ROOT / "data" / "simulated-province")
    assert set(made) == set(committed)
    assert [name for name in made if not name.endswith(".parquet") and made[name] != committed[name]] == []


def test_a_country_has_unique_codes_in_63_provinces():
    country = simulate.country(communes=700, years=(2020, 2024))
    today = country["communes"].query("valid_to.isna()")
    assert len(today) == 700
    assert today["code"].is_unique
    assert today["province_code"].nunique() == 63
    assert (today.groupby("district_code")["province_code"].nunique() == 1).all()


def test_names_repeat_in_the_province_but_not_in_a_district_and_vary_in_tone():
    communes = simulate.draw(tables=("communes",))["communes"]
    today = communes[communes["valid_to"].isna()]
    assert today["name"].duplicated().any()
    assert not today.duplicated(["district_code", "name"]).any()
    assert today["name"].str.contains("oà|uỷ|uý|oá").any()
    assert today["name"].str.contains("òa|ủy|úy|óa").any()


WRONG = [
    ({"commune": 14}, "Did you mean 'communes'"),
    ({"communes": "14"}, "a whole number"),
    ({"years": 2012}, "two whole years"),
    ({"effect": -0.3}, "simulate.Effect"),
    ({"tables": ["credits"]}, "no table 'credits'"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_options_that_are_mistyped_name_the_right_one(options, said):
    with pytest.raises(ParameterError, match=said):
        simulate.draw(**options)


def test_a_mistyped_option_leaves_the_folder_alone(tmp_path):
    with pytest.raises(ParameterError, match="'communes'"):
        simulate.province(tmp_path / "made", comunes=14)
    assert not (tmp_path / "made").exists()
