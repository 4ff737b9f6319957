"""Request in, words in the middle, response out: a module per page."""
