"""A stub model server: real HTTP, no model. For the demonstration, for tests, for CI.

It says what it is wherever a reader may look: `Server: sidecar-stub`, `system_fingerprint: stub`,
`owned_by: sidecar-stub`, and the sentence that it answers with. It repeats what it was told, cut into small pieces at
odd places, so that whatever was put in the place of a person's data comes back across chunk boundaries.

    told        what a request tells: texts, pieces, JSON filled after a schema
    behaviours  how to misbehave on request: hang, die, answer garbage
    chat        chat completions, unary and streamed
    flat        completions and embeddings
    recorder    what was seen, byte for byte, and who left early
    server      the routes; `python -m sidecar.stub --port 0` runs them and prints the port as a JSON line

It shares no code with the sidecar, so that a misreading of the API is not made twice in the same way.
"""
