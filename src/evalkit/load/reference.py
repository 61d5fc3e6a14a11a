"""The law and the public series as dated data (``data/reference``), read and asked by date.

Every row has its source or ``verified`` false. In the frames absent text is ``""``, a missing number NaN,
a missing date NaT; an open period has no ``valid_from`` or ``valid_to``. Frames are copies: change freely.
"""

from functools import lru_cache, reduce
from numbers import Integral
from operator import and_, ge, gt, le, lt
from pathlib import Path

import pandas as pd

from evalkit.errors import BasisError, DataError

DATES = {"date", "valid_from", "valid_to", "extended_from", "started_on"}
FLAGS = {"verified", "dates_verified", "income_min_inclusive", "income_max_inclusive"}
WHOLE = {
    "year",
    "rank",
    "alternative",
    "deprivations_min",
    "deprivations_max",
    "of_deprivations",
    "term_months",
}
NUMBERS = {
    *("income_min_vnd", "income_max_vnd", "annual_rate_pct", "ceiling_vnd", "threshold"),
    *("minimum", "maximum", "change_pct", "value", "estimate"),
}
STANDARD_COLUMNS = [
    *("label_vi", "label_en", "measured_by", "valid_from", "valid_to", "legal_basis"),
    *("extended_from", "extension_basis", "of_deprivations", "aliases"),
]


@lru_cache
def reference_folder():
    """Folder of the reference tables: in the installed package, else the repository's ``data/reference``."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "data" / "reference", package.parents[1] / "data" / "reference"):
        if folder.is_dir():
            return folder
    raise DataError(
        f"data/reference: not found beside {package}. Reinstall evalkit, or work in its repository."
    )


@lru_cache
def _read(name):
    path = reference_folder() / f"{name}.csv"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in reference_folder().glob("*.csv")))
        raise DataError(f"data/reference: there is no table {name!r}. Ask for one of: {known}.")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    for column in frame.columns:
        if column in DATES:
            frame[column] = pd.to_datetime(frame[column].replace("", None), format="%Y-%m-%d")
        elif column in FLAGS:
            frame[column] = frame[column].map({"true": True, "false": False}).astype("boolean")
        elif column in NUMBERS:
            frame[column] = pd.to_numeric(frame[column].replace("", None))
        elif column in WHOLE:
            frame[column] = pd.to_numeric(frame[column].replace("", None)).astype("Int64")
    return frame


def table(name):
    """One reference table by its file name without ``.csv``, typed; codes stay text.

    Raises DataError for a name that is no table.
    """
    return _read(name).copy()


def standards():
    """The poverty standards, one row each: labels, period, legal basis, extension, aliases.

    ``measured_by`` is ``review`` (household review, what the law governs) or ``survey`` (the statistical
    office's own line). ``verified`` is true where every line of the standard is. Index: ``standard``.
    """
    return _standards().copy()


@lru_cache
def _standards():
    rows = _read("poverty_standards")
    by_standard = rows.groupby("standard", sort=False)
    return by_standard[STANDARD_COLUMNS].first().assign(verified=by_standard["verified"].all())


def standard_spans():
    """First and last day of each standard, extensions included: columns ``valid_from`` and ``valid_to``."""
    return standards()[["valid_from", "valid_to"]]


@lru_cache
def _standard_names():
    names = {}
    for standard, row in standards().iterrows():
        for name in (standard, row.label_vi, row.label_en, *row.aliases.split("|")):
            if name:
                names[_plain(name)] = standard
    return names


def _plain(text):
    return " ".join(str(text).replace("–", "-").casefold().split())


def standard_id(text):
    """Id of the poverty standard that a text names: its id, label in either language, legal basis or alias.

    Raises BasisError for anything else; nothing is guessed.
    """
    try:
        return _standard_names()[_plain(text)]
    except KeyError:
        known = ", ".join(standards().index)
        raise BasisError(f"poverty standard: {text!r} names none. Write one of: {known}.") from None


def _reviewed():
    return standards().query("measured_by == 'review'")


def _year(on):
    """The year where ``on`` is nothing but a year (2021 or "2021"), else None."""
    if isinstance(on, Integral):
        return int(on)
    return int(on) if isinstance(on, str) and on.strip().isdigit() and len(on.strip()) == 4 else None


def standards_of_year(year):
    """Ids of the standards on which a review list dated only ``year`` may stand, oldest first.

    Reviews close at the end of a year; where another standard applies from the next 1 January, the list may
    already be drawn up on it (2010, 2015, 2021, 2026). Empty outside all periods.
    """
    periods = _reviewed()
    next_first = pd.Timestamp(year + 1, 1, 1)
    in_force = periods[(periods.valid_from < next_first) & (periods.valid_to >= pd.Timestamp(year, 1, 1))]
    follows = periods[periods.valid_from == next_first] if len(in_force) else in_force
    return (*in_force.index, *follows.index)


def why_ambiguous(year, lang="vi"):
    """Why a figure dated only ``year`` has no certain standard, in a sentence; ``""`` where it has one."""
    possible = standards_of_year(year)
    if len(possible) < 2:
        return ""
    old, new = (standards().loc[s] for s in possible)
    if lang == "vi":
        return (
            f"Số liệu chỉ ghi “năm {year}” có thể theo {old.label_vi} (áp dụng đến {old.valid_to:%d/%m/%Y}) "
            f"hoặc {new.label_vi} (áp dụng từ {new.valid_from:%d/%m/%Y}), "
            "vì kết quả rà soát cuối năm có thể đã lập theo chuẩn mới. Cần ghi rõ chuẩn nghèo."
        )
    return (
        f"A figure dated only “{year}” may stand on the {old.label_en} (in force to {old.valid_to:%Y-%m-%d}) "
        f"or on the {new.label_en} (in force from {new.valid_from:%Y-%m-%d}), "
        "because the review at the year's end may already use the new one. State the standard."
    )


def standard_in_force(on):
    """Id of the standard of the household review in force on a date, or in a year where that is certain.

    on: date, ISO text or year (2021 or "2021"). Rural and urban areas share the standard, not its lines.
    Raises BasisError for a year whose list may stand on either of two standards, and outside all periods.
    """
    periods = _reviewed()
    if (year := _year(on)) is not None:
        possible = standards_of_year(year)
    else:
        day = pd.Timestamp(on)
        possible = periods.index[(periods.valid_from <= day) & (day <= periods.valid_to)]
    if len(possible) > 1:
        raise BasisError(why_ambiguous(year, "en"))
    if len(possible) == 0:
        span = f"{periods.valid_from.min():%Y-%m-%d} to {periods.valid_to.max():%Y-%m-%d}"
        raise BasisError(f"poverty_standards.csv: no standard on {on}; it runs {span}. Add the law's row.")
    return possible[0]


def classify_households(area, income_month_vnd, deprivations, *, standard):
    """Class of each household by the rule of a standard: ``poor``, ``near_poor``, ``not_poor``, or missing.

    area: rural or urban; income_month_vnd: VND per person per month; deprivations: indicators lacked.
    A rule holds where any of its alternatives does; a missing value leaves the class missing unless the
    other decides it. Returns a Series in the order given. Raises DataError for an unknown area, a count of
    deprivations outside the standard's indicators, or a standard without amounts (the survey's line).
    """
    rules = _read("poverty_standards").query("standard == @standard_id(@standard)")
    rules = rules.fillna({"income_min_inclusive": False, "income_max_inclusive": False})
    if rules[["income_min_vnd", "income_max_vnd"]].isna().all(axis=None):
        raise DataError(f"poverty_standards.csv: {standard} has no amounts, so it classifies no household.")
    households = pd.DataFrame({"area": pd.array(area, dtype="str")})
    households["income"] = pd.array(income_month_vnd, dtype="Float64")
    households["deprivations"] = pd.array(deprivations, dtype="Int64")
    _check_households(households, rules)
    poor, near_poor = (
        _any_alternative(households, rules[rules["class"] == label]) for label in ("poor", "near_poor")
    )
    classes = pd.Series("not_poor", index=households.index, dtype="str", name="class")
    classes = classes.mask((poor | near_poor).isna())
    return classes.mask(near_poor.fillna(False), "near_poor").mask(poor.fillna(False), "poor")


def _check_households(households, rules):
    known = set(rules["area"])
    unknown = sorted(set(households["area"].dropna()) - known)
    if unknown:
        raise DataError(f"households, area: found {unknown}. Write one of: {sorted(known)}.")
    indicators = rules["of_deprivations"].max()
    if pd.isna(indicators):
        return
    outside = households["deprivations"].dropna().loc[lambda d: (d < 0) | (d > indicators)]
    if len(outside):
        row, found = outside.index[0], outside.iloc[0]
        raise DataError(
            f"households, row {row}, deprivations: found {found}, but {rules['standard'].iloc[0]} counts "
            f"0 to {indicators} indicators. Correct the count or name the standard it was made for."
        )


def _any_alternative(households, rules):
    """Kleene truth, per household, of any rule of its area."""
    truth = pd.Series(False, index=households.index, dtype="boolean")
    for rule in rules.itertuples():
        truth |= (households["area"] == rule.area).astype("boolean") & _conjunction(households, rule)
    return truth.mask(households["area"].isna())


def _conjunction(households, rule):
    income, lacked = households["income"], households["deprivations"]
    bounds = (
        (income, ge if rule.income_min_inclusive else gt, rule.income_min_vnd),
        (income, le if rule.income_max_inclusive else lt, rule.income_max_vnd),
        (lacked, ge, rule.deprivations_min),
        (lacked, le, rule.deprivations_max),
    )
    return reduce(and_, (compare(values, bound) for values, compare, bound in bounds if pd.notna(bound)))


@lru_cache
def _legal_bases():
    return _read("legal_bases").set_index("legal_basis")["legal_basis_en"].to_dict()


def legal_basis(cited, lang):
    """A law as it is cited in Vietnamese, in the language of the reader: QĐ 09/2011/QĐ-TTg, Decision 09/2011/QĐ-TTg.

    One that legal_bases.csv doesn't name is returned as it is cited.
    """
    return _legal_bases().get(cited, cited) if lang == "en" else cited


def breaks_between(series, start, end):
    """Breaks of a series after ``start`` and up to ``end``: rows of series_breaks.csv in order of date.

    series: poverty, credit, administrative or nrd; start, end: dates, ISO texts or years (a year is its
    31 December, when reviews and the bank's books close). Raises DataError for an unknown series.
    """
    breaks = _read("series_breaks")
    if series not in set(breaks["series"]):
        known = ", ".join(sorted(set(breaks["series"])))
        raise DataError(f"series_breaks.csv: no series {series!r}. Ask for one of: {known}.")
    after, until = _closing_day(start), _closing_day(end)
    chosen = (breaks["series"] == series) & (breaks["date"] > after) & (breaks["date"] <= until)
    return breaks[chosen].sort_values("date", kind="stable").reset_index(drop=True)


def _closing_day(on):
    year = _year(on)
    return pd.Timestamp(on) if year is None else pd.Timestamp(year, 12, 31)


def programmes():
    """The bank's programmes by ``code``: names, purpose, whom it lends to, start, legal basis, aliases."""
    return table("programmes").set_index("code")


def largest_household_ceiling():
    """Largest amount, in VND, that any programme's terms let one household, worker or house have borrowed."""
    return table("programme_terms")["ceiling_vnd"].max()


def group_size(on):
    """Least and most members of a savings-and-loan group on a date or at a year's end; None where not known.

    Raises DataError before the first rule.
    """
    day, rules = _closing_day(on), _read("group_rules").query("rule == 'members'")
    rule = rules[(rules["valid_from"] <= day) & (rules["valid_to"].isna() | (day <= rules["valid_to"]))]
    if rule.empty:
        raise DataError(f"group_rules.csv: no rule on members on {on}. Add the law's row.")
    return tuple(None if pd.isna(bound) else int(bound) for bound in rule.iloc[0][["minimum", "maximum"]])


def parameter(name, key):
    """Value of one row of a table with the columns ``parameter`` and ``value``, such as plausibility.csv.

    Raises DataError for a key that the table lacks.
    """
    values = _read(name).set_index("parameter")["value"]
    if key not in values:
        raise DataError(f"{name}.csv: no parameter {key!r}. Ask for one of: {', '.join(values.index)}.")
    return values[key]


def last_price_year():
    """The last year that ``price_index`` reaches."""
    return int(_read("consumer_prices")["year"].max())


def price_index(to):
    """National consumer prices chained from annual-average changes: Series by year, 100 in year ``to``.

    An amount of year s in prices of year ``to`` is amount × 100 / index[s]. Raises DataError naming any year
    missing from the chain.
    """
    return chain(_read("consumer_prices").set_index("year")["change_pct"], to)


def chain(changes_pct, to):
    """Index, 100 in year ``to``, from yearly changes in per cent on the year before; see ``price_index``."""
    changes_pct = changes_pct.sort_index()
    first, last = int(changes_pct.index.min()), int(changes_pct.index.max())
    missing = sorted(set(range(first, last + 1)) - set(changes_pct.dropna().index))
    if missing:
        raise DataError(f"consumer_prices.csv: no change for {missing}. Add the years with their source.")
    if not first - 1 <= to <= last:
        raise DataError(
            f"consumer_prices.csv: no price level for {to}; years {first - 1} to {last} have one."
        )
    levels = pd.Series([0.0, *changes_pct], index=range(first - 1, last + 1)).div(100).add(1).cumprod()
    return (levels * 100 / levels[to]).rename("price_index").rename_axis("year")


def evidence():
    """What studies and experiments found elsewhere, by ``id``: design, outcome, finding in both languages."""
    return table("external_evidence").set_index("id")
