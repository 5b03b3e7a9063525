package dev.wukong.training;

import dev.wukong.config.ConfigException;
import dev.wukong.config.Section;
import dev.wukong.runtime.Device;

/**
 * Where the optimizers of a training run.
 *
 * @param stepsPerRun minibatches in one run of the graph; 0: as the device suggests
 * @param rowsIn where embedding rows are between runs
 */
public record StepsConfig(OptimizerIn optimizerIn, int stepsPerRun, RowsIn rowsIn) {
  /** Minibatches a run on CUDA: state crosses the bus once in these. */
  private static final int ON_CUDA = 8;

  /** Which side makes the step after the gradients. */
  public enum OptimizerIn {
    /** The device on CUDA, the host on the CPU. */
    AUTO,
    /** Java, over memory that it shares with ONNX Runtime. */
    HOST,
    /** The graph, which takes everything in and gives it out once a run. */
    GRAPH,
    /** The graph, and what it changes stays on the device. */
    DEVICE
  }

  /** Where rows are between the runs of steps whose state stays on a device. */
  public enum RowsIn {
    /** The device on CUDA, the host on the CPU. */
    AUTO,
    /** The host: those of a run come and go with it. */
    HOST,
    /** The device, where it has room. */
    DEVICE
  }

  static StepsConfig read(Section training) {
    StepsConfig result =
        new StepsConfig(
            training.choice("optimizer_in", OptimizerIn.AUTO),
            training.integer("steps_per_run", 0, 0, 1024),
            training.choice("rows_in", RowsIn.AUTO));
    if (result.optimizerIn() == OptimizerIn.HOST) {
      result.checkAlone(training.path());
    }
    return result;
  }

  boolean inGraph(Device device) {
    return switch (optimizerIn) {
      case HOST -> false;
      case GRAPH, DEVICE -> true;
      case AUTO ->
          switch (device) {
            case Device.Cpu() -> false;
            case Device.Cuda _ -> true;
          };
    };
  }

  /** Whether what steps change stays on {@code device} between them. */
  boolean onDevice(Device device) {
    return switch (optimizerIn) {
      case HOST, GRAPH -> false;
      case DEVICE -> true;
      case AUTO -> inGraph(device);
    };
  }

  /**
   * Whether rows stay on {@code device} with what else does.
   *
   * @throws ConfigException where they are to, and nothing else does
   */
  boolean rowsOnDevice(Device device) {
    if (rowsIn == RowsIn.DEVICE && !onDevice(device)) {
      throw new ConfigException(
          "training.rows_in is device, want auto or host where optimizer_in is not device");
    }
    return switch (rowsIn) {
      case HOST -> false;
      case DEVICE -> true;
      case AUTO ->
          switch (device) {
            case Device.Cpu() -> false;
            case Device.Cuda _ -> onDevice(device);
          };
    };
  }

  /**
   * Minibatches a run on {@code device}.
   *
   * @throws ConfigException where several are asked for and the host makes the steps
   */
  int perRun(Device device) {
    if (!inGraph(device)) {
      checkAlone("training");
      return 1;
    }
    int suggested =
        switch (device) {
          case Device.Cpu() -> 1;
          case Device.Cuda _ -> ON_CUDA;
        };
    return stepsPerRun > 0 ? stepsPerRun : suggested;
  }

  private void checkAlone(String path) {
    if (stepsPerRun > 1) {
      throw new ConfigException(
          path
              + ".steps_per_run is "
              + stepsPerRun
              + ", want 1 where the optimizer is not in the graph (optimizer_in: graph or device)");
    }
  }
}
