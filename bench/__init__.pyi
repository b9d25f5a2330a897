from bench.notebook.collection import build_index as build_index
from bench.notebook.collection import open_index as open_index
from bench.notebook.judging import compare as compare
from bench.notebook.judging import evaluate as evaluate
from bench.notebook.model import load_model as load_model
