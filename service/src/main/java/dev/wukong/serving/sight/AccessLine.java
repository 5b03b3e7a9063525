package dev.wukong.serving.sight;

import java.time.Instant;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A line of the access log. It names what was asked for and how long it took, nothing of what the
 * request holds.
 *
 * @param trace id of its trace; null where it is not sampled
 * @param leftOut refusals before it that have no line
 */
record AccessLine(Sight sight, Instant began, @Nullable String trace, long leftOut) {
  /** Request ids are cut to this: one of a request that was refused has not been checked. */
  private static final int MOST_OF_ID = 128;

  private static final JsonMapper JSON = new JsonMapper();

  /** As one line of JSON without its end. */
  String json() {
    ObjectNode line = JSON.createObjectNode();
    line.put("time", began.toString());
    line.put("door", sight.door.title());
    if (sight.model != null) {
      line.put("model", sight.model);
      line.put("version", sight.version);
    }
    if (!sight.requestId.isEmpty()) {
      line.put("request_id", cut(sight.requestId));
    }
    if (!sight.predictionId.isEmpty()) {
      line.put("prediction_id", HexFormat.of().formatHex(sight.predictionId.toByteArray()));
    }
    if (trace != null) {
      line.put("trace_id", trace);
    }
    line.put("rows", sight.rows);
    line.put("code", sight.code.name());
    if (!sight.reason.isEmpty()) {
      line.put("reason", sight.reason);
    }
    ObjectNode micros = line.putObject("micros");
    put(micros, "decode", sight.decode);
    put(micros, "resolve", sight.resolve);
    put(micros, "queue", sight.queue);
    put(micros, "run", sight.run);
    put(micros, "reply", sight.reply);
    put(micros, "total", sight.total);
    if (sight.batchRows > 0) {
      line.put("batch_rows", sight.batchRows);
    }
    line.put("defaulted", sight.defaulted);
    line.put("missing", sight.missing);
    line.put("truncated", sight.truncated);
    if (leftOut > 0) {
      line.put("left_out", leftOut);
    }
    return JSON.writeValueAsString(line);
  }

  private static void put(ObjectNode micros, String stage, long nanos) {
    if (nanos != Sight.NEVER) {
      micros.put(stage, TimeUnit.NANOSECONDS.toMicros(nanos));
    }
  }

  private static String cut(String id) {
    return id.length() <= MOST_OF_ID ? id : id.substring(0, MOST_OF_ID) + "...";
  }
}
