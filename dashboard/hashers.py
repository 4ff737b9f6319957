"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id at the lowest cost that OWASP recommends.

    At Django's 100 MB per password, a few simultaneous sign-ins could exhaust the memory.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
