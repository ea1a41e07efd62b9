"""Stand-ins for servers that the tests must not really ask."""
