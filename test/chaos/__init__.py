"""Servers and databases that are killed while people trade, and how one proves afterwards that nothing was lost."""
