package dev.wukong.training;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import dev.wukong.graph.Lowering;

/** Where graphs run: {@code cpu}, or {@code cuda:N} for the N-th GPU. */
public sealed interface Device {
  record Cpu() implements Device {
    @Override
    public String toString() {
      return "cpu";
    }
  }

  record Cuda(int index) implements Device {
    @Override
    public String toString() {
      return "cuda:" + index;
    }
  }

  /**
   * Parses {@code cpu} or {@code cuda:N}.
   *
   * @throws IllegalArgumentException for anything else
   */
  static Device parse(String text) {
    if (text.equals("cpu")) {
      return new Cpu();
    }
    if (text.matches("cuda:[0-9]{1,2}")) {
      return new Cuda(Integer.parseInt(text.substring(5)));
    }
    throw new IllegalArgumentException("device is '" + text + "', want cpu or cuda:0, cuda:1, ...");
  }

  default Lowering lowering() {
    return switch (this) {
      case Cpu() -> Lowering.CPU;
      case Cuda _ -> Lowering.CUDA;
    };
  }

  /** Adds this device's provider to {@code options}. There is no silent way back to the CPU. */
  default void configure(OrtSession.SessionOptions options) throws OrtException {
    switch (this) {
      case Cpu() -> {}
      case Cuda(int index) -> {
        if (!OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA)) {
          throw new DeviceException(
              "device 'cuda:"
                  + index
                  + "': this build holds ONNX Runtime for the CPU only, build with -Pgpu");
        }
        try (OrtCUDAProviderOptions cuda = new OrtCUDAProviderOptions(index)) {
          options.addCUDA(cuda);
        } catch (OrtException e) {
          throw new DeviceException(
              "device 'cuda:"
                  + index
                  + "': the CUDA provider does not start (driver, CUDA 12 and cuDNN 9 libraries,"
                  + " free memory?): "
                  + e.getMessage(),
              e);
        }
      }
    }
  }
}
