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
