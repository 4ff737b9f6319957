"""What a restore's record means: codes explained, durations, estimates, verdicts. All pure."""
