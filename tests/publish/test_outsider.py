"""Whoever has the files of a release alone can't work a hidden figure out; where only small counts are hidden he can."""

import outsider

from evalkit import simulate
from evalkit.load import reference
from evalkit.load.dataset import open_dataset
from evalkit.metrics import rollup, suppress
from evalkit.metrics.indicators import assemble
from evalkit.present import attack
from evalkit.publish import release

PROGRAMMES = reference.programmes()["purpose"].to_dict()
PRICES = reference.price_index(reference.last_price_year()).to_dict()
TEXT = {"en": "Test", "vi": "Thử"}


def decided(folder, size, **publish):
    """What is hidden of a simulated province's communes: places, rows, protected figures of communes."""
    simulate.province(folder / "data", loan_communes=0, **size)
    for table in ("facts", "households"):
        (folder / "data" / f"{table}.csv").unlink()
    dataset = open_dataset(folder / "data")
    units, settings = rollup.with_areas(dataset.places), dataset.settings["publish"] | publish
    rows, protected = suppress.decide(assemble(dataset), dataset.tables, units, settings)
    counts = protected[~protected["expr"].str.contains("rest of|@") & protected["place"].str.len().gt(3)]
    if "successor_place" not in units:
        units["successor_place"] = units["successor_code"]
    return units, rows, counts[counts["place"].isin(units.loc[units["level"] == "commune", "place"])]


def released(folder, units, rows):
    """The outsider with the files of a release."""
    figures = suppress.shown(rows).assign(name=rows["place"].map(units.set_index("place")["name"]))
    manifest = {"settings": {"title": TEXT, "source": TEXT, "rights": TEXT, "data": {"real": False}}}
    manifest |= {"built": "2024-12-31", "evalkit": "0"}
    given = release.Release(figures, units, manifest, {}, {"data": "0", "code": "0", "environment": "0"})
    release.write(folder, given)
    return outsider.Outsider(folder, PROGRAMMES, PRICES)


def narrow(reader, protected):
    """The protected figures that the outsider bounds more narrowly than they must be left."""
    found = []
    for row in protected.itertuples():
        low, high = reader.bounds(row.place, int(row.year), row.expr, row.standard)
        if high - low < 0.98 * row.width:
            found.append((row.place, row.year, row.expr, low, high))
    return found


def test_he_finds_nothing_in_a_release_and_most_where_only_small_counts_are_hidden(tmp_path):
    units, rows, protected = decided(
        tmp_path, {"districts": 1, "communes": 5, "seed": 2, "years": (2021, 2024)}
    )
    assert len(protected) > 20
    reader = released(tmp_path / "release", units, rows)
    assert narrow(reader, protected) == []

    hidden = rows[rows["indicator"].eq("poor_households") & rows["value"].eq(0) & rows["hidden"].ne("")]
    assert len(
        hidden
    )  # a missing ratio over them would tell him the nought, and by subtraction another count
    for row in hidden.itertuples():
        assert reader.bounds(row.place, int(row.year), "poor", row.basis)[1] > 0
    wanted = hidden[["place", "year"]].assign(standard=hidden["basis"], expr="poor", width=1.0)
    wanted = wanted.astype({"year": "int64"}).reset_index(drop=True)
    public = suppress.shown(rows)
    over_nought = rows["denominator"].eq(0) & rows["hidden"].ne("")
    assert not attack.intervals(public, wanted, units)["disclosed"].any()
    assert attack.intervals(public[~over_nought], wanted, units)["disclosed"].all()

    rows["hidden"] = rows["hidden"].where(rows["hidden"].eq("primary"), "")
    found = narrow(released(tmp_path / "unprotected", units, rows), protected)
    assert len(found) > len(protected) / 3
    assert sum(high - low < 1e-3 * max(high, 1) for _, _, _, low, high in found) > len(found) / 2


def test_he_finds_nothing_where_noughts_are_hidden_too_in_districts_of_one_and_two_communes(tmp_path):
    units, rows, protected = decided(
        tmp_path, {"districts": 3, "communes": 5, "seed": 9, "years": (2021, 2024)}, hide_zeros=True
    )
    assert len(protected) > 20
    assert narrow(released(tmp_path / "release", units, rows), protected) == []
