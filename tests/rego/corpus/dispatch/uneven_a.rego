package uneven.a

flag := false
