"""Names for the demo's traders."""

from __future__ import annotations

from collections.abc import Iterator

from services.users import NewUser, identity_key

FIRST_NAMES = (
    *("Amara", "Bela", "Carla", "Dario", "Elif", "Farid", "Greta", "Hanna", "Ivo", "Jana", "Kofi", "Lena", "Mateo"),
    *("Nadia", "Omar", "Paula", "Quinn", "Rosa", "Sami", "Tara", "Uma", "Viktor", "Wanda", "Xenia", "Yusuf", "Zoe"),
)
LAST_NAMES = (
    *("Adler", "Bauer", "Costa", "Dubois", "Eriksen", "Fontana", "Garcia", "Horvat", "Ito", "Jensen", "Kaya"),
    *("Lindt", "Moreau", "Novak", "Okoro", "Petrov", "Rossi", "Silva", "Tanaka", "Urban", "Vogel", "Weber", "Young"),
)


def new_people(first_number: int, count: int, password_hash: str) -> Iterator[NewUser]:
    """So many traders with names of their own: the number in it is `first_number` and those after it. They share one
    password, so one hash: hashing takes longer than everything else about them.
    """
    for number in range(first_number, first_number + count):
        first = FIRST_NAMES[number % len(FIRST_NAMES)]
        last = LAST_NAMES[number // len(FIRST_NAMES) % len(LAST_NAMES)]
        name = f"{first} {last} {number}"
        email = f"{first}.{last}.{number}@demo.example".lower()
        yield NewUser(name, email, identity_key(name), identity_key(email), password_hash)
