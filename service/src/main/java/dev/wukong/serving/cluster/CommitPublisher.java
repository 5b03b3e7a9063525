package dev.wukong.serving.cluster;

import dev.wukong.serving.cluster.CommitRecord.Piece;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;

/**
 * Writes commits to the brokers: all pieces, then the record that says that the commit happened.
 * After one that failed nobody knows whether it happened, so nothing more may be written by this
 * one. One thread.
 */
final class CommitPublisher implements AutoCloseable {
  private static final long MEMORY = 64L << 20;

  /** After it a commit has failed, and with it this turn. */
  private static final Duration DELIVERY = Duration.ofSeconds(20);

  private static final Duration CLOSE = Duration.ofSeconds(2);

  private final KafkaSettings settings;
  private final Producer<byte[], byte[]> producer;
  private final int partitions;

  /** One for a model's trainer. */
  CommitPublisher(KafkaSettings settings, String client) {
    this.settings = settings;
    producer = KafkaClients.producer(settings, client, MEMORY, Duration.ZERO, DELIVERY, DELIVERY);
    boolean done = false;
    try {
      partitions = producer.partitionsFor(Topic.DELTAS.in(settings)).size();
      done = true;
    } finally {
      if (!done) {
        producer.close(Duration.ZERO);
      }
    }
  }

  /**
   * Writes the pieces of a commit.
   *
   * @param sequence of the commit
   * @throws CommitException if that is not known to have been done
   */
  List<Piece> pieces(Topic topic, long epoch, long sequence, List<byte[]> pieces)
      throws InterruptedException {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (int i = 0; i < pieces.size(); i++) {
      byte[] key =
          ByteBuffer.allocate(2 * Long.BYTES + Integer.BYTES)
              .putLong(epoch)
              .putLong(sequence)
              .putInt(i)
              .array();
      sent.add(send(new ProducerRecord<>(topic.in(settings), i % partitions, key, pieces.get(i))));
    }
    List<Piece> placed = new ArrayList<>();
    for (int i = 0; i < sent.size(); i++) {
      RecordMetadata place = await(sent.get(i));
      byte[] piece = pieces.get(i);
      placed.add(
          new Piece(place.partition(), place.offset(), piece.length, CommitRecord.digest(piece)));
    }
    return placed;
  }

  /**
   * Writes a record.
   *
   * @return its offset
   * @throws CommitException if it is not known to be there
   */
  long write(CommitRecord record) throws InterruptedException {
    byte[] key = "%s/%d".formatted(record.model(), record.shard()).getBytes(StandardCharsets.UTF_8);
    return await(send(new ProducerRecord<>(Topic.COMMITS.in(settings), 0, key, record.bytes())))
        .offset();
  }

  private Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> message) {
    try {
      return producer.send(message);
    } catch (KafkaException e) {
      throw failed(e);
    }
  }

  private static RecordMetadata await(Future<RecordMetadata> sent) throws InterruptedException {
    try {
      return sent.get();
    } catch (ExecutionException e) {
      throw failed(e);
    }
  }

  private static CommitException failed(Exception e) {
    return new CommitException(
        "the brokers do not say that they have a commit: " + KafkaReasons.of(e), e);
  }

  @Override
  public void close() {
    producer.close(CLOSE);
  }
}
