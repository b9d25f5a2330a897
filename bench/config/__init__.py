"""What a benchmark is: every setting, declared once, and the plan that a config resolves to."""
