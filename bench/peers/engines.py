"""One call of one engine on one model: make(...) returns a function without arguments."""
import os


def _torch(model, batch, dtype, threads, compiled):
    import torch

    from models import build

    torch.set_num_threads(threads)
    module, shape = build(model)
    pixels = torch.randn(batch, *shape)
    if dtype == "bf16":
        module, pixels = module.bfloat16(), pixels.bfloat16()
    if compiled:
        module = torch.compile(module)

    def call():
        with torch.inference_mode():
            module(pixels)

    return call, f"torch {torch.__version__}"


def _onnxruntime(onnx, dtype, threads):
    import numpy as np
    import onnxruntime

    if dtype != "f32":
        raise SystemExit("ONNX Runtime has no bf16 kernels for the CPU: only f32 is timed")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    feed = {entry.name: np.random.default_rng(0).standard_normal(entry.shape, dtype=np.float32)}
    return lambda: session.run(None, feed), f"onnxruntime {onnxruntime.__version__}"


def _openvino(onnx, dtype, threads):
    import numpy as np
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": dtype,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
    }
    compiled = openvino.Core().compile_model(onnx, "CPU", settings)
    ran_as = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    if ran_as != dtype:
        raise SystemExit(f"OpenVINO was asked for {dtype} and took {ran_as}: not comparable")
    request = compiled.create_infer_request()
    shape = list(compiled.inputs[0].shape)
    feed = [np.random.default_rng(0).standard_normal(shape, dtype=np.float32)]
    version = openvino.__version__.split("-")[0]
    return lambda: request.infer(feed, share_inputs=True, share_outputs=True), f"openvino {version}"


def make(engine, model, batch, dtype, threads, cache):
    """(call, engine and version). `dtype` is f32 or bf16; `cache` holds exported models."""
    if engine.startswith("torch"):
        return _torch(model, batch, dtype, threads, compiled=engine == "torch-compile")
    from models import onnx_file

    onnx = os.fspath(onnx_file(model, batch, cache))
    return {"openvino": _openvino, "onnxruntime": _onnxruntime}[engine](onnx, dtype, threads)


ENGINES = ("openvino", "torch", "torch-compile", "onnxruntime")
