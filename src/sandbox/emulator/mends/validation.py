"""Requests that AWS refuses before any service logic: a DryRun, a parameter out of the range in the service model."""

from ..call import mend, refuse


@mend("ec2", "*")
def dry_run(call):
    """AWS: a DryRun answers DryRunOperation (412) and does nothing. moto: mostly does the thing."""
    if call.params.get("DryRun"):
        refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    return call.forward()
