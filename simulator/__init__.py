"""A simulated DCS and IAM over real HTTP: standard library only, no code shared with the app."""
