"""One run of one case with python grpcio, and its checks: expected, got. The counterpart of cases/trial.h."""

import grpc

from python_messages import Stub


def ending(call):
    """(code, details) of a call that has ended."""
    return call.code(), call.details()


class Trial:

    def __init__(self, api, options):
        self.api = api
        self.options = options
        self.failures = []
        self._channels = []
        self.test, self.unimplemented, self.orca, self.features = self.new_stubs()

    def new_stubs(self):
        """Stubs on a connection of their own."""
        address = "%s:%d" % (self.options.server_host, self.options.server_port)
        options = [("grpc.use_local_subchannel_pool", 1)]
        if self.options.use_tls == "true":
            if self.options.server_host_override:
                options.append(("grpc.ssl_target_name_override", self.options.server_host_override))
            with open(self.options.tls_ca_file, "rb") as roots:
                credentials = grpc.ssl_channel_credentials(roots.read())
            channel = grpc.secure_channel(address, credentials, options=options)
        else:
            channel = grpc.insecure_channel(address, options=options)
        self._channels.append(channel)
        intercepted = grpc.intercept_channel(channel, *self.options.interceptors)
        return [
            Stub(intercepted, self.api, name)
            for name in ("grpc.testing.TestService", "grpc.testing.UnimplementedService",
                         "xds.service.orca.v3.OpenRcaService", "weir.interop.Features")
        ]

    def close(self):
        for channel in self._channels:
            channel.close()

    def fail(self, text):
        self.failures.append(text)
        return False

    def expect(self, what, holds):
        return holds or self.fail("%s: does not hold" % what)

    def expect_equal(self, what, expected, got):
        return expected == got or self.fail("%s: expected %.200r, got %.200r" % (what, expected, got))

    def expect_code(self, what, code, call):
        return call.code() == code or self.fail("%s: expected %s, got %s %.200r" % ((what, code) + ending(call)))

    def expect_ok(self, what, call):
        return self.expect_code(what, grpc.StatusCode.OK, call)

    def expect_status(self, what, code, details, call):
        return self.expect_equal(what, (code, details), ending(call))

    def expect_values(self, what, key, expected, metadata):
        got = [value for name, value in metadata or () if name == key]
        return self.expect_equal("%s %s" % (what, key), expected, got)

    def unary(self, method, request, **kwargs):
        """(reply or None, call) of a unary call; the call has ended."""
        try:
            return method.with_call(request, **kwargs)
        except grpc.RpcError as error:
            return None, error

    def large_request(self, request_bytes=271828, response_bytes=314159):
        request = self.api.SimpleRequest(response_size=response_bytes)
        request.payload.body = bytes(request_bytes)
        return request

    def expect_large_response(self, what, response, call):
        if self.expect_ok(what, call):
            self.expect(what + " answers 314159 zeros", response.payload.body == bytes(314159))
