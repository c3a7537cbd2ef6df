"""optimized_binary: a binary built with -c opt, whatever the build around it is.

For what is measured inside a test: `bazel test` builds everything without optimization, where a measure says nothing.
"""

def _optimized_impl(settings, attr):
    return {"//command_line_option:compilation_mode": "opt"}

_optimized = transition(
    implementation = _optimized_impl,
    inputs = [],
    outputs = ["//command_line_option:compilation_mode"],
)

def _optimized_binary_impl(ctx):
    link = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = link, target_file = ctx.executable.binary, is_executable = True)
    return [DefaultInfo(executable = link, runfiles = ctx.attr.binary[0][DefaultInfo].default_runfiles)]

optimized_binary = rule(
    doc = "`binary`, built with -c opt and otherwise as the command line says.",
    implementation = _optimized_binary_impl,
    attrs = {
        "binary": attr.label(mandatory = True, executable = True, cfg = _optimized),
        # Bazel wants to see it on every rule with a transition.
        "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
    },
    executable = True,
)
