"""What titles, sheet names and file names say of a whole table: its year, its standard, its cut-off day."""

import datetime
import re

from evalkit.errors import DataError
from evalkit.load.dates import parse_date
from evalkit.load.said import Said, joined

_RANGE = re.compile(r"(?:19|20)\d{2}\s*[-–—]\s*(?:19|20)\d{2}")
_NAMED_YEAR = re.compile(r"(?:năm|year|31\s*[/.]\s*12\s*[/.])\s*((?:19|20)\d{2})\b", re.IGNORECASE)
_ANY_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")
_STANDARD = re.compile(r"chuẩn[^0-9]*((?:19|20)\d{2})\s*[-–—]\s*((?:19|20)\d{2})", re.IGNORECASE)
_CUT_OFF = re.compile(
    r"(?:đến|tại|as of|thời điểm)\s*(?:ngày\s*)?(\d{1,2}\s*[/.-]\s*\d{1,2}\s*[/.-]\s*\d{4})", re.IGNORECASE
)


def year_of(title, sheet, file):
    """(year, where it stands) that the title, the sheet's name or the file's name gives, or None.

    Raises DataError where two of them give different years.
    """
    sources = {
        Said("title"): _NAMED_YEAR.findall(_RANGE.sub(" ", title)),
        Said("name of the sheet"): _ANY_YEAR.findall(_RANGE.sub(" ", sheet or "")),
        Said("name of the file"): _ANY_YEAR.findall(_RANGE.sub(" ", file)),
    }
    stated = {where: int(years[0]) for where, years in sources.items() if len(set(years)) == 1}
    if len(set(stated.values())) > 1:
        said = joined((Said("{where}: {year}", where=w, year=str(y)) for w, y in stated.items()), ", ")
        raise DataError(Said("the year is not clear ({years}). Add a column for the year.", years=said))
    return next(((year, where) for where, year in stated.items()), None)


def standard_of(title):
    """Id of the poverty standard that ``title`` names ("chuẩn nghèo giai đoạn 2022-2025"), or None."""
    found = {f"{first}-{last}" for first, last in _STANDARD.findall(title)}
    return found.pop() if len(found) == 1 else None


def cut_off_of(title) -> datetime.date | None:
    """The day up to which ``title`` says the figures run ("đến ngày 31/12/2019"), or None."""
    days = {parse_date(day)[1] for day in _CUT_OFF.findall(title)}
    return days.pop() if len(days) == 1 else None
