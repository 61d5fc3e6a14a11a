"""Parquet and Stata files as frames: plain columns only, and no more of them than memory holds."""

import pandas as pd

from evalkit.errors import DataError
from evalkit.load.said import Said, first_line

FRAMES = (".parquet", ".dta")
_MOST_CELLS = 100_000_000
_MOST_BYTES = 2 * 2**30
_TOO_LARGE = (
    "{file} unpacks to more than memory should hold. Deliver it in parts, loans through evalkit.load.ledger."
)


def read_frame(path):
    """(frame, {column: label}) of a Parquet or Stata file; an index with a name is a column.

    Raises DataError for a file that can't be read, holds lists or structures, or unpacks to too much.
    """
    try:
        frame, labels = _parquet(path) if path.suffix.lower() == ".parquet" else _stata(path)
    except DataError:
        raise
    except Exception as error:  # each engine has exceptions of its own; all mean that the file can't be read
        fault = first_line(error)
        raise DataError(
            Said("{file} can't be read ({fault}). Save it again.", file=path.name, fault=fault)
        ) from error
    named = [name for name in frame.index.names if name is not None and name not in frame]
    frame = frame.reset_index(named).reset_index(drop=True)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DataError(
            Said("{file} has two columns “{column}”. Rename one of them.", file=path.name, column=twice[0])
        )
    return frame, labels


def _parquet(path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        meta, schema = file.metadata, file.schema_arrow
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    if meta.num_rows * max(meta.num_columns, 1) > _MOST_CELLS or unpacked > _MOST_BYTES:
        raise DataError(Said(_TOO_LARGE, file=path.name))
    for field in schema:
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            said = "{file}, column “{column}”: holds lists, structures or bytes ({kind}). Save one value in each cell."
            raise DataError(Said(said, file=path.name, column=field.name, kind=str(field.type)))
    # A text stored once and repeated a million times is unpacked only when its length is known.
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        table = file.read()
    table.validate(full=True)  # texts that are none would be found out only where they are used
    if sum(map(_text_bytes, table.columns)) > _MOST_BYTES:
        raise DataError(Said(_TOO_LARGE, file=path.name))
    return table.cast(schema.with_metadata(table.schema.metadata)).to_pandas(), {}


def _text_bytes(column):
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return 0
    lengths = (pc.take(pc.binary_length(chunk.dictionary), chunk.indices) for chunk in column.chunks)
    return sum(pc.sum(length.cast("int64")).as_py() or 0 for length in lengths)


def _stata(path):
    with pd.read_stata(path, iterator=True) as reader:
        labels = reader.variable_labels()
        try:
            return reader.read(), labels
        except ValueError:  # value labels that repeat can't be categories; the codes are read instead
            return reader.read(convert_categoricals=False), labels
