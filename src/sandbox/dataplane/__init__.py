"""The data plane of the sandbox: what runs behind the resources that the emulator only keeps."""
