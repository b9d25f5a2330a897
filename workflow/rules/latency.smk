"""
index + query vectors -> how long a query takes

needs   build/{corpus}/{model}/{codec}/index/, build/{corpus}/{model}/queries/{queries}/,
        build/models/{model}/ and build/{corpus}/queries/{queries}/ to encode with
makes   build/{corpus}/{model}/{codec}/{preset}/{queries}/threads-{pinned}/latency.json

A timing is no fact: no table of quality or size depends on it. It takes every core, so that no other job runs beside it,
whatever the number of threads that it pins; and no benchmark, whose sampling would.
"""


rule latency:
    input:
        index="build/{corpus}/{model}/{codec}/index",
        queries="build/{corpus}/{model}/queries/{queries}",
        model="build/models/{model}",
        texts="build/{corpus}/queries/{queries}",
    output:
        "build/{corpus}/{model}/{codec}/{preset}/{queries}/threads-{pinned}/latency.json",
    log:
        "logs/{corpus}/{model}/{codec}/{preset}/latency.{queries}.threads-{pinned}.log",
    wildcard_constraints:
        preset="|".join(PLAN.presets),
        pinned="[0-9]+",
    conda:
        "../envs/bench.yaml"
    threads: lambda wildcards: alone(int(wildcards.pinned))
    params:
        code=code_digest("bench.verbs.latency"),
        settings=JOBS.latency,
    shell:
        "python -m bench latency --index {input.index} --queries {input.queries} --model {input.model}"
        " --texts {input.texts} {params.settings} --granted-threads {threads} --output {output} 2>&1 | tee {log}"
