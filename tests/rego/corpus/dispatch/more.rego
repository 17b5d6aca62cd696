package packs.a

flag := false

n := 3

deny contains {"code": "A"} if input.a == 1
