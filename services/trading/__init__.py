"""Orders: checks before the trade, the book in memory, the fill rules and the matching."""
