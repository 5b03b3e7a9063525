package dev.wukong.serving.sight;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.config.MeterFilter;
import java.util.ArrayList;
import java.util.List;

/** The meters of gRPC calls, of every service and method. */
public final class CallMeters {
  private static final String COUNTED = "grpc.server.processing.duration";

  private CallMeters() {}

  /**
   * A filter that has the timer of Micrometer's counting interceptor, which is the cheaper one,
   * bear the name and the tags that its observations of gRPC have.
   */
  public static MeterFilter names() {
    return new MeterFilter() {
      @Override
      public Meter.Id map(Meter.Id id) {
        return id.getName().equals(COUNTED)
            ? id.withName("grpc.server").replaceTags(renamed(id.getTags()))
            : id;
      }
    };
  }

  private static List<Tag> renamed(List<Tag> tags) {
    List<Tag> renamed = new ArrayList<>();
    for (Tag tag : tags) {
      String name =
          switch (tag.getKey()) {
            case "service" -> "rpc.service";
            case "method" -> "rpc.method";
            case "methodType" -> "rpc.type";
            case "statusCode" -> "grpc.status_code";
            default -> tag.getKey();
          };
      renamed.add(Tag.of(name, tag.getValue()));
    }
    return renamed;
  }
}
