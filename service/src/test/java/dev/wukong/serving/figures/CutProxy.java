package dev.wukong.serving.figures;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Stands between a client and a server, and cuts them off from each other: connections stay, and
 * nothing comes through, in one direction or both. Any thread.
 */
final class CutProxy implements AutoCloseable {
  /** Which way nothing comes through. */
  enum Cut {
    NONE,
    TO_SERVER,
    FROM_SERVER,
    BOTH
  }

  private static final int ROOM = 1 << 16;

  private final ServerSocket listening;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final AtomicLong failed = new AtomicLong();
  private volatile int target;
  private volatile Cut cut = Cut.NONE;

  private CutProxy(ServerSocket listening) {
    this.listening = listening;
  }

  /** One that listens on a free port; {@link #lead} says to whom it leads. */
  static CutProxy open() throws IOException {
    CutProxy proxy = new CutProxy(new ServerSocket(0, 64, InetAddress.getLoopbackAddress()));
    Thread _ = Thread.ofVirtual().name("proxy").start(proxy::accept);
    return proxy;
  }

  int port() {
    return listening.getLocalPort();
  }

  /** Leads to this port of the machine from now on. */
  void lead(int port) {
    target = port;
  }

  /** Nothing comes through that way from now on. */
  void cut(Cut way) {
    cut = way;
  }

  /** All comes through again, on new connections: what was swallowed is missing in the old ones. */
  void heal() {
    cut = Cut.NONE;
    open.forEach(CutProxy::close);
    open.clear();
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        join(listening.accept());
      } catch (IOException e) {
        failed.incrementAndGet(); // This is closed.
      }
    }
  }

  private void join(Socket client) {
    open.add(client);
    try {
      Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
      open.add(server);
      pump(client, server, Cut.TO_SERVER);
      pump(server, client, Cut.FROM_SERVER);
    } catch (IOException e) {
      close(client); // The server is away.
    }
  }

  private void pump(Socket from, Socket to, Cut way) {
    Thread _ =
        Thread.ofVirtual()
            .name("proxy-" + way)
            .start(
                () -> {
                  try (from;
                      to) {
                    copy(from.getInputStream(), to.getOutputStream(), way);
                  } catch (IOException e) {
                    close(from); // As an end does: the other side sees it, too.
                  } finally {
                    close(to);
                    open.remove(from);
                    open.remove(to);
                  }
                });
  }

  private void copy(InputStream from, OutputStream to, Cut way) throws IOException {
    byte[] room = new byte[ROOM];
    for (int read = from.read(room); read >= 0; read = from.read(room)) {
      Cut now = cut;
      if (now != way && now != Cut.BOTH) {
        to.write(room, 0, read);
      }
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new IllegalStateException("a socket cannot be closed", e);
    }
  }

  @Override
  public void close() throws IOException {
    listening.close();
    open.forEach(CutProxy::close);
  }
}
