"""Formal texts in the reader's language: meanings of indicators, formulas in words, paragraphs of docstrings.

English is what the code says of itself; the Vietnamese of each text stands in ``methods.vi.po`` under the English,
so a definition that changes asks for its translation anew.
"""

import re
from functools import cache
from importlib.resources import files

QUANTITY = re.compile(r"[a-z]\w*")
MARKED = re.compile(r"``(.+?)``|:\w+:`(?:[\w.]*\.)?(\w+)`")


@cache
def catalogue(lang):
    """Return {English: text in the language}; empty for English."""
    from babel.messages.pofile import read_po

    if lang == "en":
        return {}
    with files("evalkit.publish").joinpath(f"methods.{lang}.po").open("rb") as file:
        return {m.id: m.string for m in read_po(file, locale=lang) if m.id and m.string}


def text(message, lang):
    """Return a formal text as markup, names of the code as ``<code>``; English and marked so where untranslated."""
    return _in_english(message, "span") if _lacks(message, lang) else _coded(_said(message, lang))


def source(message, lang):
    """Return a source as markup: what it says in the language, what it cites as it was printed."""
    from markupsafe import Markup

    if _lacks(message, lang):
        return _in_english(message, "cite")
    return Markup("<cite>{}</cite>").format(_coded(_said(message, lang)))


def formula(written, lang):
    """Return a formula in words of the language; empty in English, where the code says it, and for a quantity alone."""
    if lang == "en" or QUANTITY.fullmatch(written):
        return ""
    return catalogue(lang).get(written) or QUANTITY.sub(lambda found: quantity(found[0], lang), written)


def worded(tex, lang):
    """Return a formula in TeX in words of the language as markup; empty where there are none, as in English."""
    said = catalogue(lang).get(" ".join(tex.split()))
    return _coded(said) if said else ""


def drawn(tex):
    """Return a formula in TeX as MathML, which a browser sets and a screen reader says without a script."""
    from latex2mathml.converter import convert
    from markupsafe import Markup, escape

    words = " ".join(tex.split()).replace(r"\mathrm", r"\text").replace(r"\arg\min", r"\text{arg min}")
    math = convert(words, display="block")
    return Markup(math.replace("<math ", f'<math alttext="{escape(words)}" ', 1))


def quantity(name, lang):
    """Return what a quantity of the formulas is called: by the catalogue, else by the label of its indicator."""
    from evalkit.present import words

    called = catalogue(lang).get(f"quantity: {name}") or words.name_of(name, lang)
    return called if called == name else called[0].lower() + called[1:]


def unit(name, lang):
    """Return what a unit is called, as data write it where no word is known."""
    from evalkit.present import words

    return catalogue(lang).get(f"unit: {name}") or (lang != "en" and words.unit_name(name, lang)) or name


def _lacks(message, lang):
    return lang != "en" and message not in catalogue(lang)


def _said(message, lang):
    return catalogue(lang).get(message, message)


def _in_english(message, tag):
    from markupsafe import Markup

    return Markup(f'<{tag} lang="en">{{}}</{tag}>').format(_coded(message))


def _coded(said):
    from markupsafe import Markup, escape

    code = lambda found: f"<code>{found[1] or found[2]}</code>"  # noqa: E731
    return Markup(MARKED.sub(code, str(escape(said)).replace("&#39;", "'")))
