package dev.wukong.training;

import dev.wukong.bundle.Bundle;
import dev.wukong.bundle.Manifest;
import dev.wukong.data.EncodedRows;
import dev.wukong.data.InputLayout;
import dev.wukong.data.RowKey;
import dev.wukong.data.Scope;
import dev.wukong.data.Table;
import dev.wukong.data.UniqueRows;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** All rows of a bundle in memory, and those of them that one batch sees. One thread at a time. */
final class BundleRows implements BatchRows {
  private static final int BLOCK = 4096;

  private final InputLayout layout;
  private final Manifest manifest;
  private final UniqueRows known;
  private final UniqueRows batch;
  private final List<List<float[]>> rows = new ArrayList<>();
  private final Buffers buffers = new Buffers();

  /** Reads the rows of {@code bundle}, which may be closed afterwards. */
  BundleRows(Bundle bundle) {
    this.layout = bundle.layout();
    this.manifest = bundle.manifest();
    this.known = new UniqueRows(layout);
    this.batch = new UniqueRows(layout);
    layout.groups().forEach(group -> rows.add(new ArrayList<>()));
    for (Table table : layout.tables()) {
      int group = group(table);
      bundle.forEachRow(table, (id, row) -> store(group, RowKey.of(table.ordinal(), id), row));
    }
  }

  private int group(Table table) {
    return IntStream.range(0, layout.groups().size())
        .filter(g -> layout.groups().get(g).tables().contains(table))
        .findFirst()
        .orElseThrow();
  }

  private void store(int group, long key, FloatBuffer row) {
    int width = layout.groups().get(group).width();
    int place = known.slotOf(group, key) - 1;
    List<float[]> blocks = rows.get(group);
    if (place == blocks.size() * BLOCK) {
      blocks.add(new float[BLOCK * width]);
    }
    row.get(row.position(), blocks.get(place / BLOCK), place % BLOCK * width, width);
  }

  /** Forgets the last batch. */
  void clear() {
    batch.clear();
  }

  @Override
  public void slots(Scope scope, int group, EncodedRows encoded, int[] out) {
    batch.slots(scope, group, encoded, IntBuffer.wrap(out));
  }

  @Override
  public int size(int group) {
    return batch.size(group) + 1;
  }

  @Override
  public FloatBuffer rows(int group) {
    int width = layout.groups().get(group).width();
    int size = size(group);
    FloatBuffer buffer =
        buffers.floats(layout.groups().get(group).name(), Math.multiplyExact(size, width));
    buffer.put(0, new float[width]);
    for (int slot = 1; slot < size; slot++) {
      long key = batch.key(group, slot);
      int place = known.find(group, key) - 1;
      if (place >= 0) {
        buffer.put(slot * width, rows.get(group).get(place / BLOCK), place % BLOCK * width, width);
      } else {
        buffer.put(slot * width, defaultRow(RowKey.table(key)), 0, width);
      }
    }
    return buffer;
  }

  private float[] defaultRow(int table) {
    return manifest.defaultRow(layout.tables().get(table));
  }
}
