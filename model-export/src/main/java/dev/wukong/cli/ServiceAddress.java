package dev.wukong.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/** Where a running service is said to be, and why it does not answer there. */
record ServiceAddress(String host, int port) {
  private static final int MAX_PORT = 65_535;

  /**
   * Reads {@code host:port}.
   *
   * @throws IllegalArgumentException where it is none
   */
  static ServiceAddress parse(String target) {
    int colon = target.lastIndexOf(':');
    if (!target.matches("[^\\s/]+:[0-9]{1,5}")
        || Integer.parseInt(target.substring(colon + 1)) > MAX_PORT) {
      throw new IllegalArgumentException("--target is '" + target + "', want host:port");
    }
    return new ServiceAddress(
        target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)));
  }

  /**
   * Looks the host up: gRPC's own words for one that there is not are many lines.
   *
   * @throws IOException where there is no such host
   */
  void checkHost() throws IOException {
    try {
      InetAddress _ = InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new IOException("--target is '" + this + "', and there is no host '" + host + "'", e);
    }
  }

  /** What a service that refused a call, or does not answer, is said to have done. */
  String describe(StatusRuntimeException e) {
    String said = "'" + this + "': " + e.getMessage();
    if (e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
      return said;
    }
    String encryption =
        "; --tls or --ca is needed where the port is encrypted, and neither elsewhere";
    return switch (root(e.getCause())) {
      case null -> said + (said.contains("Network closed") ? encryption : "");
      case ConnectException _ ->
          "no service answers at '%s' (connection refused); start one with java -jar service/target/service.jar --wukong.bundle-root=BUNDLES --spring.grpc.server.port=%d, or name another --target"
              .formatted(this, port);
      // What gRPC says itself here is of several lines, about its channel.
      case Throwable root ->
          "'%s': UNAVAILABLE (%s)%s".formatted(this, root.getMessage(), encryption);
    };
  }

  private static @Nullable Throwable root(@Nullable Throwable cause) {
    Throwable root = cause;
    for (Throwable next = cause; next != null; next = next.getCause()) {
      root = next;
    }
    return root;
  }

  @Override
  public String toString() {
    return host + ":" + port;
  }
}
