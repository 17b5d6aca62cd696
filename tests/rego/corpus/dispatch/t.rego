package t

names := ["a", "b", "c", "d", "e"]

out["holds"] := {x | some x in names; data.packs[x].flag}

out["not"] := {x | some x in names; not data.packs[x].flag}

out["not_equal"] := {x | some x in names; not data.packs[x].n == 4}

out["deny"] := {d | some x in names; some d in data.packs[x].deny}

out["uneven"] := {x | some x in names; data.uneven[x].flag}

out["not_uneven"] := {x | some x in names; not data.uneven[x].flag}

out["not_deeper"] := {x | some x in names; not data.uneven[x].flag.deep}

out["every"] := {x | some x in names; every y in [1, 2] { y > 0; not data.packs[x].flag }}

out["with"] := {x | some x in names; not data.packs[x].flag with input.a as 1}

out["value"] := {x: y | some x in names; y := data.packs[x].flag}

out["all"] := data.packs

out["function"] := {x | some x in names; not f(x)}

f(x) if data.packs[x].flag
