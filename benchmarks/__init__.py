"""How fast it is: script/bench runs this, RESULTS.md says what came of it."""
