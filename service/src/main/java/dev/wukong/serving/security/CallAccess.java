package dev.wukong.serving.security;

import io.grpc.MethodDescriptor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which access each gRPC method and each path of REST asks for. What is not named is refused. */
public final class CallAccess {
  private static final Map<String, Access> SERVICES =
      Map.of(
          "wukong.v1.RankingService", Access.PREDICT,
          "wukong.v1.FeedbackService", Access.LABEL,
          "wukong.v1.AdminService", Access.ADMIN,
          "wukong.v1.StatusService", Access.ANY,
          "grpc.reflection.v1.ServerReflection", Access.ANY,
          "grpc.reflection.v1alpha.ServerReflection", Access.ANY,
          "grpc.health.v1.Health", Access.OPEN);

  /** Of a service whose methods differ. */
  private static final Map<String, Access> METHODS =
      Map.of(
          "inference.GRPCInferenceService/ServerLive", Access.OPEN,
          "inference.GRPCInferenceService/ServerReady", Access.OPEN,
          "inference.GRPCInferenceService/ModelReady", Access.ANY,
          "inference.GRPCInferenceService/ServerMetadata", Access.ANY,
          "inference.GRPCInferenceService/ModelMetadata", Access.ANY,
          "inference.GRPCInferenceService/ModelConfig", Access.ANY,
          "inference.GRPCInferenceService/ModelStatistics", Access.ANY,
          "inference.GRPCInferenceService/ModelInfer", Access.PREDICT);

  /** By the pattern that a path of REST matches. */
  private static final Map<String, Access> PATTERNS =
      Map.ofEntries(
          Map.entry("/models/{name}/predict", Access.PREDICT),
          Map.entry("/models/{name}/training/pause", Access.ADMIN),
          Map.entry("/models/{name}/training/resume", Access.ADMIN),
          Map.entry("/models/{name}/training/accept", Access.ADMIN),
          Map.entry("/models/{name}/training/step-back", Access.ADMIN),
          Map.entry("/models/{name}/training/export", Access.ADMIN),
          Map.entry("/models", Access.ANY),
          Map.entry("/models/{name}", Access.ANY),
          Map.entry("/", Access.ANY),
          Map.entry("/status", Access.ANY),
          Map.entry("/status/{name}", Access.ANY),
          Map.entry("/webjars/**", Access.ANY),
          Map.entry("/**", Access.ANY), // Nothing is there; who has a role is told so.
          Map.entry("/error", Access.OPEN)); // What another path was answered.

  private CallAccess() {}

  /** Of a gRPC method; null where none is stated. */
  public static @Nullable Access ofMethod(MethodDescriptor<?, ?> method) {
    Access own = METHODS.get(method.getFullMethodName());
    String service = method.getServiceName();
    return own != null || service == null ? own : SERVICES.get(service);
  }

  /** Of a pattern of REST; null where none is stated. */
  public static @Nullable Access ofPattern(String pattern) {
    return PATTERNS.get(pattern);
  }

  /**
   * Of a path of REST before it is known what answers it: probes are open, all else needs a role.
   *
   * @param path decoded and without parameters
   */
  static Access ofPath(String path) {
    return path.equals("/actuator/health") || path.startsWith("/actuator/health/")
        ? Access.OPEN
        : Access.ANY;
  }
}
