"""Turns an answer's Markdown into harmless HTML: paragraphs, lists, tables, bold, code and small headings.

Three belts: the parser takes no HTML and makes no links or images (of those only their words stay), the figures that no
tool vouches for are marked, and nh3 drops whatever is not on its short list, whoever made it.
"""

from __future__ import annotations

from functools import cache
from html import escape
from typing import TYPE_CHECKING

from services.assistant.grounding import Known, check

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LARGEST_TEXT = 20_000
UNKNOWN = "not from this system's data"
TAGS = frozenset(
    ("p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "h4",
     "hr", "blockquote", "mark")
)  # fmt: skip
ATTRIBUTES = {"mark": {"title"}, "ol": {"start"}}
RULES = (
    "table", "fence", "blockquote", "hr", "list", "heading", "paragraph", "newline", "escape", "backticks",
    "emphasis", "link", "image", "entity",
)  # fmt: skip


def render(text: str, known: Known) -> str:
    """The answer as HTML, its figures checked against what is known."""
    import nh3

    parser = _parser()
    tokens = parser.parse(text[:LARGEST_TEXT])
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h4"
        if token.children is not None:
            token.children = [one for one in token.children if one.type not in ("link_open", "link_close")]
            _find_marks(token.children, known)
    return nh3.clean(
        parser.renderer.render(tokens, parser.options, {"known": known}),
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        url_schemes=set(),
        link_rel=None,
    )


def render_own(text: str) -> str:
    """What a trader wrote: their words as they are, nothing of it is markup."""
    return "<p>" + escape(text).replace("\n", "<br>") + "</p>"


def marked_text(text: str, known: Known) -> str:
    """The answer as text for programs and terminals, the marks in words behind the figures."""
    parts, at = [], 0
    for figure in check(text, known):
        if not figure.grounded:
            parts.append(f"{text[at : figure.end]} [{UNKNOWN}]")
            at = figure.end
    return "".join(parts) + text[at:]


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("zero", {"html": False, "linkify": False, "maxNesting": 12})
    parser.enable(list(RULES))
    parser.add_render_rule("text", _text)
    parser.add_render_rule("code_inline", _code)
    parser.add_render_rule("fence", _block)
    parser.add_render_rule("image", _image)
    return parser


def _find_marks(children: list[Token], known: Known) -> None:
    """Check the words of a paragraph as they are read: a figure of which half is bold is one figure."""
    text = "".join(" " if one.type in ("softbreak", "hardbreak") else one.content for one in children)
    marks = [(one.start, one.end) for one in check(text, known) if not one.grounded]
    at = 0
    for child in children:
        length = 1 if child.type in ("softbreak", "hardbreak") else len(child.content)
        inside = [(max(start - at, 0), min(end - at, length)) for start, end in marks]
        child.meta["marks"] = [(start, end) for start, end in inside if start < end]
        at += length


def _text(_self: object, tokens: list[Token], at: int, _options: object, _env: object) -> str:
    return _with_marks(tokens[at].content, tokens[at].meta["marks"])


def _code(_self: object, tokens: list[Token], at: int, _options: object, _env: object) -> str:
    return f"<code>{_with_marks(tokens[at].content, tokens[at].meta['marks'])}</code>"


def _block(_self: object, tokens: list[Token], at: int, _options: object, env: dict[str, Known]) -> str:
    text = tokens[at].content
    marks = [(one.start, one.end) for one in check(text, env["known"]) if not one.grounded]
    return f"<pre><code>{_with_marks(text, marks)}</code></pre>\n"


def _image(_self: object, tokens: list[Token], at: int, _options: object, _env: object) -> str:
    return _with_marks(tokens[at].content, tokens[at].meta["marks"])


def _with_marks(text: str, marks: list[tuple[int, int]]) -> str:
    """Escaped text in which ungrounded figures carry a mark."""
    parts, at = [], 0
    for start, end in marks:
        parts.append(escape(text[at:start]))
        parts.append(f'<mark title="{escape(UNKNOWN)}">{escape(text[start:end])}</mark>')
        at = end
    return "".join(parts) + escape(text[at:])
