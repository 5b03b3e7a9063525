package dev.wukong.serving.cluster;

import dev.wukong.serving.cluster.CommitOrder.Meaning;
import dev.wukong.serving.cluster.CommitRecord.Piece;
import dev.wukong.serving.hosting.ModelCommit;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Reads the commits of a model, those that happened, with all their pieces. One thread. */
final class CommitReader implements AutoCloseable {
  private static final int RECORDS = 500;

  /** Pieces of others, and of commits that did not happen, that are read over. */
  private static final long PASSED_OVER = 100;

  /** A piece that is not there by then is nowhere: its commit was written after it. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final Duration POLL = Duration.ofMillis(200);

  private final KafkaSettings settings;
  private final String model;
  private final Consumer<byte[], byte[]> records;
  private final Consumer<byte[], byte[]> pieces;
  private final TopicPartition commits;

  /** Records that were read and not looked at. */
  private final Deque<ConsumerRecord<byte[], byte[]>> waiting = new ArrayDeque<>();

  private CommitOrder order;
  private long stale;

  /** Something new. */
  sealed interface Entry {
    /** After it. */
    CommitOrder order();

    /** Somebody began to train. */
    record Begun(CommitOrder order, CommitRecord.Begun record) implements Entry {}

    /** A commit happened. */
    record Happened(CommitOrder order, CommitRecord.Made record) implements Entry {}
  }

  /** What happened after {@code order}. */
  CommitReader(KafkaSettings settings, String client, String model, CommitOrder order) {
    this.settings = settings;
    this.model = model;
    this.order = order;
    this.commits = new TopicPartition(Topic.COMMITS.in(settings), 0);
    this.records = KafkaClients.reader(settings, client + "-commits", RECORDS, KafkaClients.WAITS);
    // One by one, so that none is taken that is not wanted yet; and they are there already.
    this.pieces = KafkaClients.reader(settings, client + "-pieces", 1, Duration.ofMillis(5));
    records.assign(Set.of(commits));
    records.seek(commits, order.next());
  }

  /**
   * What comes next; null where nothing comes in time.
   *
   * @throws CommitException if it is not there any more, so that nobody can follow from here
   */
  @Nullable Entry next(Duration patience) {
    boolean polled = false;
    while (true) {
      ConsumerRecord<byte[], byte[]> message = waiting.poll();
      if (message == null) {
        if (polled) {
          return null;
        }
        poll(patience);
        polled = true;
        continue;
      }
      Entry found = look(message);
      if (found != null) {
        return found;
      }
    }
  }

  private void poll(Duration patience) {
    try {
      ConsumerRecords<byte[], byte[]> read = records.poll(patience);
      read.forEach(waiting::add);
    } catch (OffsetOutOfRangeException e) {
      long first = records.beginningOffsets(Set.of(commits)).getOrDefault(commits, 0L);
      long end = records.endOffsets(Set.of(commits)).getOrDefault(commits, 0L);
      throw new GapException(
          "commit record %d is not in %s, which goes from %d to %d"
              .formatted(order.next(), commits.topic(), first, end),
          first);
    }
  }

  private @Nullable Entry look(ConsumerRecord<byte[], byte[]> message) {
    CommitRecord record = CommitRecord.of(message.value());
    Meaning meaning = order.of(model, record);
    if (meaning == Meaning.GAP) {
      throw new GapException(
          "commits between %d and record %d of %s are missing"
              .formatted(order.sequence(), message.offset(), commits.topic()),
          message.offset());
    }
    stale += meaning == Meaning.STALE ? 1 : 0;
    order = order.after(message.offset(), record, meaning);
    return switch (meaning) {
      case OTHER, STALE, GAP -> null;
      case BEGUN ->
          record instanceof CommitRecord.Begun begun ? new Entry.Begun(order, begun) : null;
      case HAPPENED ->
          record instanceof CommitRecord.Made made ? new Entry.Happened(order, made) : null;
    };
  }

  /** After what was read last. */
  CommitOrder order() {
    return order;
  }

  /** Records of those who did not train any more. */
  long stale() {
    return stale;
  }

  /** Records that were not read, as far as is known. */
  long lag() {
    return waiting.size() + records.currentLag(commits).orElse(0);
  }

  /** Whether all that there was has been read, and that is known. */
  boolean upToDate() {
    return waiting.isEmpty() && records.currentLag(commits).orElse(1) == 0;
  }

  /**
   * A commit that happened, of all its pieces.
   *
   * @throws CommitException if they are not there, or not what was written
   */
  ModelCommit commit(CommitRecord.Made record) {
    return CommitBytes.of(
        read(Topic.DELTAS, record.served()), read(Topic.STATES, record.remembered()));
  }

  /**
   * The same without what only training remembers, which is not read.
   *
   * @throws CommitException where {@link #commit} throws it
   */
  ModelCommit served(CommitRecord.Made record) {
    return CommitBytes.ofServed(read(Topic.DELTAS, record.served()));
  }

  /**
   * The bytes of pieces, in their order.
   *
   * @throws CommitException if they are not there, or not what was written
   */
  List<byte[]> read(Topic topic, List<Piece> wanted) {
    Map<TopicPartition, Map<Long, byte[]>> found = new HashMap<>();
    Map<TopicPartition, Long> first = new HashMap<>();
    Map<TopicPartition, Long> last = new HashMap<>();
    for (Piece piece : wanted) {
      TopicPartition of = new TopicPartition(topic.in(settings), piece.partition());
      found.computeIfAbsent(of, _ -> new HashMap<>()).put(piece.offset(), new byte[0]);
      first.merge(of, piece.offset(), Math::min);
      last.merge(of, piece.offset(), Math::max);
    }
    goTo(first);
    long begun = System.nanoTime();
    while (!last.isEmpty()) {
      take(found, last);
      if (System.nanoTime() - begun > PATIENCE.toNanos() && !last.isEmpty()) {
        throw new CommitException("pieces of a commit are not read: " + last);
      }
    }
    List<byte[]> all = new ArrayList<>();
    for (Piece piece : wanted) {
      TopicPartition of = new TopicPartition(topic.in(settings), piece.partition());
      byte[] bytes = found.getOrDefault(of, Map.of()).getOrDefault(piece.offset(), new byte[0]);
      if (!piece.is(bytes)) {
        throw new CommitException(
            "the piece of a commit at offset %d of %s is not the one that was written"
                .formatted(piece.offset(), of));
      }
      all.add(bytes);
    }
    return all;
  }

  /**
   * Has these partitions alone be read, from these offsets on. Those that were read before stay
   * where they are, with what was fetched ahead of them: who catches up reads commit after commit.
   */
  private void goTo(Map<TopicPartition, Long> offsets) {
    Set<TopicPartition> all = new HashSet<>(pieces.assignment());
    Set<TopicPartition> before = Set.copyOf(all);
    if (all.addAll(offsets.keySet())) {
      pieces.assign(all);
    }
    pieces.pause(all);
    offsets.forEach(
        (of, offset) -> {
          long ahead = before.contains(of) ? offset - pieces.position(of) : -1;
          if (ahead < 0 || ahead > PASSED_OVER) {
            pieces.seek(of, offset);
          }
        });
    pieces.resume(offsets.keySet());
  }

  private void take(Map<TopicPartition, Map<Long, byte[]>> found, Map<TopicPartition, Long> last) {
    ConsumerRecords<byte[], byte[]> read;
    try {
      read = pieces.poll(POLL);
    } catch (OffsetOutOfRangeException e) {
      throw new GapException(
          "pieces of a commit are not in the topic any more: " + e.offsetOutOfRangePartitions(),
          order.next());
    }
    for (ConsumerRecord<byte[], byte[]> message : read) {
      TopicPartition of = new TopicPartition(message.topic(), message.partition());
      Map<Long, byte[]> into = found.get(of);
      if (into != null && into.containsKey(message.offset())) {
        into.put(message.offset(), message.value());
      }
    }
    last.entrySet().removeIf(one -> pieces.position(one.getKey()) > one.getValue());
    pieces.pause(found.keySet().stream().filter(of -> !last.containsKey(of)).toList());
  }

  @Override
  public void close() {
    records.close();
    pieces.close();
  }
}
