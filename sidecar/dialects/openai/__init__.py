"""OpenAI's shape: chat completions, completions, embeddings, as OpenAI, vLLM and most others serve them.

    dialect   the `Dialect`: ties the rest together; error bodies
    fields    the request's top-level fields: which are settings, which are text
    messages  a conversation: roles, content parts, tool calls
    tools     what is declared: tools, functions, the output's form
    shaping   obligations: caps, routed models, withdrawn tools
    replies   one reply object or chunk -> deltas and facts
    readers   bytes of a reply -> events: streams, unary bodies, embeddings

Sources: the OpenAI API reference (platform.openai.com/docs/api-reference) and vLLM's request models
(vllm/entrypoints/openai/protocol.py); fields of other servers are marked where they stand.
"""
