"""A data set whose household-level figures would give themselves away, and a reader of every published byte."""

import gzip
import io
import re
import zipfile
import zlib
from itertools import combinations
from pathlib import Path

import pandas as pd

MARK = "TELLTALE"
COMMUNE = "99066"  # has single loans and surveyed households
ALONE = "99120"  # where one household is the youth union's only member
LOAN = {"amount_vnd": 48215377, "outstanding_vnd": 31415927, "overdue_vnd": 5827193}
GROUP = {"outstanding_vnd": 92817463, "overdue_vnd": 8127364, "savings_vnd": 7364519}
DISTRICTS, FIRST_YEAR = ("907", "911"), 2022
UNION = {"outstanding_vnd": 38164297, "overdue_vnd": 0, "savings_vnd": 4193827}
CREDIT = {
    "outstanding_vnd": 64719283,
    "overdue_vnd": 77391824,
    "lent_vnd": 57391824,
}  # more overdue than owed
INSTALMENT = {"due_vnd": 6180339, "paid_vnd": 1618033}
INCOME = 73919317
DAY = pd.Timestamp("2013-07-23")
AMOUNTS = [
    *LOAN.values(),
    *GROUP.values(),
    UNION["outstanding_vnd"],
    *CREDIT.values(),
    *INSTALMENT.values(),
    INCOME,
]
_SEPARATORS = re.compile(r"(?<=\d)[.,\u00a0\u202f ](?=\d{3})")


def small(folder):
    """Make a data set of two districts and three years with the tell-tale rows, and return its folder."""
    from evalkit.simulate import province

    folder = Path(folder)
    province(folder, communes=40, seed=5)
    plant(folder)
    codes = pd.read_csv(folder / "communes.csv", dtype=str)
    codes = codes.loc[codes["district_code"].isin(DISTRICTS), "code"]
    for path in folder.glob("*.csv"):
        table = pd.read_csv(path, dtype=str)
        recent = table["year"].astype(int) >= FIRST_YEAR if "year" in table else True
        table[table["code"].isin(codes) & recent].to_csv(path, index=False)
    loans, repayments = (pd.read_parquet(folder / f"{name}.parquet") for name in ("loans", "repayments"))
    loans = loans[loans["code"].isin(codes) & (loans["as_of"] >= f"{FIRST_YEAR}")]
    loans.to_parquet(folder / "loans.parquet", index=False)
    repayments = repayments[repayments["loan"].isin(loans["loan"])]
    repayments.to_parquet(folder / "repayments.parquet", index=False)
    return folder


def plant(folder):
    """Put the tell-tale rows into a data set made by ``evalkit new --simulated``."""
    folder = Path(folder)
    loans, repayments = (pd.read_parquet(folder / f"{name}.parquet") for name in ("loans", "repayments"))
    last = loans[loans["code"] == COMMUNE].sort_values("as_of").tail(1)
    own = {"loan": f"{MARK}-LOAN", "household": f"{MARK}-DEBTOR", "group": f"{MARK}-GROUP"}
    own |= {"disbursed_on": DAY, "status": "repaid", "programme": "poor"}  # repaid, and still owed: a finding
    wrong = {"loan": f"{MARK}-OTHER", "outstanding_vnd": LOAN["amount_vnd"] + LOAN["outstanding_vnd"]}
    planted = [last.assign(**own | LOAN), last.assign(**own | LOAN | wrong | {"status": "current"})]
    pd.concat([loans, *planted], ignore_index=True).to_parquet(folder / "loans.parquet", index=False)
    paid = {"loan": f"{MARK}-LOAN", "due_on": DAY, "paid_on": DAY, **INSTALMENT}
    repaid = pd.concat([repayments, repayments.tail(1).assign(**paid)], ignore_index=True)
    repaid.to_parquet(folder / "repayments.parquet", index=False)
    _append(
        folder,
        "groups",
        {"code": COMMUNE, "year": "2024"},
        **{"group": f"{MARK}-GROUP", "members": 1},
        **GROUP,
    )
    own_group = {"group": f"{MARK}-YOUTH", "union": "youth", "members": 1}
    _append(
        folder, "groups", {"code": ALONE, "year": "2024"}, instead={"union": "youth"}, **own_group, **UNION
    )
    _append(
        folder,
        "households",
        {"code": COMMUNE, "year": "2024"},
        household=f"{MARK}-HOUSEHOLD",
        income_month_vnd=INCOME,
    )
    credit = pd.read_csv(folder / "credit.csv", dtype={"code": str})
    this = (credit["code"] == COMMUNE) & (credit["year"] == 2024)
    few, total = (this & (credit["programme"] == name) for name in ("ex_prisoners", "total"))
    for column, amount in CREDIT.items():
        credit.loc[total, column] += amount - credit.loc[few, column].sum()
        credit.loc[few, column] = amount
    credit.to_csv(folder / "credit.csv", index=False)


def _append(folder, name, where, instead=None, **values):
    """Repeat one of the rows that fit, with other values; rows that fit ``instead`` as well are taken out."""
    table = pd.read_csv(folder / f"{name}.csv", dtype=str)
    rows = _those(table, where)
    texts = {column: str(value) for column, value in values.items()}
    kept = table.drop(_those(table, where | instead).index) if instead else table
    pd.concat([kept, rows.tail(1).assign(**texts)]).to_csv(folder / f"{name}.csv", index=False)


def _those(table, where):
    return table[(table[list(where)] == pd.Series(where)).all(axis=1)]


def published(folder):
    """Yield (name, text) of all that a reader can get out of a folder: members, tables and streams opened."""
    for path in sorted(Path(folder).rglob("*")):
        yield str(path.relative_to(folder)), str(path.relative_to(folder))
        if path.is_file():
            yield from _opened(str(path.relative_to(folder)), path.read_bytes())


def _opened(name, content):
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for member in packed.namelist():
                yield from _opened(f"{name}!{member}", packed.read(member))
    elif content.startswith(b"PAR1"):
        frame = pd.read_parquet(io.BytesIO(content))
        yield name, frame.to_csv(float_format="%.6f") + str(frame.attrs)
    elif content.startswith(b"\x1f\x8b"):
        yield from _opened(f"{name}!", gzip.decompress(content))
    else:
        yield name, content.decode("utf-8", errors="replace")
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
            with_luck = zlib.decompressobj()
            try:
                yield f"{name}!stream", with_luck.decompress(stream).decode("latin-1")
            except zlib.error:
                continue


def traces(text):
    """Which tell-tales a text holds: as they are, grouped, in millions, rounded, or two of them added up."""
    found = set(_GIVEN_AWAY.findall(text)) | set(_PLAIN.findall(_SEPARATORS.sub("", text)))
    return sorted(found)


def _forms():
    """Regular expressions of what gives a tell-tale away: marks, dates, and amounts in millions."""
    for amount in AMOUNTS:
        yield rf"(?<![\d.,]){amount // 10**6}[.,]{amount % 10**6:06d}"[:-3]  # in millions, to the thousand
        for said in (f"{amount / 1e6:.2f}", f"{amount / 1e6:.3f}"):
            yield rf"(?<![\d.,]){said.replace('.', '[.,]')}\s*(?:triệu|million)"
    yield from (
        MARK,
        f"{DAY:%Y-%m-%d}",
        f"{DAY:%d/%m/%Y}",
        f"{DAY.day} July 2013",
        f"{DAY.day} tháng 7 năm 2013",
    )


_GIVEN_AWAY = re.compile("|".join(_forms()))
_PLAIN = re.compile("|".join(str(n) for n in (*AMOUNTS, *(a + b for a, b in combinations(AMOUNTS, 2)))))
