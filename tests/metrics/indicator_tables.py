"""The simulated province's tables, typed as a data set has them, and an independent way to the same figures."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pandas as pd

from evalkit.load import places, schema
from evalkit.metrics.indicators import assemble

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "data" / "simulated-province"
YEARLY = ("credit", "groups", "poverty", "income", "households")


def typed(name, text):
    """A table of text as the schema types it."""
    return schema.typed(text.astype("string"), name)[0]


def dataset(units, **tables):
    """A data set of frames: ``units`` as the table of communes, the others as their tables' columns."""
    units = places.units(typed("communes", units))
    placed = {}
    for name, frame in tables.items():
        frame = typed(name, frame)
        day = pd.to_datetime(frame["year"].astype("string") + "-12-31")
        placed[name] = frame.assign(place=places.place_of(frame["code"], day, day, units))
    return SimpleNamespace(tables=placed, places=units)


@cache
def simulated():
    """The yearly tables of the simulated province, without its press and its single loans."""
    read = lambda name: pd.read_csv(FOLDER / f"{name}.csv", dtype="string", keep_default_na=False)  # noqa: E731
    return dataset(read("communes"), **{name: read(name) for name in YEARLY})


@cache
def simulated_rows():
    """All indicator rows of the simulated province."""
    return assemble(simulated())


HEADLINES = """
WITH units AS (
  SELECT code, district_code, province_code, valid_from, coalesce(valid_to, DATE '9999-12-31') AS valid_to,
    CASE WHEN count(*) OVER (PARTITION BY code) = 1 THEN code
         WHEN row_number() OVER (PARTITION BY code ORDER BY valid_from) = 1 THEN code || '-until-' || year(valid_to)
         ELSE code || '-' || year(valid_from) END AS place
  FROM read_csv('{folder}/communes.csv', types={{'code': 'VARCHAR', 'district_code': 'VARCHAR',
    'province_code': 'VARCHAR', 'valid_from': 'DATE', 'valid_to': 'DATE'}})),
credit AS (
  SELECT code, year, sum(outstanding_vnd) AS outstanding, sum(overdue_vnd) AS overdue
  FROM read_csv('{folder}/credit.csv', types={{'code': 'VARCHAR'}}) WHERE programme <> 'total' GROUP BY ALL),
poverty AS (
  SELECT code, year, standard, poor, households
  FROM read_csv('{folder}/poverty.csv', types={{'code': 'VARCHAR', 'standard': 'VARCHAR'}})),
counted AS (SELECT code, year, max(households) AS households FROM poverty GROUP BY ALL),
figures AS (
  SELECT code, year, 'poverty_rate_pct' AS indicator, standard AS basis, 100.0 AS scale,
    poor AS numerator, households AS denominator FROM poverty
  UNION ALL SELECT code, year, 'overdue_share_pct', '', 100.0, overdue, outstanding FROM credit
  UNION ALL SELECT code, year, 'outstanding_per_household_vnd', '', 1.0, outstanding, households
    FROM credit JOIN counted USING (code, year)),
placed AS (
  SELECT units.*, figures.* EXCLUDE (code) FROM figures JOIN units ON units.code = figures.code
    AND make_date(year, 12, 31) BETWEEN valid_from AND valid_to)
SELECT area.place, year, indicator, basis, max(scale) * sum(numerator) / sum(denominator) AS value
FROM placed, LATERAL (SELECT unnest([placed.place, district_code, province_code]) AS place) AS area
GROUP BY ALL
"""


def headlines():
    """Three headline indicators of all places, by one SQL query over the files themselves."""
    return duckdb.sql(HEADLINES.format(folder=FOLDER)).df()
