"""The cloud's side: client, authentication, records, faults and the projects file; no Django."""
