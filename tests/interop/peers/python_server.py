#!/usr/bin/python3
"""python grpcio's interop server: TestService and Features on grpc.aio.

  python_server.py --descriptors=descriptors.bin --port=0
  prints "listening on 127.0.0.1:PORT"; SIGTERM or Features.Drain ends it with 0
"""

import asyncio
import os
import signal
import time

import grpc
import grpc.aio

from python_messages import Api, parser

GRACE_S = 15
LOAD_TRAILER = "endpoint-load-metrics-bin"  # gRFC A51: the report of one call, in its trailers


def code_of(number):
    return next(code for code in grpc.StatusCode if code.value[0] == number)


async def echo_metadata(context):
    initial = []
    for key, value in context.invocation_metadata():
        if key == "x-grpc-test-echo-initial":
            initial.append((key, value))
        if key == "x-grpc-test-echo-trailing-bin":
            context.set_trailing_metadata(((key, value),))
    if initial:
        await context.send_initial_metadata(tuple(initial))


async def abort_if_asked(context, request):
    if request.response_status.code != 0:
        await context.abort(code_of(request.response_status.code), request.response_status.message)


class LoadReports:
    """ORCA's out-of-band service, and what it reports."""

    def __init__(self, api):
        self.api = api
        self.current = api.OrcaLoadReport()

    def convert(self, report):
        return self.api.OrcaLoadReport(
            cpu_utilization=report.cpu_utilization,
            mem_utilization=report.memory_utilization,
            request_cost=report.request_cost,
            utilization=report.utilization)

    async def StreamCoreMetrics(self, request, context):
        interval = request.report_interval.seconds + request.report_interval.nanos / 1e9
        while True:
            await context.write(self.current)
            await asyncio.sleep(max(0.01, interval))


class TestService:

    def __init__(self, api, load):
        self.api = api
        self.load = load

    async def EmptyCall(self, request, context):
        await echo_metadata(context)
        return self.api.Empty()

    async def UnaryCall(self, request, context):
        if request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
            await context.send_initial_metadata(())  # in 1.51 a unary call that leaves this to the library is not compressed
        await echo_metadata(context)
        if request.HasField("orca_per_query_report"):
            report = self.load.convert(request.orca_per_query_report).SerializeToString()
            context.set_trailing_metadata(((LOAD_TRAILER, report),))
        await abort_if_asked(context, request)
        response = self.api.SimpleResponse()
        response.payload.body = bytes(request.response_size)
        if request.fill_server_id:
            response.server_id = "python-%d" % os.getpid()
        return response

    async def CacheableUnaryCall(self, request, context):
        await context.send_initial_metadata((("cache-control", "max-age=60, public"),))
        response = self.api.SimpleResponse()
        response.payload.body = str(time.time_ns()).encode()
        return response

    async def StreamingInputCall(self, requests, context):
        total = 0
        async for request in requests:
            total += len(request.payload.body)
        return self.api.StreamingInputCallResponse(aggregated_payload_size=total)

    async def StreamingOutputCall(self, request, context):
        if any(parameters.compressed.value for parameters in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        await echo_metadata(context)
        await self._write_responses(request, context)
        await abort_if_asked(context, request)

    async def FullDuplexCall(self, requests, context):
        await echo_metadata(context)
        async for request in requests:
            await abort_if_asked(context, request)
            await self._write_responses(request, context)

    async def HalfDuplexCall(self, requests, context):
        await echo_metadata(context)
        for request in [request async for request in requests]:
            await self._write_responses(request, context)

    async def _write_responses(self, request, context):
        if request.HasField("orca_oob_report"):
            self.load.current = self.load.convert(request.orca_oob_report)
        for parameters in request.response_parameters:
            if parameters.interval_us:
                await asyncio.sleep(parameters.interval_us / 1e6)
            response = self.api.StreamingOutputCallResponse()
            response.payload.body = bytes(parameters.size)
            if parameters.HasField("compressed") and not parameters.compressed.value:
                context.disable_next_message_compression()
            await context.write(response)


class Features:

    def __init__(self, api):
        self.api = api
        self.calls = {}

    async def Inspect(self, request, context):
        # Text keys have text values in this library, -bin keys bytes.
        pairs = lambda metadata: tuple(
            (pair.key, pair.value if pair.key.endswith("-bin") else pair.value.decode()) for pair in metadata)
        if request.initial:
            await context.send_initial_metadata(pairs(request.initial))
        context.set_trailing_metadata(pairs(request.trailing))
        if request.code != 0:
            await context.abort(code_of(request.code), request.message, pairs(request.trailing))
        remaining = context.time_remaining()
        reply = self.api.InspectReply(remaining_ms=-1 if remaining is None else int(remaining * 1000))
        for key, value in context.invocation_metadata():
            if key.startswith("x-"):
                reply.metadata.add(key=key, value=value if isinstance(value, bytes) else value.encode())
        return reply

    async def Hold(self, requests, context):
        call, note = None, None
        try:
            async for note in requests:
                if call is None:
                    call = self._begin(note.call_id)
                await context.write(note)
                call.sent += 1
            if note is not None and not note.last:
                await asyncio.sleep(2)  # the requests of a cancelled call may end before the handler is cancelled
        except asyncio.CancelledError:
            if call is not None:
                call.cancelled = True
            raise
        finally:
            if call is not None:
                call.running = False

    async def Flood(self, request, context):
        call = self._begin(request.call_id)
        blob = self.api.Blob(body=bytes(request.size_bytes))
        try:
            for _ in range(request.count):
                await context.write(blob)
                call.sent += 1
        except asyncio.CancelledError:
            call.cancelled = True
            raise
        finally:
            call.running = False

    async def Observe(self, request, context):
        return self.calls.get(request.call_id, self.api.Observation())

    async def Drain(self, request, context):
        os.kill(os.getpid(), signal.SIGTERM)
        return self.api.DrainReply()

    def _begin(self, call_id):
        self.calls[call_id] = self.api.Observation(known=True, running=True)
        return self.calls[call_id]


def add_service(server, api, full_name, service):
    handlers = {}
    for name, (kind, _, request, _) in api.services[full_name].items():
        if hasattr(service, name):
            make_handler = getattr(grpc, kind + "_rpc_method_handler")
            handlers[name] = make_handler(
                getattr(service, name),
                request_deserializer=request.FromString,
                response_serializer=lambda message: message.SerializeToString())
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(full_name, handlers),))


def credentials(arguments):
    with open(arguments.tls_key_file, "rb") as key, open(arguments.tls_cert_file, "rb") as chain:
        return grpc.ssl_server_credentials([(key.read(), chain.read())])


async def run(arguments):
    api = Api(arguments.descriptors)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)

    load = LoadReports(api)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_service(server, api, "grpc.testing.TestService", TestService(api, load))
    add_service(server, api, "xds.service.orca.v3.OpenRcaService", load)
    add_service(server, api, "weir.interop.Features", Features(api))
    address = "127.0.0.1:%d" % arguments.port
    port = server.add_secure_port(address, credentials(arguments)) if arguments.use_tls == "true" else \
        server.add_insecure_port(address)
    await server.start()
    print("listening on 127.0.0.1:%d" % port, flush=True)
    await stop.wait()
    await server.stop(GRACE_S)


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--tls_cert_file", default="")
    arguments.add_argument("--tls_key_file", default="")
    asyncio.run(run(arguments.parse_args()))


if __name__ == "__main__":
    main()
