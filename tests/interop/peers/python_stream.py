"""A streaming call that is written to and read from step by step; grpcio takes its requests from an iterator."""

import queue

import grpc

_END = object()


class Stream:

    def __init__(self, method, **kwargs):
        self._requests = queue.SimpleQueue()
        self.call = method(iter(self._requests.get, _END), **kwargs)

    def write(self, request):
        self._requests.put(request)

    def done(self):
        self._requests.put(_END)

    def read(self):
        """The next response, or None at the end of the call, however it ended."""
        try:
            return next(self.call, None)
        except grpc.RpcError:
            return None

    def finish(self):
        """Reads up to the end; the number of responses that still came."""
        self.done()
        count = 0
        while self.read() is not None:
            count += 1
        return count
