package t

import future.keywords.not

default tier := "none"

tier := "high" if input.score >= 0.9 else := "middle" if input.score >= 0.5 else := "low" if is_number(input.score)

out["tier"] := tier

out["chain"] := chain(input.score)

chain(x) := "null" if x == null

chain(x) := "number" if is_number(x)

conflicted := 1 if input.a

conflicted := 2 if input.b

out["conflicted"] := conflicted

out["with_input"] := [tier, y] if y := tier with input.score as 0.6

out["with_path"] := y if y := input.deep with input.deep.er.est as 3

out["with_data"] := y if y := data.base with data.base.new as input.score

out["with_function"] := y if y := shout("a") with upper as quiet

quiet(_) := "mocked"

shout(x) := upper(x)

out["every"] := {name: ok | some name, xs in input.lists; ok := all_positive(xs)}

default all_positive(_) := false

all_positive(xs) if every x in xs { x > 0 }

out["not_block"] := {name | some name, xs in input.lists; not { some x in xs; x < 0 }}

out["deep"] := [[a, b, c, d, e] |
	some a in [1, 2]
	some b in [a, 2]
	some c in [b, 3]
	some d in [c, 4]
	some e in [d, 5]
	a + b + c + d + e > 12
]

out["destructured"] := [x, y] if {
	[x, {"k": y}] := input.shape
}

out["template"] := $"score {input.score} of {input.missing}"

out["object_conflict"] := {k: v | some k, v in input.pairs}

out["union"] := object.union({"a": {"b": 1}}, input.deep)

out["patched"] := json.patch(input.deep, [{"op": "add", "path": "/new", "value": 1}])

out["found"] := [regex.match(`^a+b$`, "aab"), glob.match("*.example.com", ["."], "api.example.com"), regex.replace("a1b2", `(\w)(\d)`, "$2$1")]

out["times"] := [time.date([input.ns, "Europe/Berlin"]), time.weekday(input.ns), time.format([input.ns, "UTC", "RFC1123"]), time.parse_rfc3339_ns("2024-02-29T12:00:00.5+02:00")]

out["versions"] := [semver.compare("1.2.3-rc.1", "1.2.3"), units.parse_bytes("10KiB"), net.cidr_contains("10.0.0.0/8", "10.1.2.3")]

out["tokens"] := io.jwt.decode(input.token)
