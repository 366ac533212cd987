"""What every page must and must not have, looked for wherever a test fetches one."""

from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

VOID = {"meta", "link", "input", "br", "hr", "img", "line", "circle", "wbr"}


class Page(HTMLParser):
    """A page; making one fails on what is wrong with it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(html)
        self.close()
        assert self.open == [], f"not closed: {self.open}"
        assert len(self.texts.get("h1", [])) == 1, "a page has one h1"
        title = " ".join(self.texts["title"][0].split())
        assert title.startswith(" ".join(self.texts["h1"][0].split())), "the title is the h1's"
        assert len(self.ids) == len(set(self.ids)), "ids are unique"
        for field in self.fields:
            named = field.get("id") in self.labelled
            assert named or field.get("type") in ("hidden", "submit"), f"no label: {field}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert "style" not in given, "no inline style"
        assert tag != "style", "no inline style"
        assert tag != "script" or given.get("src"), "no inline script"
        assert not any(name.startswith("on") for name in given), "no inline script"
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "label":
            self.labelled.add(str(given["for"]))
        if tag in ("input", "select", "textarea"):
            self.fields.append(given)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open, f"</{tag}> closes nothing"
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.texts:
            self.texts[self.open[-1]][-1] += data


class LintingClient(FlaskClient):
    """A client that lets no page pass unread."""

    def open(self, *args: object, **kwargs: object) -> TestResponse:
        """Send a request, and read the page that comes back."""
        response: TestResponse = super().open(*args, **kwargs)  # type: ignore[arg-type]
        is_page = response.mimetype == "text/html" and response.request.method != "OPTIONS"
        if is_page and response.status_code not in range(300, 400):
            Page(response.text)
        return response
