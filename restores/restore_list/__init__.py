"""The list of restores: pagination, counts, toolbar, facets and the empty state."""
