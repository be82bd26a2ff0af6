"""How kernels are compiled."""

__all__ = ["OPTIONS"]

# On the CPU, Warp passes structures of arrays by value, hundreds of bytes a call, unless the call is inlined: the
# threshold makes that sure (10 % of the time of a surface buffer, 15 % of an image).
OPTIONS = {
    "enable_backward": False,
    "max_unroll": 3,
    "cpu_compiler_flags": "-march=native"
    " -mllvm=-inline-threshold=1000000 -mllvm=-inline-cold-callsite-threshold=1000000",
}
