#!/usr/bin/python3
"""openssl s_client and curl against weir's server: which versions, cipher suites and clients get in, and what the others
are told.

  tls_tools_test.py --server=server
"""

import argparse
import os
import subprocess
import sys
import tempfile

from grpc_call import envelope
from processes import Server
from test_certificates import TestCertificates

PATIENCE_S = 20
H2 = ["-alpn", "h2"]
WEAK = ["-cipher", "ALL:@SECLEVEL=0"]  # what a client must say to be allowed to try

# Arguments of s_client -> what its output must contain: "Cipher is NAME" for a handshake, else the alert.
CASES_OF_EITHER_KEY = [
    ("TLS 1.3", H2 + ["-tls1_3"], "TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384"),
    ("TLS 1.3 AES-128", H2 + ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"], "Cipher is TLS_AES_128_GCM_SHA256"),
    ("TLS 1.3 ChaCha20", H2 + ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
     "Cipher is TLS_CHACHA20_POLY1305_SHA256"),
    ("TLS 1.1", H2 + ["-tls1_1"] + WEAK, "alert protocol version"),
    ("TLS 1.0", H2 + ["-tls1"] + WEAK, "alert protocol version"),
    ("no ALPN", ["-tls1_3"], "alert no application protocol"),
    ("other ALPN", ["-tls1_3", "-alpn", "http/1.1"], "alert no application protocol"),
    ("h2 and others", ["-tls1_3", "-alpn", "http/1.1,h2"], "ALPN protocol: h2"),
]


def cases_of(key):
    """TLS 1.2: only ephemeral keys and AEAD (RFC 9113 section 9.2.2)."""
    def tls12(cipher, expected=None):
        return ("TLS 1.2 " + cipher, H2 + ["-tls1_2", "-cipher", cipher + ":@SECLEVEL=0"], expected or "Cipher is " + cipher)

    refused = "alert handshake failure"
    cases = [tls12("ECDHE-%s-%s" % (key, suite)) for suite in
             ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")]
    cases += [tls12("ECDHE-%s-%s" % (key, suite), refused) for suite in ("AES128-SHA", "AES256-SHA384")]
    if key == "RSA":
        cases += [tls12(cipher, refused) for cipher in
                  ("AES128-GCM-SHA256", "AES256-SHA", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305")]
    return cases + CASES_OF_EITHER_KEY


def s_client(server, ca, arguments):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", server.address, "-CAfile", ca, "-verify_return_error"] + arguments,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S)
    return done.stdout.decode(errors="replace")


def curl(server, ca, arguments, body_path):
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", str(PATIENCE_S), "--cacert", ca, "--http2", "--dump-header", "-",
         "--header", "content-type: application/grpc", "--header", "te: trailers", "--data-binary", "@" + body_path] +
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace")


def check(name, holds, output, failures):
    print("%s %s" % ("PASS" if holds else "FAIL", name))
    if not holds:
        failures.append("%s:\n%s" % (name, output[-1500:]))


def start(path, pair, more=()):
    return Server([path, "--port=0", "--use_tls=true", "--tls_cert_file=" + pair[0], "--tls_key_file=" + pair[1]] +
                  list(more))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--client", required=True)
    options = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        certificates = TestCertificates(folder)
        body_path = folder + "/empty"
        with open(body_path, "wb") as body:
            body.write(envelope(b""))
        path = "/grpc.testing.TestService/EmptyCall"
        for key, key_type in (("ECDSA", "ec"), ("RSA", "rsa:2048")):
            server = start(options.server, certificates.issue("server-" + key, "IP:127.0.0.1", key_type))
            for name, arguments, expected in cases_of(key):
                output = s_client(server, certificates.ca, arguments)
                check("s_client, %s: %s" % (key, name), expected in output, output, failures)
            code, output = curl(server, certificates.ca, ["https://%s%s" % (server.address, path)], body_path)
            check("curl --http2, " + key, code == 0 and "HTTP/2 200" in output and "grpc-status: 0" in output, output,
                  failures)
            code, output = curl(server, certificates.ca, ["http://%s%s" % (server.address, path)], body_path)
            check("curl in plaintext is told", "This port speaks TLS only" in output, output, failures)
            problem = server.stop()
            check("server", problem is None, str(problem), failures)

        # A server that was given no certificate, and a client that finds the CA which it made.
        own = dict(os.environ, TMPDIR=folder)
        server = Server([options.server, "--port=0", "--use_tls=true"], env=own)
        done = subprocess.run(
            [options.client, "--server_host=127.0.0.1", "--server_port=%d" % server.port, "--use_tls=true",
             "--use_test_ca=true", "--server_host_override=foo.test.google.fr", "--test_case=empty_unary"],
            env=own, timeout=PATIENCE_S, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        check("the test CA by default", done.returncode == 0, done.stdout, failures)
        problem = server.stop()
        check("server", problem is None, str(problem), failures)

        pair = certificates.issue("server", "IP:127.0.0.1")
        client = certificates.issue("client", "DNS:client.test.example")
        server = start(options.server, pair, ["--tls_client_ca_file=" + certificates.ca])
        url = "https://%s%s" % (server.address, path)
        code, output = curl(server, certificates.ca, ["--cert", client[0], "--key", client[1], url], body_path)
        check("curl with a client certificate", code == 0 and "grpc-status: 0" in output, output, failures)
        code, output = curl(server, certificates.ca, [url], body_path)
        check("curl without one", code != 0 and "certificate required" in output, output, failures)
        check("server", server.stop() is None, "", failures)
        check("the server's log says why", "the client sent none" in server.tail(), server.tail(), failures)

    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
