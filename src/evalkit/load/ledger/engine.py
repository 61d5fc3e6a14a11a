"""A DuckDB connection that can touch the named files and folders and nothing else."""

import os
from pathlib import Path


def connect(database=":memory:", *, folders, files=(), threads=None, memory_gib=1.5, scratch=None):
    """Open DuckDB bounded in memory and threads, reading and writing only ``folders`` and ``files``.

    No extension is installed or loaded, no address fetched, and the settings can't be changed by a query.
    What doesn't fit into memory spills into ``scratch``, a folder inside one of ``folders``.
    """
    import duckdb

    connection = duckdb.connect(
        str(database),
        config={
            "threads": threads or os.cpu_count() or 1,
            "memory_limit": f"{int(memory_gib * 1024)}MiB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
            "python_enable_replacements": False,
        },
    )
    # The store's files are never written again: their footers are read once a connection.
    connection.execute("SET parquet_metadata_cache = true")
    # DuckDB guesses that a CSV file has a few dozen rows and would build its hash table from the file's side.
    connection.execute("SET disabled_optimizers = 'build_side_probe_side'")
    connection.execute("SET temp_directory = ?", [str(scratch) if scratch else ""])
    connection.execute("SET allowed_directories = ?", [[str(Path(folder).resolve()) for folder in folders]])
    connection.execute("SET allowed_paths = ?", [[str(Path(file).resolve()) for file in files]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def quoted(name):
    """Return ``name`` as an SQL identifier."""
    return '"' + str(name).replace('"', '""') + '"'


def literal(text):
    """Return ``text`` as an SQL string; for paths of the store's own, never for a value of the data."""
    return "'" + str(text).replace("'", "''") + "'"
