"""What a restore's record means: error codes, summaries, estimates and steps. All pure."""
