"""Dates as deliveries write them: 31/12/2019, Excel serials, "quý II/2019", "tháng 6/2019"."""

import calendar
import datetime
import re

from evalkit.errors import DataError
from evalkit.load.said import Said

_NO_DATE = "“{value}” is no date. Write it day first, as in 31/12/2019."
_QUARTERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]00:00(?::00)?(?:\.0+)?)?")
_DAY_FIRST = re.compile(r"(?:ngày\s*)?(\d{1,2})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{4}|\d{2})")
_IN_WORDS = re.compile(r"(?:ngày\s*)?(\d{1,2})\s*tháng\s*(\d{1,2})\s*năm\s*(\d{4})")
_MONTH = re.compile(r"(?:tháng\s*|t)?(\d{1,2})\s*(?:[/.-]|năm)\s*(\d{4})|(\d{4})-(\d{1,2})")
_QUARTER = re.compile(r"(?:quý|quí|quarter|q)\s*\.?\s*(i{1,3}|iv|[1-4])\s*(?:[/.,-]|năm|of)?\s*(\d{4})")
_YEAR = re.compile(r"(?:năm\s*)?(\d{4})")
# Days since 30 December 1899, Excel's serials; these bounds are 1 January 1950 and 31 December 2099.
_EXCEL_EPOCH = datetime.date(1899, 12, 30)
_SERIALS = (18264, 73050)


def parse_date(value):
    """(first day, last day) of what ``value`` names: a day, a month, a quarter or a year.

    Days come first (dd/mm/yyyy), as in every Vietnamese report; a number is an Excel serial. Raises DataError
    for what is no date, such as 31/02/2019 or the American 12/31/2019.
    """
    if isinstance(value, datetime.datetime):
        value = value.date()
    if isinstance(value, datetime.date):
        return value, value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _serial(value)
    text = " ".join(str(value).split()).lower().strip(" .")
    try:
        return _from_text(text)
    except ValueError:
        raise DataError(Said(_NO_DATE, value=value)) from None


def _serial(number):
    if number % 1 == 0 and 1900 <= number <= 2100:
        return datetime.date(int(number), 1, 1), datetime.date(int(number), 12, 31)
    if not _SERIALS[0] <= number <= _SERIALS[1]:
        raise DataError(Said(_NO_DATE, value=f"{number:g}"))
    day = _EXCEL_EPOCH + datetime.timedelta(days=int(number))
    return day, day


def _from_text(text):
    if match := _ISO.fullmatch(text):
        return _day(*match.groups())
    if match := _DAY_FIRST.fullmatch(text) or _IN_WORDS.fullmatch(text):
        day, month, year = match.groups()
        return _day(_century(year), month, day)
    if match := _MONTH.fullmatch(text):
        month, year = (match[1], match[2]) if match[1] else (match[4], match[3])
        return _months(int(year), int(month), int(month))
    if match := _QUARTER.fullmatch(text):
        quarter = _QUARTERS[match[1]]
        return _months(int(match[2]), 3 * quarter - 2, 3 * quarter)
    if match := _YEAR.fullmatch(text):
        return _months(int(match[1]), 1, 12)
    if re.fullmatch(r"\d{5}(?:\.0+)?", text):
        return _serial(float(text))
    raise ValueError


def _century(year):
    # POSIX: two-digit years from 69 are of the 1900s.
    return int(year) if len(year) == 4 else int(year) + (1900 if int(year) >= 69 else 2000)


def _day(year, month, day):
    day = datetime.date(int(year), int(month), int(day))
    return day, day


def _months(year, first, last):
    return datetime.date(year, first, 1), datetime.date(year, last, calendar.monthrange(year, last)[1])
