"""What the system does. Called by routes, commands and tasks alike; knows no request and no response."""
