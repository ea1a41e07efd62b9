"""Makes one answer: asks the model, runs the tools it asks for as the trader, and asks again, at most six rounds.

No database connection is held while the model is waited for: each tool opens a session of its own and closes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from services.assistant import prompt
from services.assistant.conversations import LONGEST_ANSWER, Past
from services.assistant.grounding import gather
from services.assistant.proposals import Draft
from services.assistant.rendering import render
from services.assistant.sources import Source
from services.assistant.toolbox import DRAFT, Asker, run_draft, run_tool
from services.errors import DomainError, Refused, Unavailable
from utils.chat_model import (
    ChatModel,
    ModelAway,
    ModelBusy,
    ModelConfused,
    ModelDeclined,
    ModelError,
    ModelMisconfigured,
    ModelRequest,
    ToolCall,
    Turn,
    Usage,
    stream_with_retry,
)

TOOL_DEPTH = 6
MOST_CALLS = 6  # in one round
MOST_DRAFTS = 1
SHOWN_EVERY = 0.15  # seconds between two pictures of a growing answer

Event = tuple[str, dict[str, Any]]


class Stopped(Exception):
    """The trader pressed Stop, or went away."""


class OutOfTime(Exception):
    """The answer took longer than it may."""


@dataclass(slots=True)
class Outcome:
    """What has come of an answer so far. `error` says why it failed; `state` is done, stopped, failed or command."""

    text: str = ""
    state: str = "done"
    sources: list[Source] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    prompt_tokens: int = 0
    answer_tokens: int = 0
    tool_calls: int = 0
    fault: ModelError | None = None
    error: DomainError | None = None


class Answering:
    """One answer on its way. Iterate over `events()`; `outcome` grows meanwhile and is whole at the end."""

    def __init__(self, asker: Asker, model: ChatModel, past: Past, stopped: Callable[[], bool]) -> None:
        self.outcome = Outcome()
        self._asker = asker
        self._model = model
        self._past = past
        self._stopped = stopped
        self._deadline = time.monotonic() + asker.config.assistant_time_limit
        self._shown_at = 0.0

    def events(self) -> Iterator[Event]:
        """("tool", {label}) before each tool, ("html", {html}) as the answer grows. Never raises what a model, a tool
        or the clock did: `outcome` tells it.
        """
        try:
            yield from self._rounds()
        except Stopped:
            self.outcome.state = "stopped"
        except OutOfTime:
            self._fail(Unavailable("The answer took too long and was ended.", code="ASSISTANT_TOO_SLOW"))
        except ModelError as error:
            self.outcome.fault = error
            self._fail(refusal_of(error))

    def _rounds(self) -> Iterator[Event]:
        turns: list[Turn] = []
        for depth in range(TOOL_DEPTH + 1):
            calls: list[ToolCall] = []
            before = len(self.outcome.text)
            yield from self._listen(self._request(turns, with_tools=depth < TOOL_DEPTH), calls)
            if not calls:
                break
            if depth == TOOL_DEPTH:
                raise ModelConfused("The model asked for tools without end.")
            spoken = self.outcome.text[before:]
            results: list[Source] = []
            for call in calls[:MOST_CALLS]:
                yield "tool", {"label": call.name[:32].replace("_", " ")}
                results.append(self._run(call))
            said = [spoken] if spoken else []
            turns += [Turn("model", (*said, *calls[:MOST_CALLS])), prompt.result_turn(results)]
            if spoken:
                self.outcome.text += "\n\n"
        if not self.outcome.text.strip():
            raise ModelConfused("The model answered nothing.")

    def _request(self, turns: list[Turn], *, with_tools: bool) -> ModelRequest:
        left = self._deadline - time.monotonic()
        return prompt.answer_request(self._asker, self._past, turns, with_tools=with_tools, seconds=left)

    def _listen(self, request: ModelRequest, calls: list[ToolCall]) -> Iterator[Event]:
        used = Usage(0, 0)
        try:
            for piece in stream_with_retry(self._model, request):
                self._check_on()
                if isinstance(piece, Usage):
                    used = piece
                elif isinstance(piece, ToolCall):
                    calls.append(piece)
                else:
                    self.outcome.text += piece[: LONGEST_ANSWER - len(self.outcome.text)]
                    if len(self.outcome.text) >= LONGEST_ANSWER:
                        calls.clear()
                        return
                    yield from self._picture()
        finally:
            self.outcome.prompt_tokens += used.prompt_tokens
            self.outcome.answer_tokens += used.answer_tokens

    def _run(self, call: ToolCall) -> Source:
        self._check_on()
        self.outcome.tool_calls += 1
        if call.name == DRAFT:
            return self._draft(call)
        source = run_tool(self._asker, call)
        self.outcome.sources.append(source)
        return source

    def _draft(self, call: ToolCall) -> Source:
        if len(self.outcome.drafts) >= MOST_DRAFTS:
            return Source(DRAFT, {}, {"error": "One proposal an answer. Ask the trader first."}, "", None)
        source, drafted = run_draft(self._asker, call)
        self.outcome.sources.append(source)
        if drafted is not None:
            self.outcome.drafts.append(drafted)
        return source

    def _check_on(self) -> None:
        if self._stopped():
            raise Stopped
        if time.monotonic() > self._deadline:
            raise OutOfTime

    def _picture(self) -> Iterator[Event]:
        """The answer so far, now and then; its last word may be half a figure and is held back."""
        now = time.monotonic()
        whole_words = self.outcome.text.rpartition(" ")[0]
        if now - self._shown_at < SHOWN_EVERY or not whole_words:
            return
        self._shown_at = now
        known = gather([*self._past.sources(), *self.outcome.sources], self._past.own_words())
        yield "html", {"html": render(whole_words, known)}

    def _fail(self, error: DomainError) -> None:
        self.outcome.state, self.outcome.error = "failed", error


def refusal_of(error: ModelError) -> DomainError:
    """What a trader is told of a model's fault."""
    message = str(error)
    if isinstance(error, ModelDeclined):
        return Refused(message, code="ASSISTANT_DECLINED")
    if isinstance(error, ModelBusy):
        return Unavailable(f"{message} Try again in a minute.", code="ASSISTANT_BUSY", details={"retry_after": 60})
    if isinstance(error, ModelMisconfigured):
        return Unavailable(f"{message} Ask an admin to look at it.", code="ASSISTANT_MISCONFIGURED")
    if isinstance(error, ModelAway):
        return Unavailable(f"{message} Commands such as /quote AAPL still work.", code="ASSISTANT_AWAY")
    return Unavailable(f"{message} Ask again, perhaps in other words.", code="ASSISTANT_CONFUSED")
