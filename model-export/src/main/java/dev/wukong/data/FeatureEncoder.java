package dev.wukong.data;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Turns raw values into ids and numbers: the one implementation for training and serving. It has
 * two doors, the rows of a file ({@link #bind}) and the columns of a request ({@link #encode}); in
 * both an id space maps its values in one way. Immutable, safe for all threads.
 *
 * <p>Everywhere an empty string and an empty list are absent values.
 */
public final class FeatureEncoder {
  /** The most rows of one block. */
  public static final int MAX_ROWS = 1 << 20;

  /** The most bytes of one string. */
  public static final int MAX_STRING = 1024;

  /** The largest weight of a value. */
  public static final float MAX_WEIGHT = 1e9f;

  private final Schema schema;
  private final Map<String, Vocabulary> vocabularies;
  private final Map<String, IdMapper> mappers = new LinkedHashMap<>();
  private final ScopeColumns context;
  private final ScopeColumns candidate;

  /**
   * The encoder of {@code schema}.
   *
   * @param vocabularies by id space, one for every space whose ids are a vocabulary
   * @throws DataException if one is missing or has the wrong type
   */
  public FeatureEncoder(Schema schema, Map<String, Vocabulary> vocabularies) {
    this.schema = schema;
    this.vocabularies = Map.copyOf(vocabularies);
    for (Feature feature : schema.features()) {
      if (feature instanceof IdFeature ids && !mappers.containsKey(ids.idSpace())) {
        mappers.put(ids.idSpace(), mapper(ids, vocabularies.get(ids.idSpace())));
      }
    }
    this.context = new ScopeColumns(schema, Scope.CONTEXT, this::mapper);
    this.candidate = new ScopeColumns(schema, Scope.CANDIDATE, this::mapper);
  }

  private static IdMapper mapper(IdFeature feature, @Nullable Vocabulary vocabulary) {
    return switch (feature.mapping()) {
      case IdMapping.Vocabulary _ -> {
        if (vocabulary == null) {
          throw new DataException(
              "id space '%s' (feature '%s') has no vocabulary"
                  .formatted(feature.idSpace(), feature.name()));
        }
        if (vocabulary.type() != feature.type()) {
          throw new DataException(
              "vocabulary of id space '%s' holds %s values; feature '%s' has %s"
                  .formatted(feature.idSpace(), vocabulary.type(), feature.name(), feature.type()));
        }
        yield new IdMapper.ByVocabulary(vocabulary);
      }
      case IdMapping.Hash hash -> IdMapper.ByHash.of(hash);
      case IdMapping.Buckets buckets -> new IdMapper.ByBoundary(buckets);
    };
  }

  public Schema schema() {
    return schema;
  }

  /** By id space. */
  public Map<String, Vocabulary> vocabularies() {
    return vocabularies;
  }

  /** The id of an int64 value of {@code feature}. */
  public long idOf(IdFeature feature, long value) {
    return mapper(feature).idOf(value);
  }

  /** The same of a text. */
  public long idOf(IdFeature feature, String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    return mapper(feature).idOf(MemorySegment.ofArray(utf8), 0, utf8.length);
  }

  private IdMapper mapper(IdFeature feature) {
    IdMapper mapper = mappers.get(feature.idSpace());
    if (mapper == null) {
      throw new IllegalArgumentException(
          "schema '%s' has no id space '%s'".formatted(schema.name(), feature.idSpace()));
    }
    return mapper;
  }

  /**
   * How many ids {@code idSpace} has, 0 to n - 1, for training the whole table; empty for the
   * unbounded hash.
   */
  public OptionalLong rowsIn(String idSpace) {
    return mapper(schema.ofSpace(idSpace)).rows();
  }

  /** Id positions of a row of {@code scope}. */
  public int positions(Scope scope) {
    return columns(scope).positions();
  }

  /** Columns of a row's numbers in {@code scope}, presence columns included. */
  public int denseWidth(Scope scope) {
    return columns(scope).denseWidth();
  }

  /** Whether rows of {@code scope} carry weights. */
  public boolean weighted(Scope scope) {
    return columns(scope).weighted();
  }

  /** Room for {@code rows} rows of {@code scope}. */
  public EncodedRows allocate(Scope scope, int rows) {
    ScopeColumns columns = columns(scope);
    int positions = Math.multiplyExact(rows, columns.positions());
    return new EncodedRows(
        rows,
        new long[positions],
        new float[columns.weighted() ? positions : 0],
        new float[Math.multiplyExact(rows, columns.denseWidth())]);
  }

  /**
   * Copies {@code count} rows of {@code scope} from row {@code row} of {@code from} to row {@code
   * at} of {@code to} and on.
   */
  public void copy(Scope scope, EncodedRows from, int row, int count, EncodedRows to, int at) {
    ScopeColumns columns = columns(scope);
    int ids = columns.positions();
    int dense = columns.denseWidth();
    System.arraycopy(from.ids(), row * ids, to.ids(), at * ids, count * ids);
    if (columns.weighted()) {
      System.arraycopy(from.weights(), row * ids, to.weights(), at * ids, count * ids);
    }
    System.arraycopy(from.dense(), row * dense, to.dense(), at * dense, count * dense);
  }

  /**
   * The rows of a request's block.
   *
   * @throws DataException if a length or a value is wrong; the message names the field, the row and
   *     what is allowed
   */
  public EncodedRows encode(Scope scope, WireBlock block, EncodingCounts counts) {
    return encode(scope, block, counts, allocate(scope, 0));
  }

  /**
   * The same in the arrays of {@code room} where they are long enough, else in longer ones.
   *
   * @throws DataException as above
   */
  public EncodedRows encode(Scope scope, WireBlock block, EncodingCounts counts, EncodedRows room) {
    ScopeColumns columns = columns(scope);
    WireDecoder decoder = new WireDecoder(columns, block);
    int positions = Math.multiplyExact(block.rows(), columns.positions());
    int weights = columns.weighted() ? positions : 0;
    int dense = Math.multiplyExact(block.rows(), columns.denseWidth());
    EncodedRows target =
        new EncodedRows(
            block.rows(),
            room.ids().length >= positions ? room.ids() : new long[positions],
            room.weights().length >= weights ? room.weights() : new float[weights],
            room.dense().length >= dense ? room.dense() : new float[dense]);
    decoder.decode(target, counts);
    return target;
  }

  /**
   * The reader of {@code source}'s rows, features only.
   *
   * @throws DataException if the source lacks a feature's column
   */
  public RowEncoder bind(RowSource source) {
    return new RowEncoder(List.of(context, candidate), List.of(), source);
  }

  /**
   * The reader of {@code source}'s rows with the labels of all tasks.
   *
   * @throws DataException if the source lacks a feature's or a task's column
   */
  public RowEncoder bindLabelled(RowSource source) {
    return new RowEncoder(List.of(context, candidate), schema.tasks(), source);
  }

  ScopeColumns columns(Scope scope) {
    return switch (scope) {
      case CONTEXT -> context;
      case CANDIDATE -> candidate;
    };
  }

  /** Fills row {@code row} of {@code target} as if every value were absent. */
  static void clear(ScopeColumns columns, EncodedRows target, int row) {
    int positions = columns.positions();
    Arrays.fill(target.ids(), row * positions, (row + 1) * positions, RowKey.NONE);
    if (columns.weighted()) {
      Arrays.fill(target.weights(), row * positions, (row + 1) * positions, 1);
      for (ScopeColumns.Ids ids : columns.ids()) {
        if (ids.feature().weighted()) {
          int from = row * positions + ids.position();
          Arrays.fill(target.weights(), from, from + ids.feature().maxIds(), 0);
        }
      }
    }
    int width = columns.denseWidth();
    Arrays.fill(target.dense(), row * width, (row + 1) * width, 0);
  }
}
