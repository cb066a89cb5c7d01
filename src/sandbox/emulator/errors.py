"""The one exception by which every layer of the sandbox refuses a call."""


class AwsError(Exception):
    """An AWS error answer: code, message and HTTP status (by default what the service model says for the code, else 400);
    rendered in the caller's protocol by `answer.py`."""

    def __init__(self, code, message, status=None):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.as_sent = None  # moto's own rendering of it, where there is one


class ConnectionLost(ConnectionError):
    """Ends the request without an answer; the server drops the connection (werkzeug treats it as a client gone)."""
