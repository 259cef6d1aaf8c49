"""The scripted model: stands in for a real one in the demo, the tests and the benchmarks. It says so on screen."""
