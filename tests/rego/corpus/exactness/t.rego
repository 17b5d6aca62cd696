package t

# Bool is not a number, 1 is 1.0, and so through sets, keys and arrays.
out["bool_in_numbers"] := {1, true, 1.0, 0, false}

out["set_of_arrays"] := {[1], [true], [1.0], [1, 2]}

out["set_of_objects"] := {{"a": 1}, {"a": true}, {"a": 1.0}, {"b": 1}}

out["set_of_sets"] := {{1, 2}, {2, 1}, {1, true}}

out["equal"] := [1 == 1.0, 1 == true, [1] == [true], {1} == {1.0}, {"a": [1]} == {"a": [true]}, null == false]

out["input_equal"] := [input.one == 1, input.one == 1.0, input.yes == 1, input.one == true, input.zero == false]

out["input_set"] := {input.one, input.yes, input.onef, input.zero, input.no}

out["membership"] := [true in [1], 1 in [true], 1 in {1.0}, input.yes in [1, 2], [input.yes] in [[1]], input.one in {true}]

out["keys"] := {k: v | some k, v in {1: "n", true: "b", null: "z", "1": "s", [1]: "a", {1}: "e"}}

out["lookup"] := [m[input.one], m[input.yes], m["1"], m[[input.one]]]

m := {1: "n", true: "b", "1": "s", [1]: "a"}

out["order"] := sort([{"a": 1}, [1], "b", "a", 10, 9, true, false, null, {1}, {"a": 0}, [0, 5], "é", "z", "😀", "ﬀ"])

out["object_order"] := sort([{"b": 1}, {"a": 2}, {"a": 1, "b": 0}, {}])

out["compare"] := [null < false, false < true, true < 0, 9 < "a", "z" < [], [] < {}, {} < set(), null < 0.7, null > 4096]

out["unicode_order"] := ["ﬀ" < "😀", "Z" < "a", "a" < "é"]

# A set element is what it was when it was added.
out["stale_shape"] := {o | some x in [1, 2]; o := {"x": x, "y": {"x": x}}}

out["grown"] := {k: c | some k in ["a", "b"]; c := [x | some x in [1, 2, 3]; x > 1]}

nested[x][y] := z if { some x in ["a", "b"]; some y in ["c", "d"]; z := concat("", [x, y]) }

out["nested"] := nested

sets[x] contains y if { some x in ["a", "b"]; some y in [1, true, 1.0] }

out["sets"] := sets

# Numbers are decimal texts, exact integers, 64-bit mantissas.
out["arithmetic"] := [0.1 + 0.2, 1 / 3, 10 / 4, 1e3 / 3, 2 - 2.5, 0.1 * 3, 7 % 3, -7 % 3, 7 % -3]

out["integers"] := [input.huge + 1, input.huge * input.huge, 9007199254740993 + 0, input.huge == 1180591620717411303425]

out["rounding"] := [round(2.5), round(-2.5), ceil(1.2), floor(-1.2), ceil(-0.5), floor(-0.5), abs(-3.5)]

out["sums"] := [sum([0.1, 0.2, 0.3]), sum({1, 2, 3}), product([0.5, 4]), sum([])]

out["comparison"] := [0.1 + 0.2 == 0.3, input.tenth + 0.2 == 0.3, 1e2 == 100, input.huge > 1e21, 0.30000000000000001 == 0.3]

out["index"] := [[x | x := input.list[i]] | some i in [1, 1.0, -1, 3, "1", true, null]]

out["json"] := json.marshal({"a": [1, 1.5, "<&>", null, true], "b": {2, 1}, "c": input.onef})

out["text"] := [sprintf("%d|%v|%s|%.2f|%5d|%-5s|%05d|%x|%q", [1, {"a": [true, null]}, "x", 2.5, 42, "ab", 7, 255, "q\"é"]), lower("İ"), upper("ß")]

out["walked"] := [p | walk({"a": [1, {"b": 2}]}, [p, _])]

out["array_of_set"] := [x | some x in {"c", "a", "b"}]

out["array_of_object"] := [v | some v in {"z": 1, "a": 2, "m": 3}]

out["undefined"] := [x | x := input.missing.deeper]

out["negation"] := [not_false, not_undefined]

not_false if not input.no

not_undefined if not input.missing
