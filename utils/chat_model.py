"""What the assistant speaks with a language model: turns, tools and the pieces of an answer.

Two libraries implement the protocol: `chat_ai.GenerativeAIModel` (google-generativeai, at the end of its life) and
`chat_genai.GenAIModel` (google-genai, its successor). The rest of the system knows neither.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol


class ModelError(Exception):
    """The model gave no answer. The text is a sentence for people. `passing`: the same may work in a moment, so it is
    worth one more try at once.
    """

    passing = False


class ModelAway(ModelError):
    """It could not be reached, did not answer in time, or failed by itself."""

    def __init__(self, message: str, *, passing: bool = True) -> None:
        super().__init__(message)
        self.passing = passing


class ModelBusy(ModelError):
    """It asked us to slow down (HTTP 429)."""


class ModelDeclined(ModelError):
    """It answered that it will not answer, or its safety rules stopped the answer."""


class ModelConfused(ModelError):
    """Its answer could not be understood: a malformed tool call, no content, or no JSON."""


class ModelMisconfigured(ModelError):
    """The key, the model's name or the request was refused (HTTP 400, 401, 403, 404)."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may ask for. `parameters` is an OpenAPI schema with types in capitals."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool. The arguments are whatever it wrote, unchecked. `signature` is the model's own mark,
    which newer ones want back with the result.
    """

    name: str
    arguments: dict[str, Any]
    signature: bytes | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered, as plain JSON values."""

    name: str
    result: dict[str, Any]


Part = str | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said. Results of tools are said by the user's side."""

    role: Literal["user", "model"]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the model counted them."""

    prompt_tokens: int
    answer_tokens: int


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call. `answer_tokens` is the most the answer may have, `timeout` the seconds without a byte after which the
    call is given up.
    """

    instruction: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...]
    answer_tokens: int
    timeout: float


Piece = str | ToolCall | Usage


class ChatModel(Protocol):
    """A language model. A call may take long and touches the network: never make one in a transaction."""

    def stream(self, request: ModelRequest) -> Iterator[Piece]:
        """The answer's words and tool calls as they come, and what it used at the end. Raises ModelError."""
        ...

    def prepare(self) -> None:
        """Import the library, which takes seconds, and connect to nothing. Without it the first call does that."""
        ...

    def close(self) -> None:
        """Give back the connections. The next call opens new ones."""
        ...


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a model is reached and how it shall speak. `endpoint` None means Google's own."""

    key: str
    name: str
    temperature: float
    endpoint: str | None = None


HARMS = (
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
)
BLOCKED_FROM = "BLOCK_MEDIUM_AND_ABOVE"
TOP_P, TOP_K = 0.8, 40


def stream_with_retry(model: ChatModel, request: ModelRequest) -> Iterator[Piece]:
    """`model.stream`, tried once more when a passing fault came before the first piece, and soon: a server that takes
    its time to fail would take it again. Later ones are raised: what was said cannot be taken back.
    """
    begin = time.monotonic()
    pieces = model.stream(request)
    try:
        first = next(pieces, None)
    except ModelError as error:
        left = request.timeout - (time.monotonic() - begin)
        if not error.passing or left < request.timeout / 2:
            raise
        pieces = model.stream(replace(request, timeout=left))
        first = next(pieces, None)
    if first is None:
        raise ModelConfused("The model answered nothing.")
    yield first
    yield from pieces


def error_of_status(status: int, passing: bool = True) -> ModelError:
    """What an HTTP status of the model's server means."""
    if status == 429:
        return ModelBusy("The model has too much to do at the moment.")
    if status in (400, 401, 403, 404):
        return ModelMisconfigured("The model refused the request: the key or the model's name may be wrong.")
    return ModelAway(f"The model's server failed (HTTP {status}).", passing=passing)


def broken_connection(was_made: bool) -> ModelAway:
    """What a fault of the connection means: nobody was there, or who was there hung up."""
    if was_made:
        return ModelAway("The connection to the model broke off.")
    return ModelAway("The model cannot be reached.")


def told_of(error: ModelError) -> str:
    """A fault for the log: its sentence, and the kinds of what lies behind it. Their texts may hold what was said."""
    kinds: list[str] = []
    behind = error.__cause__
    while behind is not None and len(kinds) < 5:
        kinds.append(type(behind).__name__)
        behind = behind.__cause__ or behind.__context__
    return f"{error} ({' < '.join(kinds) or 'no more is known'})"


def plain(value: Any) -> Any:
    """Arguments as plain JSON values; whole numbers that arrived as 10.0 become 10."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    return [plain(item) for item in value]


def declined_or_confused(reason: str) -> ModelError | None:
    """The error behind the reason why an answer ended; None for an ordinary end."""
    if reason in ("", "STOP", "MAX_TOKENS", "FINISH_REASON_UNSPECIFIED"):
        return None
    if reason in ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER"):
        return ModelConfused("The model's answer could not be understood.")
    return ModelDeclined("The model declined to answer this.")
