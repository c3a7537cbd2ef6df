#!/usr/bin/python3
"""python grpcio's interop client: the same flags, cases and output as the C++ clients (cases/client_main.cc).

  python_client.py --descriptors=descriptors.bin --server_host=127.0.0.1 --server_port=PORT --test_case=all
"""

import os
import sys
import time

import grpc

import python_cases
import python_features
from python_messages import Api, parser
from python_trial import Trial

GROUPS = {"all": python_cases.CASES, "compression": python_cases.COMPRESSION_CASES, "features": python_features.CASES}


class AddMetadata(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor,
                  grpc.StreamUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):
    """--additional_metadata on every call."""

    def __init__(self, metadata):
        self._metadata = metadata

    def _intercept(self, continuation, details, request):
        metadata = tuple(details.metadata or ()) + self._metadata
        return continuation(details._replace(metadata=metadata), request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_unary = intercept_stream_stream = _intercept


def parse_arguments():
    arguments = parser(__doc__)
    arguments.add_argument("--server_host", default="localhost")
    arguments.add_argument("--server_port", type=int, required=True)
    arguments.add_argument("--server_host_override", default="")
    arguments.add_argument("--use_test_ca", default="false")
    arguments.add_argument("--tls_ca_file", default="")
    arguments.add_argument("--test_case", default="large_unary")
    arguments.add_argument("--except", default="", help="cases to leave out, separated by commas")
    arguments.add_argument("--additional_metadata", default="")
    for name, default in (("soak_iterations", 10), ("soak_max_failures", 0),
                          ("soak_per_iteration_max_acceptable_latency_ms", 1000), ("soak_overall_timeout_seconds", 10),
                          ("soak_min_time_ms_between_rpcs", 0), ("soak_request_size", 271828),
                          ("soak_response_size", 314159), ("iteration_interval", 10), ("streams", 1000)):
        arguments.add_argument("--" + name, type=int, default=default)
    options = arguments.parse_args()
    pairs = [entry.partition(":") for entry in options.additional_metadata.split(";") if entry]
    options.interceptors = [AddMetadata(tuple((key, value) for key, _, value in pairs))] if pairs else []
    return options


def run_case(case, api, options):
    start = time.monotonic()
    trial = Trial(api, options)
    try:
        case(trial)
    except Exception as error:  # a case that breaks is a case that failed
        trial.fail("%s: %s" % (type(error).__name__, error))
    trial.close()
    passed = not trial.failures
    print("%s %-28s %6d ms" % ("PASS" if passed else "FAIL", case.__name__, (time.monotonic() - start) * 1000))
    for failure in trial.failures[:20]:
        print("     " + failure)
    sys.stdout.flush()
    return passed


def main():
    options = parse_arguments()
    known = [case for cases in GROUPS.values() for case in cases]
    wanted, left_out = options.test_case.split(","), vars(options)["except"].split(",")
    cases = [
        case for group, cases in GROUPS.items() for case in cases
        if (group in wanted or case.__name__ in wanted) and case.__name__ not in left_out
    ]
    if not cases:
        print("--test_case: expected known cases, \"all\" or \"features\", got \"%s\". Known:\n  %s" %
              (options.test_case, "\n  ".join(case.__name__ for case in known)), file=sys.stderr)
        return 2
    api = Api(options.descriptors)
    passed = sum([run_case(case, api, options) for case in cases])
    print("python client: %d of %d cases passed" % (passed, len(cases)))
    return 0 if passed == len(cases) else 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # calls that were left behind have threads that wait for requests
