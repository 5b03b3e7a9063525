package dev.wukong.serving.retraining;

import dev.wukong.serving.events.Event;
import dev.wukong.serving.events.EventWriter;
import dev.wukong.serving.hosting.ModelCommit;
import dev.wukong.serving.hosting.ServedModel;
import java.time.Duration;

/** That of a process that nobody else trains with: it never ends. */
public record OwnTurn(EventWriter writer) implements Turn {
  @Override
  public long epoch() {
    return 0;
  }

  @Override
  public boolean lasts() {
    return true;
  }

  @Override
  public long append(String model, Event control) throws InterruptedException {
    return writer.append(model, control);
  }

  @Override
  public long awaitEnd(long beyond, Duration patience) throws InterruptedException {
    return writer.awaitEnd(beyond, patience);
  }

  @Override
  public boolean commit(ServedModel served, long bundle, ModelCommit commit) {
    return served.commit(bundle, commit);
  }

  @Override
  public void close() {}
}
