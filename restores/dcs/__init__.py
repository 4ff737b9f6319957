"""Client for the provider's DCS and IAM APIs, and reader of the projects file. No Django."""
