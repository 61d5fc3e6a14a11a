"""A reader of finished pages: elements, links and text as a browser's parser sees them."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """elements: [(tag, {attribute: value})] in order; text: all text, scripts and titles included."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.parts = [], []
        self.feed(source)
        self.close()
        self.text = " ".join(" ".join(self.parts).split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.parts.append(data)

    def all(self, tag, **wanted):
        return [
            a for name, a in self.elements if name == tag and all(a.get(k) == v for k, v in wanted.items())
        ]

    def shape(self):
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]


def read(path):
    return Page(path.read_text(encoding="utf-8"))


class _Outside(HTMLParser):
    ASIDE = ("code", "pre", "cite", "script", "style")
    VOID = ("meta", "link", "input", "img", "br", "hr", "path")

    def __init__(self, source):
        super().__init__()
        self.open, self.texts = [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append((tag, tag in self.ASIDE or (dict(attrs).get("lang") == "en" and tag == "a")))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if data.strip() and not any(aside for _, aside in self.open):
            self.texts.append(" ".join(data.split()))


def outside_english(source):
    """The texts of a page outside code, citations and the link to the English page."""
    return _Outside(source).texts
