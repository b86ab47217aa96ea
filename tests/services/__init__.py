"""Real servers for the tests, and the tests of those servers."""
