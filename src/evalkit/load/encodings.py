"""Text in the encodings Vietnamese files come in: which one is decided from the text itself.

A font name proves nothing (files say .VnTime over Unicode text), so each reading is judged by how many of its
accented words are possible Vietnamese syllables.
"""

import re
import unicodedata

# TCVN 5712:1993, VN3 ("ABC"): one byte per letter; the capitals with tones come from capital fonts.
_TCVN3 = {
    0xA1: "ĂÂÊÔƠƯĐăâêôơưđ",
    0xB5: "àảãáạ",
    0xBB: "ằẳẵắ",
    0xC6: "ặầẩẫấậè",
    0xCE: "ẻẽéẹềểễếệìỉ",
    0xDC: "ĩíịò",
    0xE1: "ỏõóọồổỗốộờởỡớợù",
    0xF1: "ủũúụừửữứựỳỷỹýỵ",
}
_TCVN3_TABLE = {start + i: letter for start, row in _TCVN3.items() for i, letter in enumerate(row)}

# VNI Windows: a base letter followed by a letter that stands for its marks, and seven that stand alone.
_VNI_MARKS = {
    "ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323",
    "â": "\u0302", "á": "\u0302\u0301", "à": "\u0302\u0300", "å": "\u0302\u0309", "ã": "\u0302\u0303",
    "ä": "\u0302\u0323",
    "ê": "\u0306", "é": "\u0306\u0301", "è": "\u0306\u0300", "ú": "\u0306\u0309", "ü": "\u0306\u0303",
    "ë": "\u0306\u0323",
}  # fmt: skip
_VNI_ALONE = dict(zip("ôöñæóòîÔÖÑÆÓÒÎ", "ơưđỉĩịỵƠƯĐỈĨỊỴ", strict=True))
# Pairs first: the ô and ö that stand alone for ơ and ư are also the base letters of ớ and ứ.
_VNI_LETTER = re.compile(
    f"(?P<base>[aeouyôöAEOUYÔÖ])(?P<mark>[{''.join(_VNI_MARKS)}{''.join(_VNI_MARKS).upper()}])"
    f"|[{''.join(_VNI_ALONE)}]"
)

# Letters of Vietnamese that no legacy encoding borrows: text that has one is Unicode already.
_UNICODE_ONLY = re.compile("[ĂăĐđĨĩŨũƠơƯư\u1ea0-\u1ef9]")
_INVISIBLE = re.compile("[\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ZEROS_OF_UTF_16 = 8  # at least one character in eight is ASCII, its other byte zero
_TONES = dict.fromkeys(map(ord, "\u0300\u0301\u0303\u0309\u0323"))
_SYLLABLE = re.compile(
    r"(?:ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnprstvx])?"
    r"(?:uyê|iêu|yêu|ươu|ươi|uôi|oai|oay|oeo|uây|uya|uyu|iê|yê|ươ|uô|uâ|uê|uy|uơ|oa|oă|oe|oo|ia|ya|ua|ưa|ai|ao|au"
    r"|ay|âu|ây|eo|êu|iu|oi|ôi|ơi|ui|ưi|ưu|[aăâeêioôơuưy])"
    r"(?:ch|ng|nh|[ckmnpt])?"
)
_ACCENTED_WORD = re.compile(r"[^\s\x00-@\[-`{-\x7f\u2000-\u206f]{2,}")


def _from_vni(text):
    def letter(match):
        base = match["base"] or match[0]
        base = _VNI_ALONE.get(base, base)
        return unicodedata.normalize("NFC", base + _VNI_MARKS.get((match["mark"] or "").lower(), ""))

    return _VNI_LETTER.sub(letter, text)


def _from_mistaken(codec):
    def read(text):
        return unicodedata.normalize("NFC", text.encode("cp1252").decode(codec))

    return read


_LEGACY = {
    "tcvn3": lambda text: text.translate(_TCVN3_TABLE),
    "vni": _from_vni,
    "windows-1258": _from_mistaken("cp1258"),
    "utf-8 read as windows-1252": _from_mistaken("utf-8"),
}


def is_syllable(word):
    """Whether ``word`` (with its marks) can be a Vietnamese syllable; upper case counts as lower."""
    decomposed = unicodedata.normalize("NFD", word.lower())
    toneless = decomposed.translate(_TONES)
    if len(decomposed) - len(toneless) > 1:
        return False
    return _SYLLABLE.fullmatch(unicodedata.normalize("NFC", toneless)) is not None


def legacy_encoding(texts):
    """Name of the legacy encoding that ``texts`` (strings of one sheet or file) are written in, or None.

    A legacy reading is taken only where it makes more of the accented words possible Vietnamese syllables
    than the text as it stands does, more than half of them, and more than every other reading.
    """
    words = {w for t in texts if not t.isascii() for w in _ACCENTED_WORD.findall(t) if not w.isascii()}
    if not words:
        return None
    shares = {None: sum(map(is_syllable, words)) / len(words)}
    for name in _LEGACY:
        shares[name] = sum(is_syllable(restore(w, name)) for w in words) / len(words)
    best = max(shares, key=shares.get)
    rivals = [name for name, share in shares.items() if share == shares[best]]
    return best if best and len(rivals) == 1 and shares[best] > 0.5 else None


def restore(text, encoding):
    """``text`` turned into Unicode from the legacy ``encoding``; as it is where it can't be that."""
    if encoding is None or text.isascii() or _UNICODE_ONLY.search(text):
        return text
    try:
        return _LEGACY[encoding](text)
    except UnicodeError:
        return text


def encoding_of(data):
    """Name of the encoding of ``data`` (a text file's bytes), decided from the bytes and their words."""
    return _read(data)[0]


def decode(data):
    """Unicode text (NFC) of ``data``, a text file's bytes, in any encoding that Vietnamese files come in.

    UTF-8 with or without byte order mark, UTF-16, Windows-1258, TCVN3 (ABC) and VNI, also where text of the
    last three was saved again as UTF-8. Where the words decide nothing: UTF-8, else Windows-1252.
    """
    return _read(data)[1]


def read_text(path):
    """(name of the encoding, Unicode text) of a text file."""
    return _read(path.read_bytes())


def composed(text):
    """``text`` in composed Unicode (NFC) without invisible characters: marks of byte order and of direction,
    zero-width spaces and joiners, soft hyphens."""
    if text.isascii():
        return text
    return _INVISIBLE.sub("", unicodedata.normalize("NFC", text))


def _read(data):
    encoding = _declared(data) or "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding, text = _western(data)
    legacy = legacy_encoding([text])
    return legacy or encoding, composed(restore_lines(text, legacy))


def restore_lines(text, encoding):
    """``restore`` line by line, for a text in which some lines are Unicode already."""
    if encoding is None:
        return text
    return "".join(restore(line, encoding) for line in text.splitlines(keepends=True))


def _declared(data):
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return name
    even, odd = data[:4096:2], data[1:4096:2]
    if max(even.count(0), odd.count(0)) > len(odd) // _ZEROS_OF_UTF_16:
        return "utf-16-le" if odd.count(0) >= even.count(0) else "utf-16-be"
    return None


def _western(data):
    try:
        return "windows-1252", data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1", data.decode("latin-1")
