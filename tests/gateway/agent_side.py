"""The agent's side of the gateway: the real openhands LLM with the real litellm, in a process of its own.

Reads a JSON list of `llm` objects from stdin and writes for each what came of one streamed request: the text and
reasoning that arrived as deltas, the tool calls, the usage, or the exception.
"""

import json
import sys
import warnings
from typing import Any

from openhands.sdk.llm import LLM, Message, TextContent
from openhands.sdk.tool.builtins import FinishTool


def ask(config: dict[str, Any]) -> dict[str, Any]:
    llm = LLM.model_validate({**config, "num_retries": 1, "retry_min_wait": 0, "retry_max_wait": 0})
    deltas: list[Any] = []
    messages = [
        Message(role="system", content=[TextContent(text="You are an agent.")]),
        Message(role="user", content=[TextContent(text="Finish.")]),
    ]
    tools = list(FinishTool.create())
    try:
        if llm.uses_responses_api():
            response = llm.responses(messages, tools=tools, on_token=deltas.append)
        else:
            response = llm.completion(messages, tools=tools, on_token=deltas.append)
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}
    message = response.message
    usage = llm.metrics.accumulated_token_usage
    return {
        "text": "".join(part.text for part in message.content if isinstance(part, TextContent)),
        "reasoning": message.reasoning_content,
        "calls": [(call.name, call.arguments) for call in message.tool_calls or []],
        "deltas": len(deltas),
        "usage": usage.model_dump() if usage else None,
    }


def main() -> None:
    warnings.simplefilter("ignore")
    results = [ask(config) for config in json.load(sys.stdin)]
    sys.stdout.write("\nRESULTS " + json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
