package dev.wukong.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import java.lang.foreign.MemorySegment;
import java.util.Map;

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
    static final OrtTable TABLE = OrtTable.loaded();

    /** So that the environment outlives the library's own shutdown hook. */
    static final MemorySegment REFERENCE = EnvironmentReference.take(TABLE);

    /*
     * With telemetry the library writes files and, on a command line above 4 KB, crashes the
     * process. It reads the switch when it loads.
     */
    private static OrtEnvironment start() {
      NativeEnvironment.setIfAbsent("ORT_DISABLE_TELEMETRY", "1");
      NativeLibraries.prepare();
      return OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING, "wukong");
    }
  }

  private OnnxRuntime() {}

  /** The environment; it lives as long as the process. */
  public static OrtEnvironment environment() {
    return Holder.ENVIRONMENT;
  }

  /** The library's C interface. */
  public static OrtTable table() {
    return Holder.TABLE;
  }

  /** The environment as the C interface names it; it lives as long as the process. */
  public static MemorySegment nativeEnvironment() {
    return Holder.REFERENCE;
  }

  /** The library's version. */
  public static String version() {
    return environment().getVersion();
  }

  /**
   * As {@link #options(Device, int, boolean, CudaOptions)}, with {@link CudaOptions#DEFAULT}.
   *
   * @throws DeviceException where the device cannot be used; the message names what is missing
   */
  public static SessionOptions options(Device device, int threads, boolean spin) {
    return options(device, threads, spin, CudaOptions.DEFAULT);
  }

  /**
   * Options for a session, which the caller closes. There is no silent way back to the CPU.
   *
   * @param device where it runs
   * @param threads of the session's own pool, the calling thread included
   * @param spin whether idle threads of the pool busy-wait for work: faster on cores that nothing
   *     else wants
   * @param cuda how a GPU is used
   * @throws DeviceException where the device cannot be used; the message names what is missing
   */
  public static SessionOptions options(Device device, int threads, boolean spin, CudaOptions cuda) {
    environment(); // Making options loads the library, too.
    SessionOptions options = new SessionOptions();
    try {
      options.setOptimizationLevel(SessionOptions.OptLevel.ALL_OPT);
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.addConfigEntry("session.intra_op.allow_spinning", spin ? "1" : "0");
      switch (device) {
        case Device.Cpu() -> {}
        case Device.Cuda gpu -> addCuda(options, gpu, cuda);
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

  /**
   * Fails where graphs cannot run on {@code device}, before any is loaded.
   *
   * @throws DeviceException naming what is missing
   */
  public static void require(Device device, CudaOptions cuda) {
    options(device, 1, false, cuda).close();
  }

  /**
   * Fails where this build has no CUDA provider.
   *
   * @throws DeviceException saying so
   */
  private static void requireCudaBuild(Device.Cuda device) {
    if (!OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA)) {
      throw new DeviceException(
          ("device '%s': this build holds ONNX Runtime for the CPU only (providers: %s), build with"
                  + " -Pgpu for the one with CUDA")
              .formatted(device, OrtEnvironment.getAvailableProviders()));
    }
  }

  private static void addCuda(SessionOptions options, Device.Cuda device, CudaOptions settings) {
    requireCudaBuild(device);
    try (OrtCUDAProviderOptions cuda = new OrtCUDAProviderOptions(device.index())) {
      for (Map.Entry<String, String> setting : settings.settings().entrySet()) {
        cuda.add(setting.getKey(), setting.getValue());
      }
      options.addCUDA(cuda);
    } catch (OrtException e) {
      throw new DeviceException(
          MissingCuda.of(device, String.valueOf(e.getMessage()), MissingCuda.machine()), e);
    }
  }
}
