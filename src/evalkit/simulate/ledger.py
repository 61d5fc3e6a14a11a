"""Simulated dumps of a national loan book, streamed to disk: any number of rows in the memory of one block.

Everything about loan number k follows from (seed, k), so a loan tells the same story in every snapshot and
in its instalments. Rows come in no useful order, as they leave a core banking system.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

BLOCK = 250_000
LIFE_SNAPSHOTS = 4
LOANS_PER_HOUSEHOLD = 1.5
INSTALMENT_DAYS = 182

PROGRAMMES = {
    "poor": ("Hộ nghèo", 0.18),
    "near_poor": ("Hộ cận nghèo", 0.16),
    "escaped": ("Hộ mới thoát nghèo", 0.17),
    "students": ("Học sinh, sinh viên có hoàn cảnh khó khăn", 0.06),
    "water": ("Nước sạch và vệ sinh môi trường nông thôn", 0.17),
    "jobs": ("Giải quyết việc làm", 0.09),
    "difficult_area": ("Sản xuất, kinh doanh vùng khó khăn", 0.12),
    "housing_poor": ("Hộ nghèo về nhà ở", 0.05),
}
UNIONS = {
    "women": ("Hội Phụ nữ", 0.40),
    "farmers": ("Hội Nông dân", 0.34),
    "veterans": ("Hội Cựu chiến binh", 0.16),
    "youth": ("Đoàn Thanh niên", 0.10),
}
STATUSES = {
    "current": "Trong hạn",
    "overdue": "Quá hạn",
    "frozen": "Nợ khoanh",
    "extended": "Gia hạn",
    "written_off": "Xóa nợ",
    "repaid": "Tất toán",
}
FATES = {
    "clean": 0.93,
    "cured": 0.03,
    "overdue": 0.02,
    "frozen": 0.008,
    "extended": 0.009,
    "written_off": 0.003,
}
INSTALMENTS = {6: 0.2, 8: 0.2, 10: 0.5, 20: 0.1}
FAULTS = ("minimum", "pattern", "required", "type:date", "enum", "type:number")
SURNAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đinh", "Hà", "Lò", "Giàng")
MIDDLES = ("Văn", "Thị", "Hữu", "Đức", "Thị Thu", "Minh", "Đình", "Thị Ngọc")
GIVEN = ("Hoa", "Hùng", "Lan", "Dũng", "Mai", "Sơn", "Hạnh", "Bình", "Páo", "Xuân", "Thắng", "Nga", "Tú")
PROVINCES = [
    "01", "02", "04", "06", "08", "10", "11", "12", "14", "15", "17", "19", "20", "22", "24", "25",
    "26", "27", "30", "31", "33", "34", "35", "36", "37", "38", "40", "42", "44", "45", "46", "48",
    "49", "51", "52", "54", "56", "58", "60", "62", "64", "66", "67", "68", "70", "72", "74", "75",
    "77", "79", "80", "82", "83", "84", "86", "87", "89", "91", "92", "93", "94", "95", "96",
]  # fmt: skip


def year_ends(first, last):
    """Return 31 December of every year from ``first`` to ``last``."""
    return tuple(date(year, 12, 31) for year in range(first, last + 1))


@dataclass(frozen=True)
class LoanBook:
    """A loan book of ``rows`` snapshot rows over the dates ``snapshots``, spread over ``communes`` communes.

    rows // len(snapshots) loans stand in each snapshot; a loan stands in up to four, then leaves the book.
    ``faulty`` is the share of snapshot rows with one broken cell each. Equal arguments give equal loans.
    """

    rows: int
    seed: int
    snapshots: tuple[date, ...] = year_ends(2014, 2024)
    communes: int = 10_600
    faulty: float = 0.0

    @property
    def live(self):
        return self.rows // len(self.snapshots)

    @property
    def arriving(self):
        return -(-self.live // LIFE_SNAPSHOTS)

    def places(self):
        """Return the communes with the province of each: code, province_code."""
        index = range(self.communes)
        return pd.DataFrame(
            {
                "code": [f"{1 + 3 * i:05d}" for i in index],
                "province_code": [PROVINCES[i * len(PROVINCES) // self.communes] for i in index],
            }
        )

    def loan_blocks(self, snapshot):
        """Yield the loans as they stand at one snapshot; categories are positions in their lists."""
        position = self.snapshots.index(snapshot)
        first = position * self.arriving
        for block in range(first // BLOCK, -(-(first + self.live) // BLOCK)):
            loans = self._loans(block)
            yield self._state(loans[loans["k"].between(first, first + self.live - 1)], snapshot, position)

    def instalment_blocks(self):
        """Yield the instalments due up to the last snapshot: k, due_on, due_vnd, paid_on, paid_vnd."""
        count = (len(self.snapshots) - 1) * self.arriving + self.live
        for block in range(-(-count // BLOCK)):
            loans = self._loans(block)
            yield self._instalments(loans[loans["k"] < count])

    def _loans(self, block):
        """Return what never changes about the loans of one block."""
        rng = np.random.default_rng([self.seed, block])
        k = np.arange(block * BLOCK, (block + 1) * BLOCK)
        households = max(self.communes, int(self.live / LOANS_PER_HOUSEHOLD))
        instalments = rng.choice(list(INSTALMENTS), BLOCK, p=list(INSTALMENTS.values()))
        return pd.DataFrame(
            {
                "k": k,
                "household": k * 1_000_003 % households,
                "programme": rng.choice(
                    len(PROGRAMMES), BLOCK, p=[share for _, share in PROGRAMMES.values()]
                ),
                "union": rng.choice(len(UNIONS), BLOCK, p=[share for _, share in UNIONS.values()]),
                "group": rng.integers(1, 30, BLOCK),
                "disbursed_on": self._arrivals(k) - rng.integers(0, 365, BLOCK),
                "instalments": instalments,
                "instalment_vnd": rng.integers(2, 21, BLOCK) * 5_000_000 // instalments // 1000 * 1000,
                "fate": rng.choice(len(FATES), BLOCK, p=list(FATES.values())),
                "missed": rng.integers(1, 7, BLOCK),
                "cure_days": rng.integers(5, 200, BLOCK),
            }
        )

    def _arrivals(self, k):
        """Return the date of the first snapshot of each loan; the first stock arrived in the years before."""
        ends = np.array(self.snapshots, dtype="datetime64[D]")
        arrival = (k - self.live) // self.arriving + 1
        return ends[np.clip(arrival, 0, len(ends) - 1)] + np.minimum(arrival, 0) * 365

    def _state(self, loans, snapshot, position):
        """Return the loans as they stand on one day."""
        fate, missed, instalments = (loans[c].to_numpy() for c in ("fate", "missed", "instalments"))
        names = np.array(list(FATES))[fate]
        disbursed = loans["disbursed_on"].to_numpy().astype("datetime64[D]")
        age = (np.datetime64(snapshot) - disbursed).astype(int)
        due = np.clip(age // INSTALMENT_DAYS, 0, instalments)
        cured = (names == "cured") & (age >= missed * INSTALMENT_DAYS + loans["cure_days"].to_numpy())
        paid = np.where((names == "clean") | cured, due, np.minimum(due, missed - 1))
        written_off = (names == "written_off") & (due - paid >= 4)
        excused = np.isin(names, ("frozen", "extended")) & (due > paid)
        outstanding = instalments - paid  # of a loan written off: what was written off
        late = np.clip((age - 1) // INSTALMENT_DAYS, 0, instalments) - paid  # what is due today isn't late
        overdue = np.where(written_off | excused, 0, np.maximum(late, 0))
        status = np.select(
            [written_off, outstanding == 0, excused & (names == "frozen"), excused, overdue > 0],
            [4, 5, 2, 3, 1],
            0,
        )
        rng = np.random.default_rng([self.seed, position, int(loans["k"].iloc[0])])
        fault = np.where(
            rng.random(len(loans)) < self.faulty, rng.integers(1, len(FAULTS) + 1, len(loans)), 0
        )
        vnd = loans["instalment_vnd"].to_numpy()
        return loans[["k", "household", "programme", "union", "group"]].assign(
            commune=loans["household"] % self.communes,
            disbursed_on=disbursed.astype("datetime64[s]"),
            due_on=(disbursed + instalments * INSTALMENT_DAYS).astype("datetime64[s]"),
            amount_vnd=instalments * vnd,
            outstanding_vnd=outstanding * vnd,
            overdue_vnd=overdue * vnd,
            days_past_due=np.where(overdue > 0, age - (paid + 1) * INSTALMENT_DAYS, 0),
            status=status,
            fault=fault,
        )

    def _instalments(self, loans):
        """Return one row per instalment due; an unpaid one has no day of payment."""
        last = np.datetime64(self.snapshots[-1])
        rows = loans.loc[loans.index.repeat(loans["instalments"])].reset_index(drop=True)
        number = rows.groupby("k").cumcount().to_numpy() + 1
        due_on = rows["disbursed_on"].to_numpy().astype("datetime64[D]") + number * INSTALMENT_DAYS
        names = np.array(list(FATES))[rows["fate"].to_numpy()]
        missed = number >= rows["missed"].to_numpy()
        cured_on = (
            rows["disbursed_on"].to_numpy().astype("datetime64[D]")
            + rows["missed"].to_numpy() * INSTALMENT_DAYS
            + rows["cure_days"].to_numpy()
        )
        paid_on = np.where((names == "cured") & missed, np.maximum(due_on, cured_on), due_on)
        unpaid = (missed & ~np.isin(names, ("clean", "cured"))) | (paid_on > last)
        vnd = rows["instalment_vnd"].to_numpy()
        table = pd.DataFrame(
            {
                "k": rows["k"],
                "due_on": due_on.astype("datetime64[s]"),
                "due_vnd": vnd,
                "paid_on": pd.Series(paid_on.astype("datetime64[s]")).mask(unpaid),
                "paid_vnd": np.where(unpaid, 0, vnd),
            }
        )
        return table[due_on <= last]


def write_loans(book, folder, *, language="vi", compression=None):
    """Write one CSV dump per snapshot and return the paths.

    ``language`` "vi" prints headers, names of programmes, 1.234.567 and dd/mm/yyyy as a Vietnamese office
    does; "en" prints the schema's names, 1234567 and ISO dates. ``compression``: None, "gzip" or "zstd".
    The borrowers' names and identity numbers are invented.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for snapshot in book.snapshots:
        path = folder / f"loans-{snapshot}{_suffix(compression)}"
        _stream(book.loan_blocks(snapshot), _loan_columns(language, snapshot), path, compression)
        paths.append(path)
    return paths


def write_repayments(book, folder, *, language="vi", compression=None):
    """Write the instalments of the whole book as one CSV dump and return its path."""
    path = Path(folder) / f"repayments{_suffix(compression)}"
    path.parent.mkdir(parents=True, exist_ok=True)
    _stream(book.instalment_blocks(), _repayment_columns(language), path, compression)
    return path


def _suffix(compression):
    return ".csv" + {None: "", "gzip": ".gz", "zstd": ".zst"}[compression]


def _stream(blocks, columns, path, compression):
    """Write the blocks as one CSV file through the SQL ``columns``."""
    import duckdb
    import pyarrow as pa

    first = pa.Table.from_pandas(next(blocks := iter(blocks)), preserve_index=False)

    def batches():
        yield from first.to_batches()
        for block in blocks:
            yield from pa.Table.from_pandas(block, schema=first.schema, preserve_index=False).to_batches()

    with duckdb.connect(config={"threads": 1, "preserve_insertion_order": True}) as connection:
        connection.register("block", pa.RecordBatchReader.from_batches(first.schema, batches()))
        connection.sql(f"SELECT {columns} FROM block").write_csv(str(path), compression=compression or "none")


def _listed(names, position):
    return "[" + ", ".join("'" + name.replace("'", "''") + "'" for name in names) + f"][{position} + 1]"


def _loan_columns(language, snapshot):
    """Return the SQL of a loan dump's columns, faults included."""
    vietnamese = language == "vi"

    def money(column):
        return f"format('{{:t.}}', {column})" if vietnamese else f"{column}::VARCHAR"

    def day(value):
        return f"strftime({value}, '{'%d/%m/%Y' if vietnamese else '%Y-%m-%d'}')"

    def named(table, position):
        return _listed([label for label, _ in table.values()] if vietnamese else table, position)

    statuses = _listed(STATUSES.values() if vietnamese else STATUSES, "status")
    person = " || ' ' || ".join(
        _listed(names, f"(household // {step}) % {len(names)}")
        for names, step in ((SURNAMES, 1), (MIDDLES, 13), (GIVEN, 104))
    )
    columns = {
        ("loan", "Số khế ước"): "'L' || lpad(k::VARCHAR, 10, '0')",
        ("code", "Mã xã"): "CASE WHEN fault = 2 THEN '847' ELSE lpad((1 + 3 * commune)::VARCHAR, 5, '0') END",
        ("group", "Mã tổ"): "lpad((1 + 3 * commune)::VARCHAR, 5, '0') || '-' || \"group\"",
        ("union", "Hội nhận ủy thác"): named(UNIONS, '"union"'),
        ("household", "Mã khách hàng"): "'KH' || lpad(household::VARCHAR, 9, '0')",
        ("name", "Họ và tên"): person,
        ("identity_number", "Số CCCD"): "'0' || (10000000000 + household * 7919)::VARCHAR",
        (
            "programme",
            "Chương trình cho vay",
        ): f"CASE WHEN fault <> 3 THEN {named(PROGRAMMES, 'programme')} END",
        (
            "disbursed_on",
            "Ngày giải ngân",
        ): f"CASE WHEN fault = 4 THEN '31/02/2019' ELSE {day('disbursed_on')} END",
        ("due_on", "Hạn trả cuối cùng"): day("due_on"),
        ("amount_vnd", "Số tiền vay"): f"CASE WHEN fault = 6 THEN '12.34.5' ELSE {money('amount_vnd')} END",
        ("as_of", "Ngày chốt số liệu"): day(f"DATE '{snapshot}'"),
        ("outstanding_vnd", "Dư nợ"): f"CASE WHEN fault = 1 THEN '-1' ELSE {money('outstanding_vnd')} END",
        ("overdue_vnd", "Nợ quá hạn"): money("overdue_vnd"),
        ("days_past_due", "Số ngày quá hạn"): "days_past_due::VARCHAR",
        ("status", "Trạng thái nợ"): f"CASE WHEN fault = 5 THEN 'không rõ' ELSE {statuses} END",
    }
    return ", ".join(f'{sql} AS "{names[vietnamese]}"' for names, sql in columns.items())


def _repayment_columns(language):
    """Return the SQL of an instalment dump's columns."""
    vietnamese = language == "vi"
    money = "format('{{:t.}}', {})" if vietnamese else "{}::VARCHAR"
    day = "strftime({}, '%d/%m/%Y')" if vietnamese else "strftime({}, '%Y-%m-%d')"
    columns = {
        ("loan", "Số khế ước"): "'L' || lpad(k::VARCHAR, 10, '0')",
        ("due_on", "Ngày đến hạn"): day.format("due_on"),
        ("due_vnd", "Gốc phải trả"): money.format("due_vnd"),
        ("paid_on", "Ngày trả"): day.format("paid_on"),
        ("paid_vnd", "Gốc đã trả"): money.format("paid_vnd"),
    }
    return ", ".join(f'{sql} AS "{names[vietnamese]}"' for names, sql in columns.items())
