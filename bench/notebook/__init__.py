"""The face of the harness for notebooks: ``bench.load_model``, ``build_index``, ``evaluate`` and ``compare``."""
