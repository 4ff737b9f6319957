"""Django's PostgreSQL backend for pages that must say at once when the database is away."""
