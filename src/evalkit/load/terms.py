"""Programmes and standards by their codes, however a delivery names them."""

from functools import lru_cache

from evalkit.errors import BasisError
from evalkit.load import reference
from evalkit.load.text import fold, like, nearest

TOTAL = "total"
_TOTAL_NAMES = (
    "total",
    "tổng",
    "tổng số",
    "tổng cộng",
    "cộng",
    "toàn bộ",
    "tất cả chương trình",
    "all programmes",
)


@lru_cache
def programme_names():
    """Return {folded name: code} of the programmes, and of an office's own total row."""
    names = {fold(name): TOTAL for name in _TOTAL_NAMES}
    for code, row in reference.programmes().iterrows():
        for name in (code, row["name_vi"], row["name_en"], *row["aliases"].split("|")):
            if name:
                names.setdefault(fold(name), code)
    return names


def normalise(delivery, found):
    """Return a delivery whose programmes and standards are codes.

    A name that means none is an error; a programme unlike any known one is a warning and stays as it is called.
    """
    frame = delivery.frame
    for column, code_of in (("programme", _programme), ("standard", _standard)):
        if column not in frame:
            continue
        codes = {text: code_of(text) for text in frame[column].dropna().unique()}
        meant = [text for text, code in codes.items() if code is not None]
        unknown = frame[frame[column].notna() & ~frame[column].isin(meant)]
        known = sorted(
            set(programme_names().values()) if column == "programme" else reference.standards().index
        )
        for index, text in unknown[column].items():
            near = like(nearest(text, known))
            severity = "error" if near or column == "standard" else "warning"
            found.append(
                delivery.finding(severity, "not_allowed", index, column, allowed=", ".join(known), near=near)
            )
        if any(text != code for text, code in codes.items()):
            spelled = frame[column].map(lambda text, codes=codes: codes.get(text) or text, na_action="ignore")
            frame = frame.assign(**{column: spelled.astype("string")})
    return delivery.with_frame(frame)


def _programme(text):
    return programme_names().get(fold(text))


def _standard(text):
    try:
        return reference.standard_id(text)
    except BasisError:
        return None
