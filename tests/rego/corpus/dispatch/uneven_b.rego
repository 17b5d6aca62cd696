package uneven.b

flag := input.a == 1
