package dev.wukong.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;

/**
 * The one door to ONNX Runtime in this process: no class of its library is touched before this one.
 * Any thread.
 */
public final class OnnxRuntime {
  /** The system property that says where its native libraries are kept unpacked. */
  public static final String LIBRARY_CACHE = NativeLibraries.CACHE;

  /** The environment, made on first use and not before, as making it loads the library. */
  private static final class Holder {
    static final OrtEnvironment ENVIRONMENT = start();

    /*
     * With telemetry the library writes files and, on a command line above 4 KB, crashes the
     * process. It reads the switch when it loads.
     */
    private static OrtEnvironment start() {
      NativeEnvironment.setIfAbsent("ORT_DISABLE_TELEMETRY", "1");
      NativeLibraries.prepare();
      OrtEnvironment environment =
          OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING, "wukong");
      EnvironmentReference.take();
      return environment;
    }
  }

  private OnnxRuntime() {}

  /** The environment; it lives as long as the process. */
  public static OrtEnvironment environment() {
    return Holder.ENVIRONMENT;
  }

  /** The library's version. */
  public static String version() {
    return environment().getVersion();
  }

  /**
   * Options for a session, which the caller closes. There is no silent way back to the CPU.
   *
   * @param device where it runs
   * @param threads of the session's own pool, the calling thread included
   * @param spin whether idle threads of the pool busy-wait for work: faster on cores that nothing
   *     else wants
   * @throws DeviceException where the device cannot be used; the message names what is missing
   */
  public static SessionOptions options(Device device, int threads, boolean spin) {
    environment(); // Making options loads the library, too.
    SessionOptions options = new SessionOptions();
    try {
      options.setOptimizationLevel(SessionOptions.OptLevel.ALL_OPT);
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.addConfigEntry("session.intra_op.allow_spinning", spin ? "1" : "0");
      switch (device) {
        case Device.Cpu() -> {}
        case Device.Cuda cuda -> addCuda(options, cuda);
      }
      return options;
    } catch (DeviceException e) {
      options.close();
      throw e;
    } catch (OrtException e) {
      options.close();
      throw new DeviceException("device '%s': %s".formatted(device, e.getMessage()), e);
    }
  }

  private static void addCuda(SessionOptions options, Device.Cuda device) {
    if (!OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA)) {
      throw new DeviceException(
          ("device '%s': this build holds ONNX Runtime for the CPU only (providers: %s), build with"
                  + " -Pgpu for the one with CUDA")
              .formatted(device, OrtEnvironment.getAvailableProviders()));
    }
    try (OrtCUDAProviderOptions cuda = new OrtCUDAProviderOptions(device.index())) {
      options.addCUDA(cuda);
    } catch (OrtException e) {
      throw new DeviceException(
          ("device '%s': the CUDA provider does not start (an NVIDIA driver, that GPU, CUDA 12 and"
                  + " cuDNN 9 on the library path, free memory?): %s")
              .formatted(device, e.getMessage()),
          e);
    }
  }
}
