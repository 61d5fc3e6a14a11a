"""The ledger: a country's loans and instalments as Parquet, taken in with checks and read by commune."""

from evalkit.load.ledger.ingest import Delivery, ingest
from evalkit.load.ledger.reader import Ledger, open_ledger

__all__ = ["Delivery", "Ledger", "ingest", "open_ledger"]
