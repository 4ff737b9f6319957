"""A stand-in DCS and IAM over real HTTP; shares no code with the app it serves."""
