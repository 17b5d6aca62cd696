"""Package data of the names model: weights, vocabulary, word lists, model card and notices."""
