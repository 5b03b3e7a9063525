package dev.wukong.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.proto.v1.AdminServiceGrpc;
import dev.wukong.proto.v1.RankingServiceGrpc;
import dev.wukong.serving.admin.AdminServer;
import dev.wukong.serving.security.Access;
import dev.wukong.serving.security.CallAccess;
import dev.wukong.serving.testing.Identity;
import dev.wukong.serving.testing.Served;
import io.grpc.CallOptions;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.TlsChannelCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.grpc.server.service.GrpcServiceDiscoverer;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

/** Who may what, at every method of every service that is there. */
@ExtendWith(OutputCaptureExtension.class)
class RolesTest {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  /** By whom: the role that it has. */
  private static final Map<String, Access> TOKENS =
      Map.of(
          "of-the-caller-0123456789", Access.PREDICT,
          "of-the-labels-0123456789", Access.LABEL,
          "of-operators-0123456789", Access.ADMIN);

  @TempDir private Path folder = Path.of("");

  /** Takes and gives bytes. */
  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private Served startWithTokens(String... more) throws Exception {
    List<String> settings = new ArrayList<>(List.of(more));
    for (Map.Entry<String, Access> token : TOKENS.entrySet()) {
      String role = token.getValue().name().toLowerCase(Locale.ROOT);
      Path file = Files.writeString(folder.resolve(role), role + "-test:" + token.getKey() + "\n");
      settings.add("wukong.roles.%s.tokens-file=%s".formatted(role, file));
    }
    return Served.start(folder.resolve("bundles"), settings.toArray(String[]::new));
  }

  private static ManagedChannel to(int port) {
    return Grpc.newChannelBuilderForAddress("localhost", port, InsecureChannelCredentials.create())
        .build();
  }

  /**
   * How an empty request ends, or OK where it has not ended when the server first says something.
   */
  private static Status call(
      ManagedChannel channel, MethodDescriptor<?, ?> method, @Nullable String authorization)
      throws Exception {
    MethodDescriptor<byte[], byte[]> raw =
        MethodDescriptor.<byte[], byte[]>newBuilder(new Bytes(), new Bytes())
            .setFullMethodName(method.getFullMethodName())
            .setType(method.getType())
            .build();
    CompletableFuture<Status> end = new CompletableFuture<>();
    ClientCall<byte[], byte[]> call = channel.newCall(raw, CallOptions.DEFAULT);
    Metadata headers = new Metadata();
    if (authorization != null) {
      headers.put(AUTHORIZATION, authorization);
    }
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onHeaders(Metadata answered) {
            end.complete(Status.OK);
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            end.complete(status);
          }
        },
        headers);
    call.request(1);
    call.sendMessage(new byte[0]);
    call.halfClose();
    Status status = end.get(1, TimeUnit.MINUTES);
    call.cancel("enough", null);
    return status;
  }

  private static List<MethodDescriptor<?, ?>> methodsOfCallers(Served served) {
    return served.bean(GrpcServiceDiscoverer.class).findServices().stream()
        .flatMap(spec -> spec.service().bindService().getMethods().stream())
        .<MethodDescriptor<?, ?>>map(ServerMethodDefinition::getMethodDescriptor)
        .toList();
  }

  private static List<MethodDescriptor<?, ?>> methodsOfOperators(Served served) {
    return served.bean(AdminServer.class).services().stream()
        .flatMap(service -> service.getMethods().stream())
        .<MethodDescriptor<?, ?>>map(ServerMethodDefinition::getMethodDescriptor)
        .toList();
  }

  @Test
  void methods_ofEveryServiceThatIsThere_haveAStatedAccess() throws Exception {
    try (Served served = Served.start(folder.resolve("bundles"), "wukong.admin.rest=true")) {
      List<MethodDescriptor<?, ?>> all = new ArrayList<>(methodsOfCallers(served));
      assertThat(all).hasSizeGreaterThan(12);
      all.addAll(methodsOfOperators(served));
      assertThat(all.stream().map(MethodDescriptor::getServiceName))
          .contains(
              "wukong.v1.RankingService",
              "wukong.v1.FeedbackService",
              "wukong.v1.StatusService",
              "wukong.v1.AdminService",
              "inference.GRPCInferenceService",
              "grpc.health.v1.Health",
              "grpc.reflection.v1.ServerReflection");
      assertThat(all).allSatisfy(method -> assertThat(CallAccess.ofMethod(method)).isNotNull());
      assertThat(
              all.stream()
                  .filter(method -> CallAccess.ofMethod(method) == Access.OPEN)
                  .map(MethodDescriptor::getFullMethodName))
          .allMatch(
              name ->
                  name.startsWith("grpc.health.v1.Health/")
                      || name.matches(".*Server(Live|Ready)"));
      Set<String> patterns =
          Set.copyOf(
              served.beans(RequestMappingHandlerMapping.class).stream()
                  .flatMap(mapping -> mapping.getHandlerMethods().keySet().stream())
                  .flatMap(mapping -> mapping.getPatternValues().stream())
                  .toList());
      assertThat(patterns).contains("/models/{name}/predict", "/models/{name}/training/export");
      assertThat(patterns)
          .allSatisfy(pattern -> assertThat(CallAccess.ofPattern(pattern)).isNotNull());
    }
  }

  @Test
  void methods_byEveryRoleAndByNobody_areForThoseWithTheRole() throws Exception {
    try (Served served = startWithTokens()) {
      ManagedChannel callers = to(served.grpcPort());
      ManagedChannel operators = to(served.adminPort());
      try {
        for (MethodDescriptor<?, ?> method : methodsOfCallers(served)) {
          check(callers, method);
        }
        for (MethodDescriptor<?, ?> method : methodsOfOperators(served)) {
          check(operators, method);
        }
      } finally {
        callers.shutdownNow();
        operators.shutdownNow();
      }
    }
  }

  private static void check(ManagedChannel channel, MethodDescriptor<?, ?> method)
      throws Exception {
    Access needed = Objects.requireNonNull(CallAccess.ofMethod(method));
    String name = method.getFullMethodName();
    boolean open = needed == Access.OPEN;
    assertThat(call(channel, method, null).getCode() != Code.UNAUTHENTICATED)
        .as(name)
        .isEqualTo(open);
    assertThat(call(channel, method, "Bearer not-one-0123456789").getCode() != Code.UNAUTHENTICATED)
        .as(name)
        .isEqualTo(open);
    assertThat(
            call(channel, method, "Basic of-operators-0123456789").getCode()
                != Code.UNAUTHENTICATED)
        .as(name)
        .isEqualTo(open);
    for (Map.Entry<String, Access> token : TOKENS.entrySet()) {
      Code code = call(channel, method, "Bearer " + token.getKey()).getCode();
      assertThat(code).as(name).isNotEqualTo(Code.UNAUTHENTICATED);
      boolean may = open || needed == Access.ANY || needed == token.getValue();
      assertThat(code != Code.PERMISSION_DENIED)
          .as("%s by %s: %s", name, token.getValue(), code)
          .isEqualTo(may);
    }
  }

  @Test
  void refusals_ofGrpc_sayWhatIsNeeded() throws Exception {
    try (Served served = startWithTokens()) {
      ManagedChannel channel = to(served.grpcPort());
      MethodDescriptor<?, ?> predict = RankingServiceGrpc.getPredictMethod();
      try {
        assertThat(call(channel, predict, null).getDescription())
            .isEqualTo(
                "this call needs the role 'predict': connect with a certificate that has it, or"
                    + " send a token (authorization: Bearer <token>)");
        assertThat(call(channel, predict, "Bearer x").getDescription())
            .isEqualTo("the token of this call is not known; want authorization: Bearer <token>");
        assertThat(call(channel, predict, "Bearer of-the-labels-0123456789").getDescription())
            .isEqualTo("this call needs the role 'predict', and 'token:label-test' has [label]");
      } finally {
        channel.shutdownNow();
      }
    }
  }

  @Test
  void certificates_byTheirNames_giveTheRoles() throws Exception {
    Identity server = Identity.of(folder, "server");
    Identity ranker = Identity.of(folder, "ranker", "uri:spiffe://shop/ranker");
    Identity other = Identity.of(folder, "other", "uri:spiffe://shop/deep/ranker");
    Path callers = folder.resolve("callers.crt");
    Files.writeString(
        callers, Files.readString(ranker.certificate()) + Files.readString(other.certificate()));
    try (Served served =
        Served.start(
            folder.resolve("bundles"),
            "spring.ssl.bundle.pem.own.keystore.certificate=" + server.certificate(),
            "spring.ssl.bundle.pem.own.keystore.private-key=" + server.key(),
            "spring.ssl.bundle.pem.own.truststore.certificate=" + callers,
            "wukong.tls.ssl-bundle=own",
            "server.ssl.bundle=own",
            "server.ssl.client-auth=want",
            "wukong.roles.predict.names=uri:spiffe://shop/*,cn:nobody",
            "wukong.roles.admin.names=cn:other")) {
      MethodDescriptor<?, ?> predict = RankingServiceGrpc.getPredictMethod();
      assertThat(by(served, server, ranker, predict).getDescription()).contains("no model");
      assertThat(by(served, server, other, predict))
          .satisfies(
              status -> {
                assertThat(status.getCode()).isEqualTo(Code.PERMISSION_DENIED);
                assertThat(status.getDescription())
                    .isEqualTo("this call needs the role 'predict', and 'cn:other' has [admin]");
              });
      try (HttpClient https =
              HttpClient.newBuilder().sslContext(server.trustingAs(ranker)).build();
          HttpClient without = HttpClient.newBuilder().sslContext(server.trusting()).build()) {
        URI models = URI.create("https://localhost:" + served.httpPort() + "/models");
        HttpRequest request = HttpRequest.newBuilder(models).build();
        assertThat(https.send(request, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
        assertThat(without.send(request, BodyHandlers.ofString()).statusCode()).isEqualTo(401);
      }
    }
  }

  private static Status by(
      Served served, Identity server, Identity caller, MethodDescriptor<?, ?> method)
      throws Exception {
    ChannelCredentials shown =
        TlsChannelCredentials.newBuilder()
            .trustManager(server.certificate().toFile())
            .keyManager(caller.certificate().toFile(), caller.key().toFile())
            .build();
    ManagedChannel channel =
        Grpc.newChannelBuilderForAddress("localhost", served.grpcPort(), shown).build();
    try {
      return call(channel, method, null);
    } finally {
      channel.shutdownNow();
    }
  }

  private static HttpResponse<String> rest(
      HttpClient client, Served served, String method, String path, @Nullable String token)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + served.httpPort() + path))
            .header("Content-Type", "application/json")
            .method(
                method,
                method.equals("GET") ? BodyPublishers.noBody() : BodyPublishers.ofString("{}"));
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    return client.send(request.build(), BodyHandlers.ofString());
  }

  @Test
  void rest_byEveryRoleAndByNobody_isForThoseWithTheRole() throws Exception {
    try (Served served = startWithTokens("wukong.admin.rest=true");
        HttpClient client = HttpClient.newHttpClient()) {
      assertThat(rest(client, served, "GET", "/actuator/health/liveness", null).statusCode())
          .isEqualTo(200);
      for (String path :
          List.of(
              "/",
              "/status",
              "/status/page.js",
              "/models",
              "/models/tiny",
              "/actuator/prometheus",
              "/nothing",
              "/models/tiny/predict/more",
              "/actuator",
              "/actuator/healthy")) {
        HttpResponse<String> nobody = rest(client, served, "GET", path, null);
        assertThat(nobody.statusCode()).as(path).isEqualTo(401);
        assertThat(nobody.headers().firstValue("WWW-Authenticate")).hasValue("Bearer");
        for (String token : TOKENS.keySet()) {
          assertThat(rest(client, served, "GET", path, token).statusCode()).as(path).isIn(200, 404);
        }
      }
      Map<String, Access> posts =
          Map.of(
              "/models/tiny/predict", Access.PREDICT,
              "/models/tiny/training/pause", Access.ADMIN,
              "/models/tiny/training/%70ause", Access.ADMIN,
              "/models/tiny/training/export", Access.ADMIN);
      for (Map.Entry<String, Access> post : posts.entrySet()) {
        assertThat(rest(client, served, "POST", post.getKey(), null).statusCode()).isEqualTo(401);
        for (Map.Entry<String, Access> token : TOKENS.entrySet()) {
          int status = rest(client, served, "POST", post.getKey(), token.getKey()).statusCode();
          assertThat(status != 403)
              .as("%s by %s: %d", post.getKey(), token.getValue(), status)
              .isEqualTo(post.getValue() == token.getValue());
        }
      }
      assertThat(
              rest(client, served, "POST", "/models/tiny/predict", "of-operators-0123456789")
                  .body())
          .isEqualTo(
              "{\"status\":403,\"error\":\"this call needs the role 'predict', and"
                  + " 'token:admin-test' has [admin]\"}");
    }
  }

  @Test
  void audit_callsOfOperators_areLinesWithWhoWhatAndOutcome(CapturedOutput output)
      throws Exception {
    try (Served served = startWithTokens("wukong.admin.rest=true");
        HttpClient client = HttpClient.newHttpClient()) {
      ManagedChannel channel = to(served.adminPort());
      try {
        for (String token : TOKENS.keySet()) {
          call(channel, AdminServiceGrpc.getRollbackMethod(), "Bearer " + token);
        }
        call(channel, AdminServiceGrpc.getLoadVersionMethod(), null);
      } finally {
        channel.shutdownNow();
      }
      rest(
          client,
          served,
          "POST",
          "/models/tiny/training/step-back?to=4",
          "of-operators-0123456789");
      rest(client, served, "POST", "/models/tiny/training/pause", "of-the-labels-0123456789");
      Served.await(
          "the last line", () -> output.getAll().contains("call=POST /models/tiny/training/pause"));
    }
    List<String> lines =
        output.getAll().lines().filter(line -> line.contains("wukong.audit")).toList();
    assertThat(lines).hasSize(6);
    String rollback = "call=wukong.v1.AdminService/Rollback asked={} by=token:";
    assertThat(lines)
        .anyMatch(
            line ->
                line.matches(
                    ".*"
                        + Pattern.quote(rollback)
                        + "admin-test from=/127.0.0.1:[0-9]+ outcome=INVALID_ARGUMENT"))
        .anyMatch(
            line ->
                line.contains(rollback + "label-test ")
                    && line.endsWith("outcome=PERMISSION_DENIED"))
        .anyMatch(
            line ->
                line.contains("/LoadVersion asked={} by=anyone ")
                    && line.endsWith("outcome=UNAUTHENTICATED"))
        .anyMatch(
            line ->
                line.matches(
                    ".*call=POST /models/tiny/training/step-back asked=\\{to=4\\}"
                        + " by=token:admin-test from=127.0.0.1:[0-9]+ outcome=404"))
        .anyMatch(
            line ->
                line.matches(
                    ".*call=POST /models/tiny/training/pause asked=\\{\\} by=token:label-test"
                        + " from=127.0.0.1:[0-9]+ outcome=403"));
    assertThat(TOKENS.keySet()).noneMatch(output.getAll()::contains);
  }

  @Test
  void settings_thatCannotBe_sayWhy() throws Exception {
    Path bundles = folder.resolve("bundles");
    assertThatThrownBy(() -> Served.start(bundles, "wukong.roles.label.names=ranker").close())
        .hasStackTraceContaining(
            "wukong.roles.label.names has 'ranker', allowed are names in certificates such as"
                + " dns:ranker.example.com, uri:spiffe://shop/* and cn:ranker");
    Path missing = folder.resolve("missing");
    assertThatThrownBy(
            () -> Served.start(bundles, "wukong.roles.admin.tokens-file=" + missing).close())
        .hasStackTraceContaining(
            "wukong.roles.admin.tokens-file is '" + missing + "', which cannot");
  }
}
