package uneven.c.flag.deep

z := 1
