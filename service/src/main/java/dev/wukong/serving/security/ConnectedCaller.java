package dev.wukong.serving.security;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.ServerTransportFilter;

/** Finds out once a connection whom it is with. */
public final class ConnectedCaller extends ServerTransportFilter {
  private static final Attributes.Key<Caller> CALLER = Attributes.Key.create("wukong-caller");

  private final RoleBook book;

  /** Of {@code book}. */
  public ConnectedCaller(RoleBook book) {
    this.book = book;
  }

  @Override
  public Attributes transportReady(Attributes attributes) {
    return attributes.toBuilder()
        .set(
            CALLER,
            book.byNames(CertificateNames.of(attributes.get(Grpc.TRANSPORT_ATTR_SSL_SESSION))))
        .build();
  }

  /** Whom a connection with these attributes is with. */
  static Caller of(Attributes attributes) {
    Caller caller = attributes.get(CALLER);
    return caller == null ? Caller.ANYONE : caller;
  }
}
