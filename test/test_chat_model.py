"""Both Google packages against the same stand-in: what they ask for, what they answer, how they fail."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from standins.gemini import GeminiStandIn, asks_first, calls, says
from utils.chat_ai import GenerativeAIModel
from utils.chat_genai import GenAIModel
from utils.chat_model import (
    ChatModel,
    ModelAway,
    ModelBusy,
    ModelConfused,
    ModelDeclined,
    ModelError,
    ModelMisconfigured,
    ModelRequest,
    ModelSettings,
    Piece,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
    Usage,
    stream_with_retry,
    told_of,
)

QUOTE = Tool(
    "get_quote",
    "The newest price of a ticker.",
    {
        "type": "OBJECT",
        "properties": {"ticker": {"type": "STRING", "description": "A symbol"}, "days": {"type": "INTEGER"}},
        "required": ["ticker"],
    },
)
NO_PARAMETERS = Tool("get_hours", "When the market is open.", {})
LIBRARIES = {"generativeai": GenerativeAIModel, "genai": GenAIModel}


@pytest.fixture
def gemini() -> Iterator[GeminiStandIn]:
    with GeminiStandIn() as server:
        yield server


@pytest.fixture(params=sorted(LIBRARIES))
def model(request: pytest.FixtureRequest, gemini: GeminiStandIn) -> Iterator[ChatModel]:
    kind = LIBRARIES[request.param]
    made = kind(ModelSettings(key="the-key", name="gemini-test", temperature=0.25, endpoint=gemini.url))
    yield made
    made.close()


def ask(*turns: Turn, tools: tuple[Tool, ...] = (QUOTE, NO_PARAMETERS), timeout: float = 5) -> ModelRequest:
    asked = turns or (Turn("user", ("What is AAPL at?",)),)
    return ModelRequest("Be brief.", asked, tools, answer_tokens=512, timeout=timeout)


def words(pieces: Iterator[Piece]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def test_it_says_what_the_server_says(model: ChatModel, gemini: GeminiStandIn) -> None:
    gemini.reply = says("AAPL stands at 166.19 now.")
    pieces = list(model.stream(ask()))
    assert words(iter(pieces)) == "AAPL stands at 166.19 now."
    assert [piece for piece in pieces if isinstance(piece, Usage)][-1] == Usage(30, 12)


def test_it_asks_as_it_was_told(model: ChatModel, gemini: GeminiStandIn) -> None:
    list(model.stream(ask()))
    path, head = gemini.heads[0]
    body = gemini.requests[0]
    assert path.startswith("/v1beta/models/gemini-test:streamGenerateContent")
    assert head["x-goog-api-key"] == "the-key"
    assert "the-key" not in gemini.bodies()
    assert body["systemInstruction"]["parts"][0]["text"] == "Be brief."
    assert body["contents"] == [{"role": "user", "parts": [{"text": "What is AAPL at?"}]}]
    assert body["generationConfig"]["temperature"] == 0.25
    assert body["generationConfig"]["maxOutputTokens"] == 512
    assert len(body["safetySettings"]) == 4
    declared = body["tools"][0]["functionDeclarations"]
    assert [one["name"] for one in declared] == ["get_quote", "get_hours"]
    assert declared[0]["parameters"]["required"] == ["ticker"]


def test_words_come_as_they_are_said(model: ChatModel, gemini: GeminiStandIn) -> None:
    """The first word is here while the server still holds the second one back."""
    gemini.reply, gemini.pause = says("one two"), gemini.pause
    gemini.pause.clear()
    pieces = model.stream(ask())
    assert next(pieces) == "one "
    gemini.pause.set()
    assert words(pieces) == "two"


def test_a_tool_is_asked_for_and_its_result_taken_back(model: ChatModel, gemini: GeminiStandIn) -> None:
    gemini.reply = asks_first(
        calls("get_quote", ticker="AAPL", days=10, deep={"list": [1, "two"]}),
        then=lambda results: f"It is {results[0]['response']['price']}.",
    )
    call = next(piece for piece in model.stream(ask()) if isinstance(piece, ToolCall))
    assert (call.name, call.arguments) == (
        "get_quote",
        {"ticker": "AAPL", "days": 10, "deep": {"list": [1, "two"]}},
    )
    assert isinstance(call.arguments["days"], int)
    result = ToolResult("get_quote", {"price": 166.19, "list": [1, None, {"deep": "text"}]})
    asked = Turn("user", ("What is AAPL at?",))
    again = ask(asked, Turn("model", (call,)), Turn("user", (result,)))
    assert words(model.stream(again)) == "It is 166.19."
    sent = gemini.requests[1]["contents"]
    assert sent[1]["parts"][0]["functionCall"]["name"] == "get_quote"
    assert sent[2]["parts"][0]["functionResponse"]["response"] == result.result


def test_many_calls_in_one_answer(model: ChatModel, gemini: GeminiStandIn) -> None:
    gemini.reply = lambda _: [{"text": "Let me look."}, calls("get_quote", ticker="AAPL"), calls("get_hours")]
    pieces = [piece for piece in model.stream(ask()) if not isinstance(piece, Usage)]
    asked = [(piece.name, piece.arguments) for piece in pieces if isinstance(piece, ToolCall)]
    assert asked == [("get_quote", {"ticker": "AAPL"}), ("get_hours", {})]
    assert words(iter(pieces)) == "Let me look."


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("rate_limited", ModelBusy),
        ("broken", ModelAway),
        ("bad_key", ModelMisconfigured),
        ("garbage", ModelConfused),
        ("malformed", ModelConfused),
        ("refusal", ModelDeclined),
        ("blocked", ModelDeclined),
    ],
)
def test_each_fault_has_its_name(model: ChatModel, gemini: GeminiStandIn, mode: str, error: type[ModelError]) -> None:
    gemini.mode = mode
    with pytest.raises(error):
        list(model.stream(ask()))


def test_a_server_that_hangs_is_given_up(model: ChatModel, gemini: GeminiStandIn) -> None:
    gemini.mode = "hang"
    begin = time.monotonic()
    with pytest.raises(ModelAway) as caught:
        list(stream_with_retry(model, ask(timeout=1)))
    assert not caught.value.passing
    assert len(gemini.requests) == 1
    assert time.monotonic() - begin < 10  # not the minute of the package's own patience


def test_nobody_there(model: ChatModel, gemini: GeminiStandIn) -> None:
    with GeminiStandIn() as other:
        address = other.url
    kind = type(model)
    away = kind(ModelSettings(key="k", name="m", temperature=0, endpoint=address))
    with pytest.raises(ModelAway, match="cannot be reached"):
        list(away.stream(ask()))


def test_a_server_that_hangs_up_after_a_while_is_not_waited_for_twice(model: ChatModel, gemini: GeminiStandIn) -> None:
    """A proxy that gives up before we do. It was reached: the sentence and the log say what happened instead."""
    gemini.mode = "hang"
    threading.Timer(0.7, gemini.release).start()
    with pytest.raises(ModelAway, match="broke off") as caught:
        list(stream_with_retry(model, ask(timeout=1.2)))
    assert len(gemini.requests) == 1
    assert re.search(r"\((ConnectionError|RemoteProtocolError)", told_of(caught.value))


def test_a_server_that_hangs_up_at_once_is_asked_once_more(model: ChatModel, gemini: GeminiStandIn) -> None:
    """As after a pause, when it has closed a connection that is still thought open."""
    list(model.stream(ask()))
    gemini.mode = "hang"
    gemini.release()
    with pytest.raises(ModelAway, match="broke off"):
        list(stream_with_retry(model, ask()))
    assert len(gemini.requests) == 3
    gemini.mode = "normal"
    assert words(stream_with_retry(model, ask())) == "Hello from the stand-in."


def test_a_passing_fault_is_tried_once_more(model: ChatModel, gemini: GeminiStandIn) -> None:
    gemini.failures = 1
    assert words(stream_with_retry(model, ask())) == "Hello from the stand-in."
    assert len(gemini.requests) == 2
    gemini.failures = 2
    with pytest.raises(ModelAway):
        list(stream_with_retry(model, ask()))
    assert len(gemini.requests) == 4


def test_a_request_to_slow_down_is_heeded(model: ChatModel, gemini: GeminiStandIn) -> None:
    gemini.mode = "rate_limited"
    with pytest.raises(ModelBusy):
        list(stream_with_retry(model, ask()))
    assert len(gemini.requests) == 1


def test_an_answer_that_breaks_off_is_not_begun_anew(model: ChatModel, gemini: GeminiStandIn) -> None:
    """What was said cannot be taken back: the words so far stay, and no second request is made."""
    gemini.mode, gemini.reply = "cut", says("one two three")
    heard: list[Piece] = []
    try:
        heard.extend(stream_with_retry(model, ask()))
    except ModelError:
        heard.append("broken off")
    assert heard.count("one ") <= 1
    assert len(gemini.requests) == 1


def test_a_megabyte_does_no_harm(model: ChatModel, gemini: GeminiStandIn) -> None:
    """It is heard, or refused before its parser has burnt the processor's time for half a minute."""
    gemini.mode = "huge"
    begin = time.process_time()
    with suppress(ModelConfused):
        assert len(words(model.stream(ask()))) == 1_000_000
    assert time.process_time() - begin < 10


@pytest.mark.parametrize("name", sorted(LIBRARIES))
def test_a_library_that_was_prepared_has_nothing_left_to_import(gemini: GeminiStandIn, name: str) -> None:
    """The first question imports nothing more: half a second of imports would hold everybody's pages up."""
    import subprocess
    import sys

    kind = LIBRARIES[name]
    code = (
        f"import sys; from {kind.__module__} import {kind.__name__} as Kind; from utils.chat_model import *\n"
        f"model = Kind(ModelSettings('k', 'm', 0, {gemini.url!r})); model.prepare(); before = len(sys.modules)\n"
        "list(model.stream(ModelRequest('Brief.', (Turn('user', ('Hello',)),), (), 9, 5)))\n"
        "assert before > 400, before\n"
        "print(len(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 20, done.stdout
    assert len(gemini.requests) == 1


def test_the_packages_are_imported_late() -> None:
    """They take seconds: importing the modules that use them must not import them."""
    import subprocess
    import sys

    code = "import sys, utils.chat_ai, utils.chat_genai; print([n for n in sys.modules if n.startswith('google.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
