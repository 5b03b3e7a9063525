package dev.wukong.training;

import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.DeviceBuffer;
import dev.wukong.runtime.device.Place;
import dev.wukong.runtime.device.WorkQueue;
import dev.wukong.training.StepBorder.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A device's memory for steps, by name: what they change, in copies, and what they take and give
 * besides. Weights that are updated as vectors lie end to end. Owned by the training thread.
 */
final class StepMemory implements AutoCloseable {
  /** Of all that steps change; see {@link DeviceStepper}. */
  static final int COPIES = 3;

  private final Accelerator accelerator;
  private final WorkQueue queue;
  private final List<Map<String, DeviceBuffer>> copies = new ArrayList<>();
  private final Map<String, DeviceBuffer> single = new HashMap<>();

  /** What was allocated, of which others may be parts. */
  private final List<DeviceBuffer> owned = new ArrayList<>();

  StepMemory(Accelerator accelerator, WorkQueue queue, Optional<FlatUpdate> flat) {
    this.accelerator = accelerator;
    this.queue = queue;
    for (int copy = 0; copy < COPIES; copy++) {
      copies.add(new HashMap<>());
    }
    boolean done = false;
    try {
      flat.ifPresent(this::lay);
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  private void lay(FlatUpdate update) {
    copies.forEach(copy -> update.kept().forEach(vector -> lay(copy, update, vector)));
    update.given().forEach(vector -> lay(single, update, vector));
    update.scalars().forEach(scalar -> single.put(scalar, allocate(Float.BYTES)));
  }

  private void lay(Map<String, DeviceBuffer> places, FlatUpdate update, String vector) {
    DeviceBuffer whole = allocate(update.length() * Float.BYTES);
    places.put(vector, whole);
    update
        .parts()
        .forEach(
            (weight, part) -> {
              DeviceBuffer own =
                  whole.slice(part.start() * Float.BYTES, part.length() * Float.BYTES);
              places.put(FlatUpdate.member(vector, weight), own);
            });
  }

  private DeviceBuffer allocate(long bytes) {
    DeviceBuffer buffer = accelerator.allocate(bytes);
    owned.add(buffer);
    return buffer;
  }

  /**
   * Makes room; what is in it stays where there was enough.
   *
   * @param changing what steps change
   * @param rest what they take and give besides
   */
  void room(Map<String, Tensors> changing, Map<String, Tensors> rest) {
    for (Map<String, DeviceBuffer> copy : copies) {
      changing.forEach((name, tensor) -> room(copy, name, tensor));
    }
    rest.forEach((name, tensor) -> room(single, name, tensor));
  }

  private void room(Map<String, DeviceBuffer> places, String name, Tensors tensor) {
    long bytes = Place.bytes(tensor.element(), tensor.shape());
    DeviceBuffer before = places.get(name);
    if (before != null && before.bytes() >= bytes) {
      return;
    }
    if (before != null) {
      queue.await();
      places.remove(name);
      owned.remove(before);
      accelerator.free(before);
    }
    places.put(name, allocate(bytes));
  }

  /** Where a copy of what steps change is. */
  DeviceBuffer copy(int copy, String name) {
    return Objects.requireNonNull(copies.get(copy).get(name), name);
  }

  /** Where something is of which there is one. */
  DeviceBuffer single(String name) {
    return Objects.requireNonNull(single.get(name), name);
  }

  /** Gives all of it back; the queue is done. */
  @Override
  public void close() {
    owned.forEach(accelerator::free);
  }
}
