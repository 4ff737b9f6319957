"""The pages: one module each, which prepares what its template prints."""
