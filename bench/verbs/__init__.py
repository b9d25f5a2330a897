"""One module per verb of the command line. The top layer: only here do stages meet files and flags."""
