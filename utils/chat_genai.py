"""Gemini through google-genai, the successor of google-generativeai; chosen by GEMINI_LIBRARY=genai. The only importer
of that package, which takes a second and so is imported late.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from utils.chat_model import (
    BLOCKED_FROM,
    HARMS,
    TOP_K,
    TOP_P,
    ModelAway,
    ModelConfused,
    ModelError,
    ModelRequest,
    ModelSettings,
    Part,
    Piece,
    ToolCall,
    ToolResult,
    Usage,
    broken_connection,
    declined_or_confused,
    error_of_status,
    plain,
)

_import_lock = threading.Lock()


class GenAIModel:
    """See ChatModel. Safe for many threads."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._client: Any = None

    def stream(self, request: ModelRequest) -> Iterator[Piece]:
        from google.genai.errors import APIError

        client = self._connected()
        try:
            chunks = client.models.generate_content_stream(
                model=self._settings.name,
                contents=[{"role": turn.role, "parts": [_part(one) for one in turn.parts]} for turn in request.turns],
                config=self._config(request),
            )
            for chunk in chunks:
                yield from _pieces(chunk)
        except APIError as error:
            raise error_of_status(int(error.code or 500)) from error
        except ModelError:
            raise
        except Exception as error:
            # Below its own errors the package lets through those of its HTTP client, which it may change at will.
            raise _transport_error(error) from error

    def prepare(self) -> None:
        self._connected()

    def close(self) -> None:
        with _import_lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _connected(self) -> Any:
        with _import_lock:
            if self._client is None:
                from google import genai

                options: dict[str, Any] = {"api_version": "v1beta", "retry_options": {"attempts": 1}}
                if self._settings.endpoint:
                    options["base_url"] = self._settings.endpoint
                self._client = genai.Client(api_key=self._settings.key, vertexai=False, http_options=options)
        return self._client

    def _config(self, request: ModelRequest) -> dict[str, Any]:
        tools = [{"name": one.name, "description": one.description, "parameters": one.parameters or None}
                 for one in request.tools]  # fmt: skip
        return {
            "system_instruction": request.instruction,
            "temperature": self._settings.temperature,
            "top_p": TOP_P,
            "top_k": TOP_K,
            "max_output_tokens": request.answer_tokens,
            "safety_settings": [{"category": harm, "threshold": BLOCKED_FROM} for harm in HARMS],
            "tools": [{"function_declarations": tools}] if tools else None,
            "automatic_function_calling": {"disable": True},
            "http_options": {"timeout": max(1, round(request.timeout * 1000))},
        }


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, ToolCall):
        call = {"function_call": {"name": part.name, "args": part.arguments}}
        return call | ({"thought_signature": part.signature} if part.signature else {})
    if isinstance(part, ToolResult):
        return {"function_response": {"name": part.name, "response": part.result}}
    return {"text": part}


def _pieces(chunk: Any) -> Iterator[Piece]:
    if not chunk.candidates and chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
        _raise_for("PROHIBITED_CONTENT")
    for candidate in (chunk.candidates or [])[:1]:
        for part in (candidate.content and candidate.content.parts) or ():
            if part.function_call is not None:
                name, arguments = part.function_call.name or "", plain(part.function_call.args or {})
                yield ToolCall(name, arguments, part.thought_signature)
            elif part.text and not part.thought:
                yield part.text
        _raise_for(str(candidate.finish_reason.value) if candidate.finish_reason else "")
    usage = chunk.usage_metadata
    if usage is not None:
        yield Usage(usage.prompt_token_count or 0, usage.candidates_token_count or 0)


def _raise_for(reason: str) -> None:
    error = declined_or_confused(reason)
    if error is not None:
        raise error


def _transport_error(error: Exception) -> ModelError:
    """The second family of errors: those of the HTTP client underneath, by whichever name it is installed."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if "TimeoutException" in names:
        return ModelAway("The model did not answer in time.", passing=False)
    if "TransportError" in names or "HTTPError" in names:
        return broken_connection("ConnectError" not in names)
    return ModelConfused("The model's answer could not be understood.")
