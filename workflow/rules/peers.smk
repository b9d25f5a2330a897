"""
token vectors -> ours beside the engines that people use today (make peers)

needs   build/{corpus}/{model}/vectors/{shard}/, build/{corpus}/{model}/queries/{queries}/
        .venv-peers/{peer}/, which `make peers` makes from workflow/envs/{peer}.txt
makes   build/{corpus}/{model}/peers/{queries}/{peer}.json   a record, with the rankings beside it as .npz;
                                                             of residuals of 4 bits {peer}-4-bits.json
        build/{corpus}/{model}/peers/{queries}/{ours}.json   ours: `ours` with the exact ranking as well, and another codec
        results/{name}/peers.*, peers_ratios.*

Nothing else asks for these files. Each job takes the whole machine, since it measures time.
"""


rule peer:
    input:
        environment=local(".venv-peers/{peer}/ready"),
        script=local("workflow/peers/{peer}.py"),
        protocol=local("workflow/peers/measure.py"),
        vectors=JOBS.vectors,
        queries="build/{corpus}/{model}/queries/{queries}",
    output:
        record="build/{corpus}/{model}/peers/{queries}/{peer}{width}.json",
        rankings="build/{corpus}/{model}/peers/{queries}/{peer}{width}.npz",
        work=temp(
            directory("build/{corpus}/{model}/peers/{queries}/{peer}{width}.work")
        ),
    log:
        "logs/{corpus}/{model}/peers/{queries}.{peer}{width}.log",
    wildcard_constraints:
        peer="|".join(PEERS),
        width="|".join(PEERS_NBITS),
    conda:
        "../envs/{peer}.yaml"
    threads: lambda wildcards: alone(2)
    params:
        settings=PEER_JOBS.peer,
        python=subpath(input.environment, parent=True),
        vectors=lambda w, input: folders(input.vectors),
    shell:
        "{params.python}/bin/python {input.script} --vectors {params.vectors} --queries {input.queries}"
        " {params.settings} --work {output.work} --output {output.record} 2>&1 | tee {log}"


rule peer_ours:
    input:
        script=local("workflow/peers/ours.py"),
        protocol=local("workflow/peers/measure.py"),
        vectors=JOBS.vectors,
        queries="build/{corpus}/{model}/queries/{queries}",
    output:
        record="build/{corpus}/{model}/peers/{queries}/{ours}.json",
        rankings="build/{corpus}/{model}/peers/{queries}/{ours}.npz",
        work=temp(directory("build/{corpus}/{model}/peers/{queries}/{ours}.work")),
    log:
        "logs/{corpus}/{model}/peers/{queries}.{ours}.log",
    wildcard_constraints:
        ours="|".join(OURS),
    conda:
        "../envs/bench.yaml"
    threads: lambda wildcards: alone(2)
    params:
        codec=PEER_JOBS.ours,
        code=code_digest(
            "bench.index.pipeline", "bench.search.engines", "bench.search.kernels.cpu"
        ),
        settings=PEER_JOBS.peer,
        vectors=lambda w, input: folders(input.vectors),
    shell:
        "python {input.script} {params.codec} --vectors {params.vectors} --queries {input.queries}"
        " {params.settings} --work {output.work} --output {output.record} 2>&1 | tee {log}"


rule peers:
    input:
        records=PEER_JOBS.peers(".json"),
        rankings=PEER_JOBS.peers(".npz"),
    output:
        expand(
            f"{RESULTS}/{{table}}.{{suffix}}",
            table=["peers", "peers_ratios"],
            suffix=["md", "csv", "html", "tex"],
        ),
    log:
        f"logs/{PLAN.name}/peers.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.peers"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench peers --records {input.records} --output {params.folder} 2>&1 | tee {log}"
