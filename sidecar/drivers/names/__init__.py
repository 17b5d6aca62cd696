"""What the names model is made of: weights, vocabulary, word lists, model card and notices; and pieces, which makes of
words what it reads, in training and at run time.
"""
