package dev.wukong.training;

import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.BoundGraph;
import dev.wukong.runtime.device.BoundGraph.Binding;
import dev.wukong.runtime.device.DeviceBuffer;
import dev.wukong.runtime.device.Element;
import dev.wukong.runtime.device.GraphOptions;
import dev.wukong.runtime.device.Place;
import dev.wukong.runtime.device.WorkQueue;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Moves rows within a device's memory, and between it and the host through memory of one size.
 * Owned by the training thread.
 */
final class RowBus implements AutoCloseable {
  /** Of rows that cross at a time. */
  static final long BYTES = 16L << 20;

  private final WorkQueue queue;
  private final Opened opened;
  private final BoundGraph gather;
  private final BoundGraph scatter;

  /** Where rows lie between host and table, on both sides. */
  final MemorySegment host;

  final DeviceBuffer staging;

  RowBus(Accelerator accelerator, WorkQueue queue, GraphOptions options) {
    this.queue = queue;
    try (Opened parts = new Opened()) {
      queue.enter();
      gather = parts.add(BoundGraph.load(RowGraphs.gather(), accelerator.device(), queue, options));
      scatter =
          parts.add(BoundGraph.load(RowGraphs.scatter(), accelerator.device(), queue, options));
      MemorySegment segment = accelerator.allocateHost(BYTES);
      parts.add(() -> accelerator.freeHost(segment));
      host = segment;
      DeviceBuffer buffer = accelerator.allocate(BYTES);
      parts.add(() -> accelerator.free(buffer));
      staging = buffer;
      opened = parts.moved();
    }
  }

  /** Puts the rows of a table that an index names, int64 [count], to {@code to}. */
  void gather(ResidentTable.Column table, DeviceBuffer index, long count, DeviceBuffer to) {
    Place named = new Place("index", Element.INT64, new long[] {count}, index);
    try (Binding binding =
        gather.bind(List.of(table(table, "table"), named), List.of(rows(table, count, to)))) {
      binding.run();
    }
  }

  /** Puts rows from {@code from} where an index of distinct rows says. */
  void scatter(ResidentTable.Column table, DeviceBuffer index, long count, DeviceBuffer from) {
    Place named = new Place("index", Element.INT64, new long[] {count, 1}, index);
    try (Binding binding =
        scatter.bind(
            List.of(table(table, "table"), named, rows(table, count, from)),
            List.of(table(table, "changed")))) {
      binding.run();
    }
  }

  private static Place table(ResidentTable.Column table, String name) {
    long[] shape = {table.rows(), table.width()};
    return new Place(name, Element.FLOAT32, shape, table.buffer());
  }

  private static Place rows(ResidentTable.Column table, long count, DeviceBuffer buffer) {
    return new Place("rows", Element.FLOAT32, new long[] {count, table.width()}, buffer);
  }

  /** Copies the first bytes of {@link #host} to a buffer. */
  void toDevice(DeviceBuffer to, long bytes) {
    queue.toDevice(to, host, bytes);
    queue.await();
  }

  /** Copies bytes of the staging buffer to the host. */
  void toHost(long bytes) {
    queue.toHost(host, staging, bytes);
    queue.await();
  }

  /** Waits until all rows are where they were to be moved. */
  void await() {
    queue.await();
  }

  @Override
  public void close() {
    opened.close();
  }
}
