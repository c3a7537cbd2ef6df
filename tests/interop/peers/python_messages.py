"""Message classes and method tables of TestService and Features, built at run time from descriptors.

Generated *_pb2 modules would need a package grpc.testing, which would hide grpcio's own package grpc.
"""

import argparse

from google.protobuf import descriptor_pb2, message_factory


class Api:
    """Message classes by short name, and for each service its methods: {name: (kind, path, request, reply)}."""

    def __init__(self, descriptor_path):
        with open(descriptor_path, "rb") as file:
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
        self._classes = message_factory.GetMessages(files)
        self.services = {}
        for file in files:
            for service in file.service:
                full_name = file.package + "." + service.name
                self.services[full_name] = {m.name: self._method(full_name, m) for m in service.method}

    def __getattr__(self, short_name):
        for full_name, message_class in self._classes.items():
            if full_name.rpartition(".")[2] == short_name and "." in full_name:
                return message_class
        raise AttributeError(short_name)

    def _method(self, service, method):
        kind = ("stream" if method.client_streaming else "unary") + "_" + (
            "stream" if method.server_streaming else "unary")
        return (kind, "/%s/%s" % (service, method.name), self._classes[method.input_type.lstrip(".")],
                self._classes[method.output_type.lstrip(".")])


class Stub:
    """Callables of one service on a channel, as a generated stub would have them."""

    def __init__(self, channel, api, service):
        for name, (kind, path, _, reply) in api.services[service].items():
            multi_callable = getattr(channel, kind)(
                path,
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=reply.FromString)
            setattr(self, name, multi_callable)


def parser(description):
    result = argparse.ArgumentParser(description=description, allow_abbrev=False)
    result.add_argument("--descriptors", required=True, help="descriptors.bin of //tests/interop/peers")
    result.add_argument("--use_tls", default="false", choices=["false", "true"])
    return result
