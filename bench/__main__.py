"""``python -m bench VERB``."""

import sys

if sys.argv[1:2] == ["gpu-check"]:  # which runs on machines without the packages of the command line as well
    from bench.verbs.gpu_check import alone

    sys.exit(alone(sys.argv[2:]))

from bench.cli import main

sys.exit(main())
