"""Places are found by code or name and never guessed."""

from pathlib import Path

import pandas as pd
import pytest

from evalkit.errors import PlaceError
from evalkit.load import places
from evalkit.load.dataset import open_dataset

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def register():
    return open_dataset(ROOT / "data" / "published")


@pytest.fixture(scope="module")
def reported(register):
    return set(register.tables["facts"]["place"])


def test_by_code_with_its_leading_zero(register, reported):
    assert places.find("08473", register.places, reported) == "08473"


@pytest.mark.parametrize("name", ["Hương Nộn", "huong non", "xã Hương Nộn", "HƯƠNG NỘN"])
def test_by_name_blind_to_accents_and_case(register, reported, name):
    assert places.find(name, register.places, reported) == "08473"


def test_a_lost_leading_zero_is_refused_with_the_nearest_code(register, reported):
    with pytest.raises(PlaceError, match=r"five digits.*08473"):
        places.find("8473", register.places, reported)


def test_a_misspelt_name_is_refused_with_the_nearest_names(register, reported):
    with pytest.raises(PlaceError, match="Hương Nộn"):
        places.find("Huong Nom", register.places, reported)


def test_the_commune_tam_nong_names_its_three_parts(register, reported):
    with pytest.raises(PlaceError) as refusal:
        places.find("08434", register.places, reported)
    said = str(refusal.value)
    for part in ("08473 xã Hương Nộn", "08434 thị trấn Hưng Hóa", "08491 xã Dân Quyền", "01/07/2025"):
        assert part in said


def test_the_name_tam_nong_is_a_district_and_a_later_commune(register, reported):
    with pytest.raises(PlaceError) as refusal:
        places.find("Tam Nông", register.places, reported)
    said = str(refusal.value)
    assert "236 huyện Tam Nông" in said
    assert "08473 xã Hương Nộn" in said


def test_a_unit_without_figures_says_what_it_became(register, reported):
    with pytest.raises(PlaceError, match=r"08491.*became 08434-2025 xã Tam Nông"):
        places.find("08491", register.places, reported)


def units(*rows):
    columns = [
        "code",
        "name",
        "type",
        "district",
        "province",
        "valid_from",
        "valid_to",
        "successor_code",
        "successor_name",
    ]
    frame = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns, "string"))
    for column in ("valid_from", "valid_to"):
        frame[column] = pd.to_datetime(frame[column])
    return places.units(frame)


TAN_LAP = [
    (f"0{n}287", "Tân Lập", "xã", d, p, None, None, None, None)
    for n, d, p in ((5, "Lạc Sơn", "Hòa Bình"), (8, "Yên Lập", "Phú Thọ"), (9, "Sông Lô", "Vĩnh Phúc"))
]


def test_three_communes_called_tan_lap_are_told_apart_by_code():
    found = units(*TAN_LAP)
    with pytest.raises(PlaceError, match="more than one place") as refusal:
        places.find("Tân Lập", found, set(found["place"]))
    assert all(code in str(refusal.value) for code in found["code"])
    assert places.find("05287", found, set(found["place"])) == "05287"


REUSED = [
    ("08491", "Thượng Nông", "xã", "Tam Nông", "Phú Thọ", None, "2019-12-31", "08491", "Dân Quyền"),
    ("08491", "Dân Quyền", "xã", "Tam Nông", "Phú Thọ", "2020-01-01", None, None, None),
]


def test_a_reused_code_means_the_unit_of_its_day():
    found = units(*REUSED)
    days = pd.to_datetime(pd.Series(["2019-12-31", "2020-12-31", None]))
    meant = places.place_of(pd.Series(["08491"] * 3, dtype="string"), days, days, found)
    assert meant.tolist() == ["08491-until-2019", "08491-2020", "08491-until-2019"]


def test_a_reused_code_with_figures_of_both_units_is_ambiguous():
    found = units(*REUSED)
    with pytest.raises(PlaceError, match="more than one place"):
        places.find("08491", found, set(found["place"]))
    assert places.find("08491-until-2019", found, set(found["place"])) == "08491-until-2019"
    assert places.find("08491-2020", found, set(found["place"])) == "08491-2020"


def test_kin_are_found_both_ways():
    old, new = units(*REUSED).itertuples()
    assert places.successor(old, units(*REUSED)).place == "08491-2020"
    assert [p.name for p in places.predecessors(new, units(*REUSED))] == ["Thượng Nông"]
