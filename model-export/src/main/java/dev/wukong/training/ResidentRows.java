package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Group;
import dev.wukong.data.InputNames;
import dev.wukong.graph.Shape;
import dev.wukong.objective.StepGraph;
import dev.wukong.objective.UpdateRule;
import dev.wukong.runtime.DeviceException;
import dev.wukong.runtime.device.Accelerator;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows that stay on the device once steps have met them, with their optimizer's state: a block's
 * rows are gathered there, and what steps made of them is put back there. Only rows that the device
 * has not got yet cross the bus, and those that somebody on the host wants to see. Where the device
 * has no room, and for a block with ids that have no row, they are streamed.
 */
final class ResidentRows implements BlockRows {
  private static final System.Logger log = System.getLogger(ResidentRows.class.getName());

  /** The part of the memory that is free which rows may take. */
  private static final double SHARE = 0.5;

  private final TouchedRows rows;
  private final Accelerator accelerator;
  private final DeviceSteps device;
  private final StreamedRows streamed;
  private final RowBus bus;

  /** By group; none: there is no room, or nothing has been asked for yet. */
  private List<ResidentTable> tables = List.of();

  /** By group: what a step calls its rows, then each slot of their state. */
  private final List<List<String>> names = new ArrayList<>();

  /** By group: floats of a row, then of each slot of its state. */
  private final List<List<Long>> widths = new ArrayList<>();

  private boolean full;
  private boolean here;

  ResidentRows(
      TrainState state,
      TouchedRows rows,
      UpdateRule rule,
      Accelerator accelerator,
      DeviceSteps device,
      RowBus bus) {
    this.rows = rows;
    for (Group group : state.layout().groups()) {
      String name = InputNames.rows(group);
      List<String> called = new ArrayList<>(List.of(name));
      List<Long> wide = new ArrayList<>(List.of((long) group.width()));
      for (Shape slot : rule.rows().state(Shape.of(1, group.width()))) {
        called.add(StepGraph.state(called.size() - 1, name));
        wide.add(slot.dim(-1).size());
      }
      names.add(List.copyOf(called));
      widths.add(List.copyOf(wide));
    }
    this.accelerator = accelerator;
    this.device = device;
    this.streamed = new StreamedRows(state, rule, device);
    this.bus = bus;
    rows.mirror(this::settle);
  }

  @Override
  public void bind(EncodedExamples block) {
    here = rows.find(block, true) && room();
    if (!here) {
      rows.fill();
    }
  }

  /** Makes room for all rows that the host has; whether there is. */
  private boolean room() {
    boolean enough = !tables.isEmpty();
    for (int group = 0; group < tables.size(); group++) {
      enough &= tables.get(group).capacity() > rows.store(group).size;
    }
    if (enough || full) {
      return enough;
    }
    release();
    long bytes = 0;
    for (int group = 0; group < names.size(); group++) {
      for (long width : widths.get(group)) {
        bytes += capacity(group) * width * Float.BYTES;
      }
    }
    long free = accelerator.freeBytes();
    full = bytes > SHARE * free;
    if (full) {
      log.log(
          System.Logger.Level.INFO,
          "device ''{0}'': rows come and go from now on: all would take {1} MiB, and {2} are free",
          accelerator.device(),
          bytes >> 20,
          free >> 20);
    }
    return !full && allocate();
  }

  private boolean allocate() {
    List<ResidentTable> made = new ArrayList<>();
    try {
      for (int group = 0; group < names.size(); group++) {
        made.add(new ResidentTable(accelerator, bus, capacity(group), widths.get(group)));
      }
      tables = List.copyOf(made);
    } catch (DeviceException e) { // Others took it meanwhile.
      made.forEach(ResidentTable::close);
      full = true;
      log.log(System.Logger.Level.INFO, "rows come and go from now on: {0}", e.getMessage());
    }
    return !full;
  }

  /** Rows for which there is room, half as many again as there are. */
  private long capacity(int group) {
    return rows.store(group).size * 3L / 2 + 64;
  }

  @Override
  public void give(int copy) {
    if (!here) {
      streamed.give(copy);
      return;
    }
    for (int group = 0; group < names.size(); group++) {
      List<String> called = names.get(group);
      tables.get(group).bring(rows.store(group), rows.batch(group));
      tables.get(group).gather(rows.batch(group), i -> device.start(copy, called.get(i)));
      for (int i = 0; i < called.size(); i++) {
        device.zero(copy, called.get(i), rows.size(group) * widths.get(group).get(i) * Float.BYTES);
      }
    }
  }

  @Override
  public void take(int copy) {
    if (!here) {
      streamed.take(copy);
      return;
    }
    for (int group = 0; group < names.size(); group++) {
      List<String> called = names.get(group);
      tables.get(group).scatter(rows.batch(group), i -> device.start(copy, called.get(i)));
    }
    rows.changedThere();
  }

  /** Brings home what is newer on the device. */
  private void settle() {
    for (int group = 0; group < tables.size(); group++) {
      if (!rows.store(group).newer.isEmpty()) {
        device.enter();
        tables.get(group).settle(rows.store(group));
      }
    }
  }

  /** Gives the tables back; what was newer there is home then. */
  private void release() {
    settle();
    device.await();
    tables.forEach(ResidentTable::close);
    tables = List.of();
    for (int group = 0; group < names.size(); group++) {
      rows.store(group).resident.clear();
    }
  }

  @Override
  public void close() {
    try (bus) {
      tables.forEach(ResidentTable::close);
    }
  }
}
