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
  /** The part of the memory that is free which rows may take. */
  private static final double SHARE = 0.5;

  private final TouchedRows rows;
  private final UpdateRule rule;
  private final List<Group> groups;
  private final Accelerator accelerator;
  private final DeviceSteps device;
  private final StreamedRows streamed;
  private final RowBus bus;

  /** By group; none: there is no room, or nothing has been asked for yet. */
  private List<ResidentTable> tables = List.of();

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
    this.rule = rule;
    this.groups = state.layout().groups();
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
    for (int group = 0; group < groups.size(); group++) {
      for (long width : widths(group)) {
        bytes += capacity(group) * width * Float.BYTES;
      }
    }
    full = bytes > SHARE * accelerator.freeBytes();
    return !full && allocate();
  }

  private boolean allocate() {
    List<ResidentTable> made = new ArrayList<>();
    try {
      for (int group = 0; group < groups.size(); group++) {
        made.add(new ResidentTable(accelerator, bus, capacity(group), widths(group)));
      }
      tables = List.copyOf(made);
    } catch (DeviceException e) { // Others took it meanwhile.
      made.forEach(ResidentTable::close);
      full = true;
    }
    return !full;
  }

  /** Rows for which there is room, half as many again as there are. */
  private long capacity(int group) {
    return rows.store(group).size * 3L / 2 + 64;
  }

  /** Floats of a row, then of each slot of its state. */
  private List<Long> widths(int group) {
    long width = groups.get(group).width();
    List<Long> widths = new ArrayList<>(List.of(width));
    rule.rows().state(Shape.of(1, width)).forEach(own -> widths.add(own.dim(-1).size()));
    return widths;
  }

  @Override
  public void give(int copy) {
    if (!here) {
      streamed.give(copy);
      return;
    }
    for (int group = 0; group < groups.size(); group++) {
      List<String> names = names(group);
      tables.get(group).bring(rows.store(group), rows.batch(group));
      tables.get(group).gather(rows.batch(group), i -> device.start(copy, names.get(i)));
      for (int i = 0; i < names.size(); i++) {
        device.zero(copy, names.get(i), rows.size(group) * widths(group).get(i) * Float.BYTES);
      }
    }
  }

  /** What a step calls the rows of a group, then the slots of their state. */
  private List<String> names(int group) {
    String name = InputNames.rows(groups.get(group));
    List<String> names = new ArrayList<>(List.of(name));
    for (int slot = 0; slot < widths(group).size() - 1; slot++) {
      names.add(StepGraph.state(slot, name));
    }
    return names;
  }

  @Override
  public void take(int copy) {
    if (!here) {
      streamed.take(copy);
      return;
    }
    for (int group = 0; group < groups.size(); group++) {
      List<String> names = names(group);
      tables.get(group).scatter(rows.batch(group), i -> device.start(copy, names.get(i)));
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
    for (int group = 0; group < groups.size(); group++) {
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
