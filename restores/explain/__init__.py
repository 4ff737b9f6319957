"""Explanations of restores: error codes, summaries, estimates and steps. All pure."""
