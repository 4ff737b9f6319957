"""What each page says, prepared from rows: values formatted once, ready to print."""
