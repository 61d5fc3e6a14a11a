"""Known tables written in random messy ways come back exactly or are set aside; never a wrong number."""

import math
import os
import tempfile
from collections import Counter
from pathlib import Path

import messy
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from evalkit.errors import DataError
from evalkit.load.spreadsheet import read_table

# Thousands of examples take minutes: set EVALKIT_FUZZ_EXAMPLES to run them.
EXAMPLES = int(os.environ.get("EVALKIT_FUZZ_EXAMPLES", "120"))
READ_AT_LEAST = 0.6  # of the sound rows; the others stand in deliveries that can mean two things


def same(read, true):
    if isinstance(true, float) and math.isnan(true):
        return read is None or read != read or str(read) == "<NA>"
    return read == true


def account(table, files, delimiter):
    """Read a delivery back and return how many sound rows it holds and how many were read; fail on a wrong one."""
    sheets = [made for _, _, sheets in files for made in sheets]
    truth = {key: row for made in sheets for key, row in made.truth.items()}
    broken = set().union(*(made.broken for made in sheets))
    written = Counter(sound=len(truth) - len(broken))
    with tempfile.TemporaryDirectory() as folder:
        for k, (kind, encoding, of_file) in enumerate(files):
            messy.save(Path(folder), f"{table}-{k}", kind, encoding, of_file, delimiter)
        try:
            reading = read_table(folder, table)
        except DataError as error:
            event(f"refused: {str(error)[:80]}")
            return written
    rows = [row for made in sheets for row in made.rows]
    assert reading.rows_read == sum(any(cell not in (None, "") for cell in row) for row in rows)
    aside = set(reading.rejected[["file", "sheet", "row"]].itertuples(index=False, name=None))
    assert aside.isdisjoint(reading.origin.itertuples(index=False, name=None))
    assert (reading.rejected["reason"].str.len() > 0).all()
    for row in reading.frame.to_dict("records"):
        key = (row["code"], row["year"])
        true = truth.pop(key)
        assert key not in broken
        wrong = {f: (row.get(f), value) for f, value in true.items() if not same(row.get(f), value)}
        assert not wrong, wrong
    written["read"] = len(reading.frame)
    return written


def test_messy_deliveries_come_back_exactly_or_are_set_aside():
    tally = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(messy.deliveries(), st.sampled_from(";,\t"))
    def each(delivery, delimiter):
        tally.update(account(*delivery, delimiter))

    each()
    print(tally)
    assert tally["read"] >= READ_AT_LEAST * tally["sound"], tally
