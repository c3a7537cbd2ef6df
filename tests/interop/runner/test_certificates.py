"""TestCertificates: an authority and what it issues, made by the openssl tool for one run; nothing of it is kept."""

import os
import subprocess


class TestCertificates:
    """PEM files in a folder. `ca` is the path of the root to trust."""

    def __init__(self, folder):
        self._folder = folder
        self.ca, self._ca_key = self._path("ca.pem"), self._path("ca.key")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                      "-subj", "/CN=Interop test CA", "-keyout", self._ca_key, "-out", self.ca)

    def issue(self, name, subject_alt_names, key_type="ec", days="1"):
        """The paths of a certificate's chain and of its key."""
        request, chain, key = self._path(name + ".csr"), self._path(name + ".pem"), self._path(name + ".key")
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key_type == "ec" else ["-newkey", key_type]
        self._openssl("req", *kind, "-nodes", "-subj", "/CN=" + name, "-keyout", key, "-out", request)
        extensions = self._path(name + ".ext")
        with open(extensions, "w") as file:
            file.write("subjectAltName=%s\n" % subject_alt_names)
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._ca_key, "-CAcreateserial",
                      "-days", days, "-extfile", extensions, "-out", chain)
        return chain, key

    def _path(self, name):
        return os.path.join(self._folder, name)

    @staticmethod
    def _openssl(*arguments):
        done = subprocess.run(("openssl",) + arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError("openssl %s: expected exit code 0, got %d:\n%s" %
                               (arguments[0], done.returncode, done.stdout))
