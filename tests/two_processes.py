"""Starting two processes on this machine, as `accelerate launch` does."""

TWO_PROCESSES = [  # arguments of Python; a script or "-m", a module follow
    *("-m", "accelerate.commands.launch", "--multi_gpu"),
    *("--num_processes", "2", "--num_machines", "1"),
    *("--mixed_precision", "no", "--dynamo_backend", "no"),
    *("--main_process_port", "0"),
]
