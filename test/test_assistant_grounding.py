"""The check of an answer's figures, read as a stranger would who wants an invented one to pass."""

from __future__ import annotations

import re
import time

import pytest

from services.assistant.grounding import Known, gather, ungrounded
from services.assistant.rendering import marked_text, render
from services.assistant.sources import Source

RESULT = {
    "last": 166.19,
    "change": -3.34,
    "change_percent": -1.97,
    "market_cap": 147_532_000_000,
    "volume": 28_311_000,
    "var_95": 0.0312,
    "weight": 0.25,
    "fee": "41.50",
    "day": "2008-09-02",
    "time": "2008-09-02T16:00:00Z",
    "name": "S&P 500",
}
QUESTION = "Should I buy 10 at $200, or 15%? Is it worth 7,500 or 350?"


@pytest.fixture(scope="module")
def known() -> Known:
    quote = Source("get_quote", {"tickers": ["AAPL"], "days": 60}, RESULT, "Quote of AAPL", None)
    failed = Source("get_quote", {}, {"error": "no such ticker", "last": 777.77}, "Quote of X", None)
    return gather([quote, failed], [QUESTION])


@pytest.mark.parametrize(
    "text",
    [
        # As it is, rounded, with more zeros, with signs.
        "166.19", "166.2", "166", "166.190", "$166.19", "USD 166.19", "166.19 dollars", "-3.34", "a loss of 3.34",
        "(3.34)", "\N{MINUS SIGN}1.97%", "41.5",
        # Percentages, of percentages and of fractions; basis points.
        "1.97%", "2 percent", "3.12%", "3.1 per cent", "25%", "312 bps", "197 basis points",
        # Scales and separators.
        "$147.5 billion", "147.532bn", "28.3M", "28,311,000", "28\u202f311\u202f000",
        "28'311'000", "28\N{RIGHT SINGLE QUOTATION MARK}311'000",
        # In words.
        "one hundred and sixty-six dollars", "twenty-five percent", "ten shares",
        # Days and times.
        "2008-09-02", "2 September 2008", "Sept 2, 2008", "2nd of September 2008", "September 2", "09/02/2008",
        "2/9/2008", "September 2008", "in 2008", "at 16:00", "4:00 pm", "04:00 P.M.",
        # What the trader asked with, tools were asked with, and names.
        "10 shares", "350", "60 days", "the S&P 500", "VaR 95",
        # Emphasis within a figure; digits of other scripts.
        "**166**.19", "$**166.19**", "**25**%",
        "\N{ARABIC-INDIC DIGIT ONE}\N{ARABIC-INDIC DIGIT SIX}\N{ARABIC-INDIC DIGIT SIX}",
        # No figures.
        "one of the two", "may fall", "the market",
    ],
)  # fmt: skip
def test_what_a_tool_answered_is_not_marked(known: Known, text: str) -> None:
    assert ungrounded(text, known) == []


@pytest.mark.parametrize(
    "text",
    [
        # Rounded wrongly, or told more exactly than it is known.
        "167", "166.1", "166.21", "4%", "1.9%", "150 billion", "0.2 trillion", "147.5 million", "147.5", "180k", "0%",
        # A loss told as a gain.
        "+1.97%", "+$3.34",
        # What the trader wrote is no price, percentage or amount, and other numbers of the question are no source.
        "$10", "10 dollars", "10 USD", "EUR 10", "\N{YEN SIGN}10", "10%", "10 bps", "ten dollars", "ten percent",
        "10 million", "$350", "$200", "15%", "7,500",
        # Numbers in names and arguments.
        "$500", "95%", "60%", "$60", "$95",
        # In words.
        "one hundred and eighty", "two hundred dollars", "eighty", "a million", "twenty percent",
        "\N{VULGAR FRACTION ONE HALF}",
        # Days that no tool told; the parts of days and times are no figures.
        "2008-09-03", "3 September 2008", "Sep 3", "2 October", "09/03/2008", "2009", "October 2008", "17:00", "16",
        "4:00 am", "5:00 pm",
        "$2008", "2008-13-45",
        # Split by marks, spaces and invisible characters, each half of which would pass.
        "10**60**", "**10**60", "10\u200b60", "10\u00ad60", "10`60`", "1.500,50", "166,19",
        # Other ways of writing.
        "1e3", ".5", "\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT EIGHT}\N{FULLWIDTH DIGIT ZERO}",
        "~180", "AAPL180", "160-166.19",
        # A tool that failed told nothing.
        "777.77",
    ],
)  # fmt: skip
def test_what_no_tool_answered_is_marked(known: Known, text: str) -> None:
    assert ungrounded(text, known) != []
    assert "<mark" in render(text, known)
    assert "[not from this system's data]" in marked_text(text, known)


def test_a_figure_of_which_half_is_bold_is_checked_as_it_is_read(known: Known) -> None:
    assert render("It is **166**.19.", known) == "<p>It is <strong>166</strong>.19.</p>\n"
    html = render("It is **10**60, [1](http://x.example)80.", known)
    assert re.sub(r' title="[^"]*"', "", html) == (
        "<p>It is <strong><mark>10</mark></strong><mark>60</mark>, <mark>1</mark><mark>80</mark>.</p>\n"
    )


@pytest.mark.parametrize("piece", ["one ", "one-", " ", "$ ", "1 ", "1,", "may ", "1.", "**", "\u200b", "'"])
def test_a_long_answer_is_checked_quickly(known: Known, piece: str) -> None:
    begin = time.process_time()
    ungrounded(piece * (12_000 // len(piece)), known)
    assert time.process_time() - begin < 2
