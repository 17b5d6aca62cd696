package packs.b

flag := true

deny contains {"code": "B", "n": n} if some n in input.xs
