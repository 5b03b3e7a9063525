package dev.wukong.serving.sight;

import java.util.Locale;

/** Where a request came in. */
public enum Door {
  /** Predict over gRPC. */
  GRPC("wukong.v1.RankingService", "Predict"),
  /** The Open Inference Protocol over gRPC. */
  OIP("inference.GRPCInferenceService", "ModelInfer"),
  /** REST, which has a span of its own above that of the request. */
  JSON("", "predict");

  private final String service;
  private final String method;

  Door(String service, String method) {
    this.service = service;
    this.method = method;
  }

  /** The gRPC service in full; empty where the door is none of gRPC's. */
  String service() {
    return service;
  }

  /** The method's name. */
  String method() {
    return method;
  }

  /** As logs write it. */
  String title() {
    return name().toLowerCase(Locale.ROOT);
  }
}
