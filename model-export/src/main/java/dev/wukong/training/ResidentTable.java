package dev.wukong.training;

import dev.wukong.runtime.device.Accelerator;
import dev.wukong.runtime.device.DeviceBuffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.PrimitiveIterator;
import java.util.function.IntFunction;

/**
 * One group's rows on a device, each a place of the store further on than there: the first is the
 * padding row. Which of them count, {@link HeldRows} knows. Owned by the training thread.
 */
final class ResidentTable implements AutoCloseable {
  /**
   * The rows, or a slot of their optimizer's state.
   *
   * @param rows for which there is room
   * @param width floats of one
   */
  record Column(DeviceBuffer buffer, long rows, int width) {}

  private final Accelerator accelerator;
  private final RowBus bus;
  private final long capacity;
  private final List<Column> columns = new ArrayList<>();

  /** Of rows that cross the bus, and of a batch: int64. */
  private final DeviceBuffer crossing;

  private DeviceBuffer batchIndex;

  /** Rows that cross at a time. */
  private final int most;

  /**
   * Empty.
   *
   * @param widths of the columns
   */
  ResidentTable(Accelerator accelerator, RowBus bus, long capacity, List<Long> widths) {
    this.accelerator = accelerator;
    this.bus = bus;
    this.capacity = capacity;
    long widest = widths.stream().mapToLong(Long::longValue).max().orElseThrow();
    this.most = (int) Math.max(1, RowBus.BYTES / Math.max(Long.BYTES, widest * Float.BYTES));
    boolean done = false;
    List<DeviceBuffer> taken = new ArrayList<>();
    try {
      for (long width : widths) {
        taken.add(accelerator.allocate(capacity * width * Float.BYTES));
        columns.add(new Column(taken.getLast(), capacity, Math.toIntExact(width)));
      }
      taken.add(accelerator.allocate((long) most * Long.BYTES));
      crossing = taken.getLast();
      taken.add(accelerator.allocate(Long.BYTES));
      batchIndex = taken.getLast();
      done = true;
    } finally {
      if (!done) {
        taken.forEach(accelerator::free);
      }
    }
  }

  /** Rows for which there is room, the padding row included. */
  long capacity() {
    return capacity;
  }

  /** Brings those rows of a batch that are not here yet. */
  void bring(HeldRows store, BatchSlots batch) {
    BitSet wanted = new BitSet();
    for (int slot = 1; slot <= batch.size(); slot++) {
      if (!store.resident.get(batch.place(slot))) {
        wanted.set(batch.place(slot));
      }
    }
    chunks(
        wanted,
        places -> {
          for (int i = 0; i < columns.size(); i++) {
            Column column = columns.get(i);
            for (int k = 0; k < places.length; k++) {
              MemorySegment.copy(
                  store.floats(i, places[k]),
                  store.start(i, places[k]),
                  bus.host,
                  ValueLayout.JAVA_FLOAT,
                  (long) k * column.width() * Float.BYTES,
                  column.width());
            }
            bus.toDevice(bus.staging, (long) places.length * column.width() * Float.BYTES);
            bus.scatter(column, crossing, places.length, bus.staging);
          }
        });
    store.resident.or(wanted);
  }

  /** Brings home those rows that are newer here. */
  void settle(HeldRows store) {
    chunks(
        store.newer,
        places -> {
          for (int i = 0; i < columns.size(); i++) {
            Column column = columns.get(i);
            bus.gather(column, crossing, places.length, bus.staging);
            bus.toHost((long) places.length * column.width() * Float.BYTES);
            for (int k = 0; k < places.length; k++) {
              MemorySegment.copy(
                  bus.host,
                  ValueLayout.JAVA_FLOAT,
                  (long) k * column.width() * Float.BYTES,
                  store.floats(i, places[k]),
                  store.start(i, places[k]),
                  column.width());
            }
          }
        });
    store.newer.clear();
  }

  private interface Chunk {
    void move(int[] places);
  }

  /** Some places at a time; {@link #crossing} says where they are here. */
  private void chunks(BitSet places, Chunk each) {
    PrimitiveIterator.OfInt left = places.stream().iterator();
    while (left.hasNext()) {
      int[] own = new int[most];
      int count = 0;
      while (count < most && left.hasNext()) {
        own[count] = left.nextInt();
        bus.host.setAtIndex(ValueLayout.JAVA_LONG, count, own[count] + 1L);
        count++;
      }
      bus.toDevice(crossing, (long) count * Long.BYTES);
      each.move(Arrays.copyOf(own, count));
    }
  }

  /**
   * Puts the rows of a batch, all of which are here, by slots where a step reads them.
   *
   * @param to by column
   */
  void gather(BatchSlots batch, IntFunction<DeviceBuffer> to) {
    index(batch);
    for (int i = 0; i < columns.size(); i++) {
      bus.gather(columns.get(i), batchIndex, batch.size() + 1L, to.apply(i));
    }
  }

  /** Sends where the rows of each slot are. */
  private void index(BatchSlots batch) {
    long bytes = (batch.size() + 1L) * Long.BYTES;
    if (batchIndex.bytes() < bytes) {
      DeviceBuffer before = batchIndex;
      batchIndex = accelerator.allocate(bytes * 3 / 2);
      bus.await(); // The last block's rows are put back by it.
      accelerator.free(before);
    }
    int chunk = (int) (RowBus.BYTES / Long.BYTES);
    for (int from = 0; from <= batch.size(); from += chunk) {
      int count = Math.min(chunk, batch.size() + 1 - from);
      for (int i = 0; i < count; i++) {
        int slot = from + i;
        long row = slot == 0 ? 0 : batch.place(slot) + 1L;
        bus.host.setAtIndex(ValueLayout.JAVA_LONG, i, row);
      }
      long own = (long) count * Long.BYTES;
      bus.toDevice(batchIndex.slice((long) from * Long.BYTES, own), own);
    }
  }

  /**
   * Puts the rows of the batch that was gathered last back, but for the padding row.
   *
   * @param from by column
   */
  void scatter(BatchSlots batch, IntFunction<DeviceBuffer> from) {
    long count = batch.size();
    if (count == 0) {
      return;
    }
    DeviceBuffer index = batchIndex.slice(Long.BYTES, count * Long.BYTES);
    for (int i = 0; i < columns.size(); i++) {
      long row = (long) columns.get(i).width() * Float.BYTES;
      bus.scatter(columns.get(i), index, count, from.apply(i).slice(row, count * row));
    }
  }

  @Override
  public void close() {
    columns.forEach(column -> accelerator.free(column.buffer()));
    accelerator.free(crossing);
    accelerator.free(batchIndex);
  }
}
