package dev.wukong.serving.embedding;

import dev.wukong.data.RowKey;
import dev.wukong.data.UniqueRows;
import dev.wukong.serving.inputs.ModelInputs;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a tier as they are at one version, whatever comes after it. Any thread may copy rows;
 * it waits while the reader threads read those that are not there yet, so the caller should be a
 * thread that may wait. What they cannot read in time is served by default rows.
 */
public final class TierView implements AutoCloseable {
  private static final int[] NONE_MISSING = {};

  /** Rows whose places are looked up before any of them is copied. */
  private static final int CHUNK = 256;

  /** Of so many rows that were read one is told to the cache. */
  private static final int SAMPLE = 16;

  private final EmbeddingTier tier;
  private final int version;
  private final RowReader reader;
  private final RowSource source;
  private final RowLoads loads;

  /** Rows that are seen instead of the tier's; null: none. */
  private final RowOverlay.@Nullable View over;

  /** The owner's hold and those of reads under way. At 0 it is closed. */
  private final AtomicInteger holds = new AtomicInteger(1);

  /** Opened by its tier. */
  TierView(
      EmbeddingTier tier,
      int version,
      RowReader reader,
      RowSource source,
      RowOverlay.@Nullable View over) {
    this.over = over;
    this.tier = tier;
    this.version = version;
    this.reader = reader;
    this.source = source;
    this.loads = new RowLoads(this, reader, source);
  }

  /** The tier whose rows these are. */
  public EmbeddingTier tier() {
    return tier;
  }

  /** The newest version of a row that counts. */
  public int version() {
    return version;
  }

  /** Whether the row of {@code key} is in memory now. */
  boolean resident(int group, long key) {
    ResidentTable table = tier.group(group).table();
    int section = table.enter();
    try {
      return table.find(key, version) >= 0;
    } finally {
      table.leave(section);
    }
  }

  /**
   * Copies the rows of all keys of {@code slots} to their slots in {@code target}. A key without a
   * row takes its table's default row.
   *
   * @param until a {@link System#nanoTime}: so long it waits for rows that are not in memory
   * @return the slots that took a default row; null where there are none
   */
  @Nullable Defaulted copyRows(int group, UniqueRows slots, ModelInputs target, long until) {
    ResidentRows rows = tier.group(group);
    ResidentTable table = rows.table();
    int count = slots.size(group);
    RowTarget to = RowTarget.of(target, group, count, table);
    int most = Math.min(count, CHUNK);
    int[] places = new int[most];
    long[] keys = new long[most];
    RowTally tally = new RowTally(tier.tables().size());
    int[] missing = NONE_MISSING;
    int missed = 0;
    int section = table.enter();
    try {
      // All entries of a chunk, then all places, then all rows: so none waits for its memory alone.
      for (int first = 1; first <= count; first += CHUNK) {
        int many = Math.min(CHUNK, count - first + 1);
        slots.keys(group, first, many, keys);
        table.touch(keys, many);
        tally.asked(keys, many); // While the processor fetches.
        table.find(keys, many, version, places);
        to.copy(places, many, first);
        if (over != null) {
          over.copy(group, keys, many, places, to, first); // After it: whole blocks are copied.
        }
        for (int i = 0; i < many; i++) {
          if (places[i] < 0 && places[i] != RowOverlay.TAKEN) {
            if (missed == missing.length) {
              missing = Arrays.copyOf(missing, Math.max(16, 2 * missed));
            }
            missing[missed++] = places[i] == ResidentTable.NONE ? first + i : -(first + i);
          }
        }
      }
    } finally {
      table.leave(section);
    }
    if (rows.changes()) {
      tellSample(rows, group, slots);
    }
    Defaulted without =
        missed == 0 ? null : copyMissing(group, slots, missing, missed, to, until, tally);
    source.meters().count(tier.tables(), tally);
    return without;
  }

  /** Rows that many requests read are told often: each gives some of its own. */
  private void tellSample(ResidentRows rows, int group, UniqueRows slots) {
    int first = 1 + (rows.nextTurn() & (SAMPLE - 1));
    int count = Math.max(0, (slots.size(group) - first + SAMPLE) / SAMPLE);
    if (count == 0) {
      return;
    }
    long[] keys = new long[count];
    for (int i = 0; i < count; i++) {
      keys[i] = slots.key(group, first + i * SAMPLE);
    }
    source.threads().sample(count, () -> rows.read(keys, count));
  }

  /**
   * Copies rows that are not in memory.
   *
   * @param missing their slots; negative where it is known that there is no row
   */
  private @Nullable Defaulted copyMissing(
      int group,
      UniqueRows slots,
      int[] missing,
      int count,
      RowTarget to,
      long until,
      RowTally tally) {
    ResidentRows resident = tier.group(group);
    BitSet without = new BitSet();
    BitSet unread = new BitSet();
    long[] keys = new long[count];
    int[] asked = new int[count];
    int many = 0;
    for (int i = 0; i < count; i++) {
      if (tier.complete() || missing[i] < 0) {
        int slot = Math.abs(missing[i]);
        without.set(slot);
        tally.absent(slots.key(group, slot));
      } else {
        keys[many] = slots.key(group, missing[i]);
        asked[many++] = missing[i];
      }
    }
    if (many > 0) {
      loads.read(
          resident,
          Arrays.copyOf(keys, many),
          until,
          (i, fate, rows, offset) -> {
            long key = slots.key(group, asked[i]);
            switch (fate) {
              case FOUND -> {
                to.copy(rows, offset, asked[i]);
                tally.stored(key);
              }
              case ABSENT -> {
                without.set(asked[i]);
                tally.absent(key);
              }
              case UNREAD -> {
                without.set(asked[i]);
                unread.set(asked[i]);
                tally.unread(key);
              }
            }
          });
    }
    for (int slot = without.nextSetBit(0); slot >= 0; slot = without.nextSetBit(slot + 1)) {
      int table = RowKey.table(slots.key(group, slot));
      to.copy(resident.table(), tier.defaultPlace(table), slot);
    }
    return without.isEmpty() ? null : new Defaulted(without, unread);
  }

  /** Keeps it open until {@link #letGo}. Only where it is open for sure. */
  void hold() {
    holds.incrementAndGet();
  }

  /** Ends what {@link #hold} began. */
  void letGo() {
    if (holds.decrementAndGet() == 0) {
      reader.close();
      if (over != null) {
        over.close();
      }
      tier.closed(this);
    }
  }

  /** Not while rows are copied; reads of the store that nobody waits for any more may go on. */
  @Override
  public void close() {
    letGo();
  }
}
