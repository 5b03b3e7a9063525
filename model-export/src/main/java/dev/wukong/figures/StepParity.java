package dev.wukong.figures;

import dev.wukong.bench.BenchmarkException;
import dev.wukong.bundle.SafetensorsFile;
import dev.wukong.bundle.TensorView;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * How far two implementations' tensors are apart.
 *
 * @param worst the largest norm of a difference, as a share of the other side's norm
 * @param tensor whose it is
 * @param count tensors compared
 */
record StepParity(double worst, String tensor, int count) {
  /**
   * Gradients that are nothing but rounding (those of a bias before batch normalization are 0 on
   * paper) are measured by this share of the norm of all gradients instead of by their own.
   */
  private static final double SMALL = 1e-2;

  private static final String GRADIENT = "gradient/";

  /**
   * Compares what lies in two safetensors files.
   *
   * @param ours everything to compare, and besides what the other side read: {@code weights}, and
   *     the model under {@code w/} and {@code t/}
   * @throws BenchmarkException where the files hold different tensors
   */
  static StepParity of(Path ours, Path theirs) throws IOException, BenchmarkException {
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile a = SafetensorsFile.map(ours, arena);
      SafetensorsFile b = SafetensorsFile.map(theirs, arena);
      Set<String> names = names(a);
      names.removeIf(
          name -> name.equals("weights") || name.startsWith("w/") || name.startsWith("t/"));
      if (!names.equals(names(b))) {
        throw new BenchmarkException("void: ours are " + names + ", PyTorch's are " + names(b));
      }
      double all = 0;
      for (TensorView tensor : b.tensors()) {
        if (tensor.spec().name().startsWith(GRADIENT)) {
          all += squares(tensor.floats());
        }
      }
      StepParity worst = new StepParity(0, "", names.size());
      for (String name : names) {
        List<Long> shape = a.tensor(name).spec().shape();
        if (!shape.equals(b.tensor(name).spec().shape())) {
          throw new BenchmarkException(
              "void: '%s' is %s, PyTorch's is %s"
                  .formatted(name, shape, b.tensor(name).spec().shape()));
        }
        double least = name.startsWith(GRADIENT) ? SMALL * Math.sqrt(all) : 0;
        double apart = apart(a.tensor(name).floats(), b.tensor(name).floats(), least);
        if (!(apart <= worst.worst())) {
          // A NaN is the largest of all.
          double value = Double.isNaN(apart) ? Double.MAX_VALUE : apart;
          worst = new StepParity(value, name, names.size());
        }
      }
      return worst;
    }
  }

  private static Set<String> names(SafetensorsFile file) {
    return file.tensors().stream()
        .map(tensor -> tensor.spec().name())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static double squares(FloatBuffer values) {
    double sum = 0;
    for (int i = 0; i < values.remaining(); i++) {
      sum += (double) values.get(i) * values.get(i);
    }
    return sum;
  }

  private static double apart(FloatBuffer a, FloatBuffer b, double least) {
    double sum = 0;
    for (int i = 0; i < a.remaining(); i++) {
      double difference = (double) a.get(i) - b.get(i);
      sum += difference * difference;
    }
    return Math.sqrt(sum) / Math.max(Math.sqrt(squares(b)), Math.max(least, Double.MIN_NORMAL));
  }
}
