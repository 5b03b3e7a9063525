package dev.wukong.serving;

import dev.wukong.bundle.Precision;
import dev.wukong.runtime.CudaOptions;
import dev.wukong.runtime.CudaOptions.ArenaGrowth;
import dev.wukong.runtime.Device;
import dev.wukong.runtime.DeviceException;
import dev.wukong.serving.engine.EngineOptions;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * How graphs run: the settings under {@code wukong.engine}.
 *
 * @param device {@code cpu}, or GPUs with commas between, such as {@code cuda:0,cuda:1}
 * @param fallback what is done where a GPU cannot be used
 * @param threads of one run; 0: one for each processor, up to 4
 * @param runs of a model at the same time; 0: as many as its threads leave processors for, or as
 *     there are streams
 * @param spin whether idle threads of a run busy-wait
 * @param precision {@code fp32} or {@code fp16}: which of a bundle's graphs
 */
public record EngineProperties(
    @DefaultValue("cpu") String device,
    @DefaultValue("none") Fallback fallback,
    @DefaultValue("0") int threads,
    @DefaultValue("0") int runs,
    @DefaultValue("false") boolean spin,
    @DefaultValue("fp32") Precision precision,
    @DefaultValue Cuda cuda) {
  private static final Logger log = LoggerFactory.getLogger(EngineProperties.class);

  private static final int MAX_THREADS = ServingProperties.MAX_THREADS;

  /** Threads of one run beyond which several runs at once use processors better. */
  private static final int MOST_OF_RUN = 4;

  private static final int MAX_STREAMS = 16;

  /** What is done where a GPU cannot be used. */
  public enum Fallback {
    /** The service does not start. */
    NONE,
    /** It runs on the processors, and says so. */
    CPU
  }

  /**
   * How a GPU is used.
   *
   * @param memory of the GPU that one session may take; 0: all that is free
   * @param arena how sessions take memory
   * @param tf32 whether products of single precision may round their inputs
   * @param streams runs of a model at the same time on one GPU
   * @param graphs whether the common shapes of batches are recorded and launched as one
   */
  public record Cuda(
      @DefaultValue("0B") DataSize memory,
      @DefaultValue("same-as-requested") ArenaGrowth arena,
      @DefaultValue("false") boolean tf32,
      @DefaultValue("2") int streams,
      @DefaultValue("true") boolean graphs) {
    /** Of a session: with less none can be made. */
    private static final DataSize LEAST_MEMORY = DataSize.ofMegabytes(16);

    public Cuda {
      SettingException.require(
          memory.toBytes() == 0 || memory.compareTo(LEAST_MEMORY) >= 0,
          "wukong.engine.cuda.memory",
          memory,
          "are 0B (all that is free) and " + LEAST_MEMORY.toMegabytes() + "MB or more");
      SettingException.between("wukong.engine.cuda.streams", streams, 1, MAX_STREAMS);
    }
  }

  public EngineProperties {
    try {
      List<Device> _ = Device.parseAll(device);
    } catch (IllegalArgumentException e) {
      throw new SettingException(
          "wukong.engine.device is '%s', allowed are cpu, cuda:0, cuda:1, ..., and several GPUs with commas between, each once"
              .formatted(device),
          e);
    }
    SettingException.require(
        threads >= 0 && threads <= MAX_THREADS,
        "wukong.engine.threads",
        threads,
        "are 1 to %d, and 0 for one a processor, up to %d".formatted(MAX_THREADS, MOST_OF_RUN));
    SettingException.require(
        runs >= 0 && runs <= MAX_THREADS,
        "wukong.engine.runs",
        runs,
        "are 1 to %d, and 0 for as many as there are processors for".formatted(MAX_THREADS));
  }

  /** As set, whatever this machine has. */
  EngineOptions options() {
    return new EngineOptions(
        Device.parseAll(device),
        threadsOfRun(),
        spin,
        precision,
        new EngineOptions.Gpu(
            new CudaOptions(cuda.memory().toBytes(), cuda.arena(), cuda.tf32()),
            cuda.streams(),
            cuda.graphs()));
  }

  /**
   * As set, or on the processors where that is wanted and no GPU can be used.
   *
   * @throws DeviceException naming what is missing, where it is not
   */
  EngineOptions usable() {
    EngineOptions found = found();
    if (!found.onGpu() && found.precision() == Precision.FP16) {
      log.warn(
          "wukong.engine.precision is fp16, and models run on the CPU, where that takes several"
              + " times as long as fp32");
    }
    return found;
  }

  private EngineOptions found() {
    EngineOptions wanted = options();
    try {
      wanted.requireDevices();
      return wanted;
    } catch (DeviceException e) {
      return switch (fallback) {
        case NONE -> throw e;
        case CPU -> {
          log.warn("{}: running on the CPU, as wukong.engine.fallback=cpu says", e.getMessage());
          yield EngineOptions.cpu(threadsOfRun(), spin, precision);
        }
      };
    }
  }

  private int threadsOfRun() {
    return threads == 0 ? Math.min(MOST_OF_RUN, processors()) : threads;
  }

  /** Of one model, with {@code used} options. */
  int runsAtOnce(EngineOptions used) {
    if (runs > 0) {
      return runs;
    }
    return used.onGpu()
        ? used.gpu().streams() * used.devices().size()
        : Math.max(1, processors() / threadsOfRun());
  }

  private static int processors() {
    return Runtime.getRuntime().availableProcessors();
  }
}
