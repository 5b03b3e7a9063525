package dev.wukong.serving.embedding;

import io.lettuce.core.ScriptOutputType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a Redis cluster says of a model whose rows one process writes there for others: a hash in
 * one slot, so that all of it changes at once. Any thread; all throw {@link StoreException}.
 *
 * <pre>
 * PREFIX:{MODEL}:mirror
 *   sequence               of the last commit whose rows are there
 *   version:BUNDLE         of the rows of a bundle with that commit
 *   state:KIND:BUNDLE      what is remembered with it; see ServedStates
 * </pre>
 */
final class RedisMirror {
  private static final String SEQUENCE = "sequence";
  private static final String VERSION = "version:";
  private static final String STATE = "state:";

  /** No commit. */
  static final long NOTHING = -1;

  /**
   * Says more, if nobody else has meanwhile. Key: the hash; arguments: the sequence that is
   * expected, how many fields go, these, then fields and their values. Returns 1, or 0 where
   * another sequence was found.
   */
  private static final RedisScript PUBLISH =
      RedisScript.of(
          """
          if (redis.call('HGET', KEYS[1], 'sequence') or '-1') ~= ARGV[1] then
            return 0
          end
          local first = 3 + tonumber(ARGV[2])
          for i = 3, first - 1 do
            redis.call('HDEL', KEYS[1], ARGV[i])
          end
          for i = first, #ARGV, 2 do
            redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
          end
          return 1
          """);

  private final RedisConnection connection;
  private final byte[] key;

  RedisMirror(RedisConnection connection, String model) {
    this.connection = connection;
    this.key = RedisKeys.ascii("%s:{%s}:mirror".formatted(connection.settings().prefix(), model));
  }

  /**
   * All of it, as it was at one moment.
   *
   * @param versions of rows, by bundle
   */
  record Held(long sequence, Map<Long, Long> versions, ServedStates states) {}

  /** What is said; empty where nothing is. */
  Optional<Held> read() {
    Map<byte[], byte[]> fields =
        connection.await(connection.commands().hgetall(key), "reading what is mirrored");
    if (fields.isEmpty()) {
      return Optional.empty();
    }
    long sequence = NOTHING;
    Map<Long, Long> versions = new HashMap<>();
    ServedStates states = new ServedStates();
    for (Map.Entry<byte[], byte[]> field : fields.entrySet()) {
      String name = new String(field.getKey(), StandardCharsets.US_ASCII);
      if (name.equals(SEQUENCE)) {
        sequence = number(field.getValue());
      } else if (name.startsWith(VERSION)) {
        versions.put(Long.valueOf(name.substring(VERSION.length())), number(field.getValue()));
      } else if (name.startsWith(STATE)) {
        states.take(place(name.substring(STATE.length())), field.getValue());
      }
    }
    return Optional.of(new Held(sequence, versions, states));
  }

  private static ServedStates.Place place(String name) {
    for (StateKind kind : StateKind.values()) {
      if (name.charAt(0) == (char) kind.code()) {
        return new ServedStates.Place(Long.parseLong(name, 2, name.length(), 10), kind);
      }
    }
    throw new StoreException("what is mirrored has a state of kind '%s'".formatted(name), null);
  }

  private static long number(byte[] text) {
    return Long.parseLong(new String(text, StandardCharsets.US_ASCII));
  }

  /** The last commit whose rows are there; {@link #NOTHING} where nothing is said. */
  long sequence() {
    byte @Nullable [] text =
        connection.await(
            connection.commands().hget(key, RedisKeys.ascii(SEQUENCE)),
            "asking how far rows are mirrored");
    return text == null ? NOTHING : number(text);
  }

  /** What is to be said at once. One thread. */
  final class Draft {
    private final List<byte[]> gone = new ArrayList<>();
    private final List<byte[]> fields = new ArrayList<>();

    void version(long bundle, long version) {
      put(VERSION + bundle, RedisKeys.ascii(Long.toString(version)));
    }

    void state(ServedStates states, ServedStates.Place place) {
      put(state(place), states.bytes(place));
    }

    /** Says nothing of a bundle any more. */
    void forget(long bundle) {
      gone.add(RedisKeys.ascii(VERSION + bundle));
      for (StateKind kind : StateKind.values()) {
        gone.add(RedisKeys.ascii(state(new ServedStates.Place(bundle, kind))));
      }
    }

    private String state(ServedStates.Place place) {
      return "%s%c:%d".formatted(STATE, (char) place.kind().code(), place.bundle());
    }

    private void put(String field, byte[] value) {
      fields.add(RedisKeys.ascii(field));
      fields.add(value);
    }

    /**
     * Says it, with the rows of commit {@code sequence} there.
     *
     * @param expected the sequence that is said now; {@link #NOTHING}: nothing is
     * @throws StoreException where another process has said something else
     */
    void publish(long expected, long sequence) {
      put(SEQUENCE, RedisKeys.ascii(Long.toString(sequence)));
      List<byte[]> arguments = new ArrayList<>();
      arguments.add(RedisKeys.ascii(Long.toString(expected)));
      arguments.add(RedisKeys.ascii(Integer.toString(gone.size())));
      arguments.addAll(gone);
      arguments.addAll(fields);
      long done =
          connection.await(
              connection.<Long>run(
                  PUBLISH,
                  ScriptOutputType.INTEGER,
                  new byte[][] {key},
                  arguments.toArray(byte[][]::new)),
              "saying what is mirrored");
      if (done != 1) {
        throw new StoreException("another process mirrors these rows, or did", null);
      }
    }
  }

  Draft draft() {
    return new Draft();
  }

  /** Says nothing any more. */
  void forget() {
    long _ = connection.await(connection.commands().del(key), "forgetting what is mirrored");
  }
}
