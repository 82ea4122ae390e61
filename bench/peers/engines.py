"""One call of one engine on one model: make(...) returns a function without arguments."""
import os


def _torch(model, batch, dtype, threads, compiled):
    import torch

    from models import build, noise

    torch.set_num_threads(threads)
    module = build(model)
    inputs = tuple(torch.from_numpy(array) for array in noise(model, batch))
    if dtype == "bf16":
        module, inputs = module.bfloat16(), tuple(one.bfloat16() for one in inputs)
    if compiled:
        module = torch.compile(module)

    def call():
        with torch.inference_mode():
            module(*inputs)

    return call, f"torch {torch.__version__}"


def _onnxruntime(onnx, inputs, dtype, threads):
    import onnxruntime

    if dtype != "f32":
        raise SystemExit("ONNX Runtime has no bf16 kernels for the CPU: only f32 is timed")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    feed = dict(zip(names, inputs))
    return lambda: session.run(None, feed), f"onnxruntime {onnxruntime.__version__}"


def _openvino(onnx, inputs, dtype, threads):
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
    version = openvino.__version__.split("-")[0]
    return lambda: request.infer(inputs, share_inputs=True, share_outputs=True), f"openvino {version}"


def make(engine, model, batch, dtype, threads, cache):
    """(call, engine and version). `dtype` is f32 or bf16; `cache` holds exported models."""
    if engine.startswith("torch"):
        return _torch(model, batch, dtype, threads, compiled=engine == "torch-compile")
    from models import noise, onnx_file

    onnx = os.fspath(onnx_file(model, batch, cache))
    inputs = noise(model, batch)
    run = {"openvino": _openvino, "onnxruntime": _onnxruntime}[engine]
    return run(onnx, inputs, dtype, threads)


ENGINES = ("openvino", "torch", "torch-compile", "onnxruntime")
