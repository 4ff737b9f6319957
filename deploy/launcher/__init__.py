"""The launcher behind ./run; standard library only, as it runs before anything is installed."""
