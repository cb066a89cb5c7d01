"""The deployer's sandbox: moto's server with the gaps that a deployer meets patched, AWS's rules on dependencies and
settling enforced, and faults injected on request. Started by `python -m emulator`; see README.md one folder up."""
