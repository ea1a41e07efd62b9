"""Analysis: stored bars in, figures out. Nothing here looks beyond the market's now."""
