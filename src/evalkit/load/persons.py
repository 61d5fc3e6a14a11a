"""Names and papers of persons, kept out at the door: names dropped, identity and telephone numbers replaced."""

import pandas as pd

from evalkit.load import schema
from evalkit.load.findings import finding

_OF_A_PERSON = r"(?:[0-9]{9}|[0-9]{12}|0[0-9]{9}|\+84[0-9]{9})"  # identity card, citizen's card, telephone


def without(deliveries, found):
    """Return {table: Delivery} without what names persons, each column with a finding.

    Columns that the schema drops are emptied. Where a household is called by an identity or telephone number,
    it gets a running number instead, the same in every table of the data set, so that tables still join and
    nobody can compute the number back.
    """
    columns = [
        (table, name, field["constraints"]["personal"])
        for table in deliveries
        for name, field in schema.fields(table).items()
        if field.get("constraints", {}).get("personal")
    ]
    texts = [deliveries[t].frame[c].dropna().astype("string") for t, c, kind in columns if kind == "key"]
    every = pd.concat(texts) if texts else pd.Series(dtype="string")
    persons = pd.unique(every[every.str.strip().str.fullmatch(_OF_A_PERSON)])
    number = {text: f"household-{i}" for i, text in enumerate(persons, start=1)}
    out = dict(deliveries)
    for table, column, kind in columns:
        values = out[table].frame[column]
        named = values.notna() if kind == "drop" else values.isin(number)
        if not named.any():
            continue
        rule = "personal_data" if kind == "drop" else "personal_key"
        file = out[table].origin.loc[named.idxmax(), "file"]
        found.append(finding("warning", rule, file=file, column=column, count=int(named.sum())))
        kept = values.where(~named, values.map(number) if kind == "key" else pd.NA).astype("string")
        out[table] = out[table].with_frame(out[table].frame.assign(**{column: kept}))
    return out
