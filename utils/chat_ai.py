"""Gemini through google-generativeai: the only importer of that package, which takes seconds and so is imported late.

The package is at its end of life. It speaks REST here, so that the endpoint can be any address, plain http too. Its
generated client is used below its own wrapper, which holds every piece back until the next one has come.
"""

from __future__ import annotations

import codecs
import threading
import warnings
from collections.abc import Iterator
from typing import Any

from utils.chat_model import (
    BLOCKED_FROM,
    HARMS,
    TOP_K,
    TOP_P,
    ModelAway,
    ModelConfused,
    ModelRequest,
    ModelSettings,
    Part,
    Piece,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
    broken_connection,
    declined_or_confused,
    error_of_status,
    plain,
)

LARGEST_ANSWER = 256 * 1024  # bytes, with all that is around the words
BITE = 16 * 1024

_import_lock = threading.Lock()


class GenerativeAIModel:
    """See ChatModel. Safe for many threads."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._client: Any = None

    def stream(self, request: ModelRequest) -> Iterator[Piece]:
        from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError
        from requests.exceptions import RequestException, Timeout
        from urllib3.exceptions import HTTPError, TimeoutError

        client = self._connected()
        chunks = None
        try:
            # The package's own retry is switched off: it would go on for a minute.
            chunks = client.stream_generate_content(self._wire(request), timeout=request.timeout, retry=None)
            for chunk in chunks:
                yield from _pieces(chunk)
        except GoogleAPICallError as error:
            raise error_of_status(int(error.code or 500)) from error
        except (Timeout, TimeoutError) as error:
            raise ModelAway("The model did not answer in time.", passing=False) from error
        except (RequestException, HTTPError) as error:
            raise broken_connection("NewConnectionError" not in _kinds_behind(error)) from error
        except (GoogleAPIError, ValueError, TypeError, KeyError) as error:
            raise ModelConfused("The model's answer could not be understood.") from error
        finally:
            if chunks is not None:
                chunks.cancel()

    def prepare(self) -> None:
        self._connected()

    def close(self) -> None:
        with _import_lock:
            if self._client is not None:
                self._client.transport.close()
                self._client = None

    def _connected(self) -> Any:
        """The client. `configure` sets what the whole package uses, so it is called once and under a lock."""
        with _import_lock:
            if self._client is None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", FutureWarning)
                    import google.generativeai as genai
                    from google.generativeai import client as clients
                options = {"api_endpoint": self._settings.endpoint} if self._settings.endpoint else None
                genai.configure(api_key=self._settings.key, transport="rest", client_options=options)
                self._client = clients.get_default_generative_client()
                self._client.transport._session.hooks["response"].append(_read_in_larger_bites)
        return self._client

    def _wire(self, request: ModelRequest) -> Any:
        from google.generativeai import protos

        tools = [_declaration(one) for one in request.tools]
        return protos.GenerateContentRequest(
            model=f"models/{self._settings.name}",
            system_instruction={"parts": [{"text": request.instruction}]},
            contents=[{"role": turn.role, "parts": [_part(one) for one in turn.parts]} for turn in request.turns],
            tools=[protos.Tool(function_declarations=tools)] if tools else [],
            generation_config={
                "temperature": self._settings.temperature,
                "top_p": TOP_P,
                "top_k": TOP_K,
                "max_output_tokens": request.answer_tokens,
            },
            safety_settings=[{"category": harm, "threshold": BLOCKED_FROM} for harm in HARMS],
        )


def _kinds_behind(error: BaseException) -> set[str]:
    """The error and what it wraps: the HTTP client hands on its own errors as arguments and reasons."""
    found: set[str] = set()
    waiting = [error]
    while waiting and len(found) < 20:
        one = waiting.pop()
        found.add(type(one).__name__)
        inner = (*one.args, getattr(one, "reason", None))
        waiting += [item for item in inner if isinstance(item, BaseException) and type(item).__name__ not in found]
    return found


def _declaration(tool: Tool) -> Any:
    from google.generativeai import protos

    schema = _schema(tool.parameters) if tool.parameters else None
    return protos.FunctionDeclaration(name=tool.name, description=tool.description, parameters=schema)


def _schema(schema: dict[str, Any]) -> Any:
    """Built piece by piece: from nested dicts the package takes the field `type` only sometimes."""
    from google.generativeai import protos

    return protos.Schema(
        type_=protos.Type[schema["type"]],
        description=schema.get("description", ""),
        enum=schema.get("enum", []),
        required=schema.get("required", []),
        properties={name: _schema(one) for name, one in schema.get("properties", {}).items()},
        items=_schema(schema["items"]) if "items" in schema else None,
    )


def _read_in_larger_bites(response: Any, **_options: Any) -> None:
    """Let the package take what has arrived instead of byte after byte, and never more than an answer can have: its
    parser needs 25 seconds for a megabyte.
    """
    original = response.iter_content

    def iter_content(chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
        if not decode_unicode:
            yield from original(chunk_size)
            return
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        read = 0
        while bite := response.raw.read1(BITE, decode_content=True):
            read += len(bite)
            if read > LARGEST_ANSWER:
                raise ModelConfused("The model's answer was too large.")
            yield decode(bite)

    response.iter_content = iter_content


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, ToolCall):
        return {"function_call": {"name": part.name, "args": part.arguments}}
    if isinstance(part, ToolResult):
        return {"function_response": {"name": part.name, "response": part.result}}
    return {"text": part}


def _pieces(chunk: Any) -> Iterator[Piece]:
    if not chunk.candidates and chunk.prompt_feedback.block_reason:
        _raise_for("PROHIBITED_CONTENT")
    for candidate in chunk.candidates[:1]:
        for part in candidate.content.parts:
            if "function_call" in part:
                yield ToolCall(part.function_call.name, plain(part.function_call.args or {}))
            elif part.text:
                yield part.text
        _raise_for(_name_of(candidate.finish_reason))
    if "usage_metadata" in chunk:
        yield Usage(chunk.usage_metadata.prompt_token_count, chunk.usage_metadata.candidates_token_count)


def _name_of(reason: Any) -> str:
    from google.generativeai import protos

    try:
        return str(protos.Candidate.FinishReason(int(reason)).name)
    except ValueError:
        return "OTHER"


def _raise_for(reason: str) -> None:
    """Raise the error behind the reason why an answer ended, when it is one."""
    error = declined_or_confused(reason)
    if error is not None:
        raise error
