"""What a restore's record means: error codes, summaries, estimates and the timeline. All pure."""
