package dev.wukong.training;

import dev.wukong.runtime.device.BoundGraph.Binding;
import java.util.List;

/** A step from one copy of what it changes to another. */
record StepRun(List<Binding> bindings) implements AutoCloseable {
  StepRun {
    bindings = List.copyOf(bindings);
  }

  /** Gives its work to the queue. */
  void run() {
    bindings.forEach(Binding::run);
  }

  @Override
  public void close() {
    bindings.forEach(Binding::close);
  }
}
