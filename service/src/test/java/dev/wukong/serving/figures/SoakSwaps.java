package dev.wukong.serving.figures;

import dev.wukong.figures.LoadModel;
import dev.wukong.proto.v1.AdminServiceGrpc;
import dev.wukong.proto.v1.AdminServiceGrpc.AdminServiceBlockingStub;
import dev.wukong.proto.v1.RollbackRequest;
import dev.wukong.proto.v1.SetLabelRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * New versions at even times, as operators handle them: each must serve, a label moves now and
 * then, sometimes the version before is called back, and old folders are removed. One thread of its
 * own.
 */
final class SoakSwaps implements AutoCloseable {
  private static final int LABEL_EACH = 5;
  private static final int ROLLBACK_EACH = 10;

  /** A label holds a version for this many swaps at most, and so its folder. */
  private static final int KEPT = LABEL_EACH + 3;

  private final ServerUnderTest server;
  private final String model;
  private final NewVersions versions;
  private final double every;
  private final boolean leak;
  private final List<ManagedChannel> leaked = new ArrayList<>();
  private final SoakTurns turns = new SoakTurns("soak-swaps", this::swap);

  /**
   * Swaps.
   *
   * @param every seconds
   * @param leak whether a connection stays open after each
   */
  SoakSwaps(
      ServerUnderTest server, LoadModel model, NewVersions versions, double every, boolean leak) {
    this.server = server;
    this.model = model.title();
    this.versions = versions;
    this.every = every;
    this.leak = leak;
  }

  /**
   * Versions that were put into place; failed are those that did not serve in time, and operators'
   * calls.
   */
  SoakTurns turns() {
    return turns;
  }

  private void swap() throws InterruptedException {
    ManagedChannel channel = server.adminChannel();
    AdminServiceBlockingStub admin = AdminServiceGrpc.newBlockingStub(channel);
    long start = System.nanoTime();
    try {
      for (int i = 1; !turns.stopped(); i++) {
        versions.prepare(1);
        long due = start + (long) (i * every * 1e9);
        for (long left = due - System.nanoTime(); left > 0 && !turns.stopped(); ) {
          LockSupport.parkNanos(Math.min(left, 100_000_000));
          left = due - System.nanoTime();
        }
        if (turns.stopped()) {
          return;
        }
        turns.made();
        one(admin.withDeadlineAfter(30, TimeUnit.SECONDS), versions.next());
        versions.remove(KEPT);
      }
    } catch (IOException | StatusRuntimeException e) {
      turns.failed(e.toString());
    } finally {
      channel.shutdownNow();
    }
  }

  private void one(AdminServiceBlockingStub admin, long version)
      throws IOException, InterruptedException {
    server.awaitVersion(model, version);
    if (turns.count() % LABEL_EACH == 0) {
      admin.setLabel(label(version));
    }
    if (turns.count() % ROLLBACK_EACH == 7) {
      admin.rollback(RollbackRequest.newBuilder().setModel(model).setReason("soak").build());
      server.awaitVersion(model, version - 1);
    }
    if (leak) {
      leaked.add(stays());
    }
  }

  private SetLabelRequest label(long version) {
    return SetLabelRequest.newBuilder()
        .setModel(model)
        .setLabel("stable")
        .setVersion(version)
        .build();
  }

  /** A connection with a call that never ends: the server must keep it. */
  private ManagedChannel stays() {
    ManagedChannel channel = server.channel();
    HealthGrpc.newStub(channel)
        .watch(
            HealthCheckRequest.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(HealthCheckResponse value) {}

              @Override
              public void onError(Throwable t) {}

              @Override
              public void onCompleted() {}
            });
    return channel;
  }

  /** Ends after the swap under way. */
  @Override
  public void close() {
    turns.close();
    leaked.forEach(ManagedChannel::shutdownNow);
  }
}
