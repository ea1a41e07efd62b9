"""The contract of the JSON endpoints: models of what comes in and what goes out.

`@operation` (operations.py) checks every request of its view against them, and document.py writes the same models down
as /api/openapi.json. Types of fields use the readers of the services, so both refuse with the same sentences.
"""
