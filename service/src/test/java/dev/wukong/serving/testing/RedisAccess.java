package dev.wukong.serving.testing;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.net.SocketFactory;

/**
 * Who may speak to the nodes of a test's cluster, and how a test does. Any thread.
 *
 * @param lines of each node's configuration; {@code PORT} stands for its port
 * @param options of {@code redis-cli}
 * @param sockets to the nodes
 * @param password of who may do all; empty: none is asked for
 */
public record RedisAccess(
    List<String> lines, List<String> options, SocketFactory sockets, String password) {
  /** For an answer of a node. */
  private static final int ASK_MILLIS = 1000;

  /** Everybody may do all. */
  public static RedisAccess open() {
    return new RedisAccess(List.of("port PORT"), List.of(), SocketFactory.getDefault(), "");
  }

  /**
   * Who has {@code client}, over TLS, with a password.
   *
   * @param nodes what each node shows
   * @param folder for the certificates that nodes trust
   * @param password of who may do all
   * @param users as the configuration describes them
   */
  public static RedisAccess secured(
      Identity nodes, Identity client, Path folder, String password, List<String> users) {
    Path trusted = folder.resolve("trusted.crt");
    try {
      Files.writeString(
          trusted, Files.readString(nodes.certificate()) + Files.readString(client.certificate()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> lines =
        new ArrayList<>(
            List.of(
                "port 0",
                "tls-port PORT",
                "tls-cluster yes",
                "tls-replication yes",
                "tls-auth-clients yes",
                "tls-cert-file " + nodes.certificate(),
                "tls-key-file " + nodes.key(),
                "tls-ca-cert-file " + trusted,
                "requirepass " + password,
                "masterauth " + password));
    users.forEach(user -> lines.add("user " + user));
    return new RedisAccess(
        List.copyOf(lines),
        List.of(
            "--tls",
            "--cacert",
            trusted.toString(),
            "--cert",
            client.certificate().toString(),
            "--key",
            client.key().toString(),
            "-a",
            password,
            "--no-auth-warning"),
        nodes.trustingAs(client).getSocketFactory(),
        password);
  }

  /** What a node says; empty where it says nothing. */
  public String ask(int port, String... words) {
    try (Socket socket = sockets.createSocket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), ASK_MILLIS);
      socket.setSoTimeout(ASK_MILLIS);
      InputStream said = new BufferedInputStream(socket.getInputStream());
      if (!password.isEmpty()) {
        String _ = say(socket, said, "AUTH", password);
      }
      return say(socket, said, words);
    } catch (IOException _) {
      return "";
    }
  }

  private static String say(Socket socket, InputStream said, String... words) throws IOException {
    socket
        .getOutputStream()
        .write((String.join(" ", words) + "\r\n").getBytes(StandardCharsets.US_ASCII));
    String line = line(said);
    if (!line.startsWith("$")) {
      return line.substring(Math.min(1, line.length()));
    }
    int bytes = Integer.parseInt(line.substring(1));
    return new String(said.readNBytes(Math.max(0, bytes)), StandardCharsets.US_ASCII);
  }

  private static String line(InputStream said) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = said.read(); c >= 0 && c != '\r'; c = said.read()) {
      line.append((char) c);
    }
    said.skipNBytes(1);
    return line.toString();
  }
}
