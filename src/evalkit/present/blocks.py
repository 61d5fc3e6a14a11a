"""One thing that a reader sees: a figure, a table, a text; and how a notebook shows it."""

from dataclasses import dataclass, fields
from html import escape

MIME = "application/vnd.evalkit.v1+json"


@dataclass(frozen=True)
class Block:
    """A piece of a report, made from disclosed figures only.

    kind: figure, table, text, notice or sources. id: stable name within its section. columns: (key, label,
    numeric); rows: what is displayed; raw: the machine values behind, or None where hidden or missing.
    alt: the text alternative of a figure, which says the finding. level: the evidence level, where the
    block makes a finding.
    """

    kind: str
    id: str
    section: str
    lang: str
    audience: str
    title: str
    caption: str = ""
    level: str = ""
    alt: str = ""
    svg: str = ""
    columns: tuple = ()
    rows: tuple = ()
    raw: tuple = ()
    notes: tuple = ()
    paragraphs: tuple = ()
    items: tuple = ()

    def payload(self):
        """Return the block as plain data, as it is stored in an executed notebook and published."""
        data = {one.name: getattr(self, one.name) for one in fields(self)}
        data["columns"] = [{"key": k, "label": label, "numeric": n} for k, label, n in self.columns]
        return {k: list(v) if isinstance(v, tuple) else v for k, v in data.items() if k != "audience"}

    def _repr_html_(self):
        parts = [f"<h3>{escape(self.title)}</h3>"]
        parts += [f"<p>{escape(p)}</p>" for p in self.paragraphs]
        if self.svg:
            parts.append(self.svg)
        if self.caption:
            parts.append(f"<p><em>{escape(self.caption)}</em></p>")
        if self.rows:
            parts.append(_html_table(self))
        parts += [f"<p>{escape(i['text'])}</p>" for i in self.items]
        parts += [f"<p><small>{escape(n)}</small></p>" for n in self.notes]
        return f'<div lang="{self.lang}">{"".join(parts)}</div>'


def _html_table(block):
    head = "".join(f"<th>{escape(label)}</th>" for _, label, _ in block.columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(c))}</td>" for c in r) + "</tr>" for r in block.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def absent(place, id, section, lang, title, reason):
    """Return the block that stands where there is nothing to draw or list; it isn't published."""
    return Block(
        kind="absent",
        id=id,
        section=section,
        lang=lang,
        audience="private",
        title=title,
        paragraphs=(reason,),
    )


def show(block):
    """Display a block in a notebook; a public one is marked, so that publishing may take it.

    Raises TypeError for anything that isn't a block: what a reader sees comes through disclose.
    """
    from IPython.display import display

    if not isinstance(block, Block):
        raise TypeError(
            f"show takes a block made from a place (ek.charts, ek.tables, ek.texts), not {type(block).__name__}."
        )
    bundle = {"text/html": block._repr_html_(), "text/plain": block.title}
    if block.audience == "public":
        bundle[MIME] = block.payload()
    display(bundle, raw=True)
