package dev.wukong.serving.admin;

import java.net.InetSocketAddress;

/** The port of operators cannot be taken. */
public final class AdminPortException extends RuntimeException {
  AdminPortException(InetSocketAddress address, Throwable cause) {
    super(
        ("wukong.admin.port is %d, which cannot be taken at %s: another process has it, or this one"
                + " may not; set another, or 0 for any free one")
            .formatted(address.getPort(), address.getHostString()),
        cause);
  }
}
