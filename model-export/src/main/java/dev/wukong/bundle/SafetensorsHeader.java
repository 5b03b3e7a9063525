package dev.wukong.bundle;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The header of a safetensors file, every claim of which has been checked against the file's size.
 */
record SafetensorsHeader(List<Entry> entries) {
  static final String METADATA = "__metadata__";

  /** The reference reader allows 100 MB; no file of a bundle needs more than this. */
  static final int MAX_BYTES = 1 << 20;

  static final int MAX_TENSORS = 10_000;
  static final int MAX_DIMENSIONS = 8;
  private static final int MAX_NAME = 1024;
  private static final JsonMapper READER = Json.reader(4, MAX_BYTES, MAX_BYTES);

  SafetensorsHeader {
    entries = List.copyOf(entries);
  }

  /** A tensor and where its data lies, in bytes from the end of the header. */
  record Entry(TensorSpec spec, long begin, long end) {}

  /**
   * @param json the header's bytes, padding included
   * @param dataSize how many bytes follow the header
   */
  static SafetensorsHeader parse(byte[] json, long dataSize) throws BundleException {
    if (json.length == 0 || json[0] != '{') {
      throw new BundleException("the header does not begin with '{'");
    }
    JsonNode root;
    try {
      root = Json.tree(READER, json);
    } catch (BundleException e) {
      throw new BundleException("the header is " + e.getMessage(), e);
    }
    List<Entry> entries = new ArrayList<>();
    for (Map.Entry<String, JsonNode> property : root.properties()) {
      if (property.getKey().equals(METADATA)) {
        checkMetadata(property.getValue());
      } else if (entries.size() == MAX_TENSORS) {
        throw new BundleException("the header names more than %d tensors".formatted(MAX_TENSORS));
      } else {
        entries.add(entry(property.getKey(), property.getValue()));
      }
    }
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long covered = 0;
    for (Entry entry : entries) {
      if (entry.begin() != covered) {
        throw new BundleException(
            "tensor '%s' begins at byte %d, expected %d: tensors must neither overlap nor leave gaps"
                .formatted(entry.spec().name(), entry.begin(), covered));
      }
      covered = entry.end();
    }
    if (covered != dataSize) {
      throw new BundleException(
          "the tensors take %d bytes, the file has %d".formatted(covered, dataSize));
    }
    return new SafetensorsHeader(entries);
  }

  /** Free-form strings, which nothing here reads. */
  private static void checkMetadata(JsonNode node) throws BundleException {
    StrictFields fields = StrictFields.of(METADATA, node);
    for (String name : fields.names()) {
      fields.string(name);
    }
  }

  private static Entry entry(String name, JsonNode node) throws BundleException {
    if (name.length() > MAX_NAME) {
      throw new BundleException(
          "a tensor's name has %d characters, at most %d are allowed"
              .formatted(name.length(), MAX_NAME));
    }
    StrictFields fields = StrictFields.of(name, node);
    DType type = fields.constant("dtype", DType.class);
    List<Long> shape = new ArrayList<>();
    for (long dimension : fields.longs("shape", 0, MAX_DIMENSIONS, 0, Long.MAX_VALUE)) {
      shape.add(dimension);
    }
    long[] offsets = fields.longs("data_offsets", 2, 2, 0, Long.MAX_VALUE);
    fields.end();
    TensorSpec spec;
    try {
      spec = new TensorSpec(name, type, shape);
    } catch (IllegalArgumentException e) {
      throw new BundleException(String.valueOf(e.getMessage()), e);
    }
    if (offsets[1] < offsets[0] || offsets[1] - offsets[0] != spec.byteSize()) {
      throw new BundleException(
          "tensor '%s' of type %s and shape %s needs %d bytes, its offsets %d to %d do not fit"
              .formatted(name, type, shape, spec.byteSize(), offsets[0], offsets[1]));
    }
    return new Entry(spec, offsets[0], offsets[1]);
  }
}
