"""One table as it was delivered: its rows, typed, and where each stands in its file."""

from dataclasses import dataclass, replace

import pandas as pd

from evalkit.load import schema
from evalkit.load.findings import finding, plain


@dataclass(frozen=True)
class Delivery:
    """table: name in the schema. frame: its rows, typed. origin: file, sheet and row of each, with its index."""

    table: str
    frame: pd.DataFrame
    origin: pd.DataFrame

    def with_frame(self, frame):
        """Return the delivery with another frame, whose rows are some of the old ones."""
        return replace(self, frame=frame, origin=self.origin.loc[frame.index])

    def key(self, index):
        """Return the key of a row as text: "code=08473;year=2019;programme=poor"."""
        row = self.frame.loc[index]
        return ";".join(f"{column}={plain(row[column])}" for column in schema.key(self.table))

    def label(self, index):
        """Return where a row stands: "credit.csv, row 12"."""
        at = self.origin.loc[index]
        return (
            f"{at['file']} ({at['sheet']}), row {at['row']}"
            if at["sheet"]
            else f"{at['file']}, row {at['row']}"
        )

    def finding(self, severity, rule, index, column="", **arguments):
        """Return a finding about one row, with its file, row, value, place and key."""
        at, row = self.origin.loc[index], self.frame.loc[index]
        where = {"file": at["file"], "sheet": at["sheet"], "row": int(at["row"]), "column": column}
        where["value"] = row.get(column, "")
        where["place"] = plain(row.get("place", ""))
        where |= {"key": self.key(index), "table": self.table}
        return finding(severity, rule, **(where | arguments))

    def findings(self, severity, rule, hits, column="", **arguments):
        """Yield a finding for each row of ``hits``, whose columns are arguments of the rule."""
        for index, values in zip(hits.index, hits.to_dict("records"), strict=True):
            yield self.finding(severity, rule, index, column, **(values | arguments))
