"""The whole indicator table of a simulated country in one pass, against a plain pandas loop over communes.

Run ``python benchmarks/indicators.py`` (``--json`` for the ratios alone; ``--communes`` for another size). The
loop computes ten of the indicators commune by commune; its time is measured on a sample and stated for all.
Growth is the time of the whole country over that of a quarter of it, divided by four: 1 is linear. Times are
processor seconds of this process, so that others on the machine don't count.
"""

import argparse
import json
import resource
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd

from evalkit.load import reference
from evalkit.metrics import benchmarks, rollup
from evalkit.metrics.indicators import assemble

COMMUNES, YEARS, PROVINCES, PER_DISTRICT = 10_600, range(2014, 2025), 63, 15
PROGRAMMES = ("poor", "near_poor", "escaped", "students", "water", "jobs", "housing_poor", "labour_export")
SAMPLE = 20  # communes of the loop


def country(communes, seed=1):
    """A country's yearly tables with invented figures, shaped as real ones."""
    rng, number = np.random.default_rng(seed), np.arange(communes)
    code = pd.Series(number).map("{:05d}".format)
    province = pd.Series(number * PROVINCES // communes).map("{:02d}".format)
    district = pd.Series(number // PER_DISTRICT).map("{:03d}".format)
    units = pd.DataFrame({"place": code, "code": code, "name": code, "type": "xã", "level": "commune"})
    units = units.assign(district_code=district, district=district, province_code=province, province=province)
    units = units.assign(valid_from=pd.NaT, valid_to=pd.NaT).astype(
        dict.fromkeys(("place", "code"), "string")
    )
    place = pd.DataFrame(
        {"place": np.repeat(units["place"].to_numpy(), len(YEARS)), "year": np.tile(YEARS, communes)}
    )
    place = place.astype({"place": "string", "year": "Int64"})
    size = len(place)
    credit = pd.concat([place.assign(programme=p) for p in PROGRAMMES], ignore_index=True)
    owed = rng.integers(50, 5000, len(credit)) * 1e6
    credit = credit.assign(
        outstanding_vnd=owed, lent_vnd=owed // 3, collected_vnd=owed // 4, written_off_vnd=0.0
    )
    for column in ("overdue_vnd", "frozen_vnd", "extended_vnd"):
        credit[column] = owed * rng.integers(0, 3, len(credit)) / 500
    credit["borrowers"] = rng.integers(5, 90, len(credit))
    credit["loans"] = credit["borrowers"] + 3
    columns = [c for c in credit if c not in ("place", "year", "programme")]
    total = credit.groupby(["place", "year"], as_index=False)[columns].sum().assign(programme="total")
    total["borrowers"] = total["borrowers"] * 9 // 10
    households = rng.integers(800, 3000, size)
    poverty = place.assign(
        standard="2016-2020", households=households, poor=households // 10, near_poor=households // 12
    )
    poverty = poverty.assign(escaped=households // 40, fell_back=1, newly_poor=2)
    income = place.assign(income_vnd=rng.integers(15, 60, size) * 1e6, per="year", basis="self_survey")
    groups = pd.concat(
        [
            place.assign(
                group=str(g),
                members=30 + g,
                outstanding_vnd=1e9,
                overdue_vnd=0.0,
                savings_vnd=3e7,
                union="women",
                rating="good",
            )
            for g in range(3)
        ]
    )
    tables = {"credit": pd.concat([credit, total]), "poverty": poverty, "income": income, "groups": groups}
    return SimpleNamespace(tables={k: t.reset_index(drop=True) for k, t in tables.items()}, places=units)


def timed(function, *arguments):
    """Return processor seconds and result."""
    start = time.process_time()
    result = function(*arguments)
    return time.process_time() - start, result


def positions(data, rows):
    """Where each commune stands among the others of its province and year."""
    units = rollup.with_areas(data.places)
    comparable = reference.table("indicators").query("comparable == 'true'")["indicator"]
    provinces = units[units["level"] != "province"].set_index("place")["province_code"]
    levels = units.set_index("place")["level"]
    return benchmarks.among(rows, levels, comparable, minimum=5, years=1, provinces=provinces)


def plain_loop(data, places):
    """Ten of the indicators of some communes, filtering the tables commune by commune and year by year."""
    credit, poverty, found = data.tables["credit"], data.tables["poverty"], []
    for place in places:
        for year in YEARS:
            own = credit[(credit["place"] == place) & (credit["year"] == year)]
            poor = poverty[(poverty["place"] == place) & (poverty["year"] == year)].iloc[0]
            parts, total = own[own["programme"] != "total"], own[own["programme"] == "total"].iloc[0]
            owed = parts["outstanding_vnd"].sum()
            values = {
                "outstanding_loans_vnd": owed,
                "overdue_share_pct": 100 * parts["overdue_vnd"].sum() / owed,
                "frozen_share_pct": 100 * parts["frozen_vnd"].sum() / owed,
                "extended_share_pct": 100 * parts["extended_vnd"].sum() / owed,
                "programme_concentration": ((parts["outstanding_vnd"] / owed) ** 2).sum(),
                "outstanding_per_borrower_vnd": owed / total["borrowers"],
                "outstanding_per_household_vnd": owed / poor["households"],
                "poverty_rate_pct": 100 * poor["poor"] / poor["households"],
                "near_poor_rate_pct": 100 * poor["near_poor"] / poor["households"],
                "poor_plus_near_poor_rate_pct": 100 * (poor["poor"] + poor["near_poor"]) / poor["households"],
            }
            found += [{"place": place, "year": year, "indicator": k, "value": v} for k, v in values.items()]
    return pd.DataFrame(found)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--communes", type=int, default=COMMUNES)
    given = parser.parse_args()
    quarter = country(given.communes // 4)
    assemble(country(100))  # reads the reference tables once
    short, _ = timed(assemble, quarter)
    data = country(given.communes)
    whole, rows = timed(assemble, data)
    places = data.places["place"].sample(SAMPLE, random_state=1)
    loop, plain = timed(plain_loop, data, list(places))
    both = plain.merge(
        rows[rows["source"] != "income"].drop_duplicates(["place", "year", "indicator"]),
        on=["place", "year", "indicator"],
        suffixes=("", "_rows"),
    )
    assert len(both) == len(plain)
    np.testing.assert_allclose(both["value"], both["value_rows"], rtol=1e-12)
    seconds, found = timed(positions, data, rows)
    loop_whole = loop / SAMPLE * given.communes
    ratios = {"plain_loop_to_one_pass": loop_whole / whole, "growth": whole / short / 4}
    if given.json:
        print(json.dumps({"ratios": {k: round(v, 2) for k, v in ratios.items()}}))
        return
    print(
        f"{given.communes} communes × {len(YEARS)} years: {len(rows)} rows, {rows['indicator'].nunique()} indicators"
    )
    print(
        f"one pass: {whole:.1f} processor s; a quarter of the communes: {short:.1f} s; growth {ratios['growth']:.2f} (1 = linear)"
    )
    print(
        f"plain loop, ten indicators, {SAMPLE} communes: {loop:.1f} s, so about {loop_whole:.0f} s for all: {ratios['plain_loop_to_one_pass']:.0f} times as long"
    )
    print(f"positions among the communes of the province: {len(found)} rows in {seconds:.1f} s")
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


if __name__ == "__main__":
    main()
