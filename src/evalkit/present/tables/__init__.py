"""Tables of a report. Each takes a place and returns a block."""

from evalkit.present.tables.checked import findings
from evalkit.present.tables.comparison import among, beside, position
from evalkit.present.tables.evidence import data_to_ask, evidence_elsewhere
from evalkit.present.tables.figures import figures, sources
from evalkit.present.tables.judged import judged, peers
from evalkit.present.tables.law import standards
from evalkit.present.tables.moves import moves

__all__ = [
    "among",
    "beside",
    "data_to_ask",
    "evidence_elsewhere",
    "figures",
    "findings",
    "judged",
    "moves",
    "peers",
    "position",
    "sources",
    "standards",
]
